//! A Unigram model that loads fast: the library makes a map of strings and a tree of maps, a second for 250,000 pieces;
//! here they are one block of bytes and one flat tree. It gives the tokens that the library's own model gives.

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tokenizers::models::{ModelWrapper, TrainerWrapper};
use tokenizers::{Model, Result, Token};

/// What a character that no piece covers costs below the least score.
const UNKNOWN_PENALTY: f64 = 10.0;

const NONE: u32 = u32::MAX;

/// Pieces with their scores; the number of a piece is its id.
#[derive(Default)]
struct Vocabulary {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    scores: Vec<f64>,
}

impl Vocabulary {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn piece(&self, id: usize) -> &[u8] {
        let begin = if id == 0 { 0 } else { self.ends[id - 1] as usize };
        &self.bytes[begin..self.ends[id] as usize]
    }

    fn text(&self, id: usize) -> &str {
        std::str::from_utf8(self.piece(id)).unwrap_or_default()
    }
}

/// All beginnings of pieces. The children of a node stand side by side, by their bytes; node 0 is the empty beginning.
struct Tree {
    bytes: Vec<u8>,
    /// The first child of each node; those of the next node end its own.
    children: Vec<u32>,
    /// The piece that ends at each node.
    ids: Vec<u32>,
}

impl Tree {
    fn of(vocabulary: &Vocabulary) -> Self {
        // In the order of their bytes, of equal ones the last last. Sixteen bytes in one number tell most apart.
        let key = |id: u32| {
            let piece = vocabulary.piece(id as usize);
            let mut start = [0; 16];
            let n = piece.len().min(16);
            start[..n].copy_from_slice(&piece[..n]);
            u128::from_be_bytes(start)
        };
        let mut order: Vec<(u128, u32)> = (0..vocabulary.len() as u32).map(|id| (key(id), id)).collect();
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| {
                vocabulary.piece(a.1 as usize).cmp(vocabulary.piece(b.1 as usize)).then(a.1.cmp(&b.1))
            })
        });

        // Level by level: a node is the pieces [first, last) that begin alike in `depth` bytes.
        let mut tree = Tree { bytes: vec![0], children: vec![], ids: vec![] };
        let mut open = vec![(0, order.len())];
        let mut depth = 0;
        while !open.is_empty() {
            let mut next = vec![];
            for (mut first, last) in open {
                let mut ends = NONE;
                while first < last && vocabulary.piece(order[first].1 as usize).len() == depth {
                    ends = order[first].1;
                    first += 1;
                }
                tree.ids.push(ends);
                tree.children.push(tree.bytes.len() as u32);
                while first < last {
                    let byte = vocabulary.piece(order[first].1 as usize)[depth];
                    let alike = |i: &usize| vocabulary.piece(order[*i].1 as usize)[depth] == byte;
                    let end = (first + 1..last).find(|i| !alike(i)).unwrap_or(last);
                    tree.bytes.push(byte);
                    next.push((first, end));
                    first = end;
                }
            }
            open = next;
            depth += 1;
        }
        tree.children.push(tree.bytes.len() as u32);
        tree
    }

    fn child(&self, node: usize, byte: u8) -> Option<usize> {
        let (first, last) = (self.children[node] as usize, self.children[node + 1] as usize);
        let bytes = &self.bytes[first..last];
        let place = if bytes.len() > 16 { bytes.binary_search(&byte).ok() } else { bytes.iter().position(|&b| b == byte) };
        place.map(|i| first + i)
    }

    /// The id of a whole piece.
    fn find(&self, piece: &[u8]) -> Option<u32> {
        let mut node = 0;
        for &byte in piece {
            node = self.child(node, byte)?;
        }
        Some(self.ids[node]).filter(|&id| id != NONE)
    }

    /// Calls `visit` with the length and id of each piece that `text` begins with, short ones first.
    fn prefixes(&self, text: &[u8], mut visit: impl FnMut(usize, u32)) {
        let mut node = 0;
        for (i, &byte) in text.iter().enumerate() {
            match self.child(node, byte) {
                Some(child) => node = child,
                None => return,
            }
            if self.ids[node] != NONE {
                visit(i + 1, self.ids[node]);
            }
        }
    }
}

pub struct Pieces {
    vocabulary: Vocabulary,
    tree: Tree,
    least: f64,
    unknown: Option<u32>,
    byte_fallback: bool,
}

/// The best way to a place in a text: where its last piece begins.
#[derive(Clone, Copy)]
struct Best {
    score: f64,
    from: u32,
    id: u32,
}

impl Pieces {
    fn of(vocabulary: Vocabulary, unk_id: Option<usize>, byte_fallback: bool) -> std::result::Result<Self, String> {
        let unknown = match unk_id {
            Some(id) if id >= vocabulary.len() => return Err("The `unk_id` is larger than vocabulary size".into()),
            id => id.map(|id| id as u32),
        };
        let least = vocabulary.scores.iter().copied().fold(f64::INFINITY, |a, b| if b < a { b } else { a });
        Ok(Self { tree: Tree::of(&vocabulary), vocabulary, least, unknown, byte_fallback })
    }

    pub fn largest_id(&self) -> Option<u32> {
        self.vocabulary.len().checked_sub(1).map(|id| id as u32)
    }

    /// The pieces of the best path, as (begin, end) with neighbouring unknown ones joined.
    fn split(&self, text: &str) -> Result<Vec<(usize, usize)>> {
        const UNREACHED: Best = Best { score: 0.0, from: NONE, id: 0 };
        let missing = "Encountered an unknown token but `unk_id` is missing";
        if text.len() >= NONE as usize {
            return Err("the text is too long".into());
        }
        let mut best = vec![UNREACHED; text.len() + 1];
        for (at, letter) in text.char_indices() {
            let so_far = best[at].score;
            let width = letter.len_utf8();
            let mut whole_letter = false;
            self.tree.prefixes(&text.as_bytes()[at..], |length, id| {
                let score = self.vocabulary.scores[id as usize] + so_far;
                let end = &mut best[at + length];
                if end.from == NONE || score > end.score {
                    *end = Best { score, from: at as u32, id };
                }
                whole_letter |= length == width;
            });
            if !whole_letter {
                let score = self.least - UNKNOWN_PENALTY + so_far;
                let end = &mut best[at + width];
                if end.from == NONE || score > end.score {
                    *end = Best { score, from: at as u32, id: self.unknown.ok_or(missing)? };
                }
            }
        }
        let mut out: Vec<(usize, usize)> = vec![];
        let (mut end, mut joins) = (text.len(), false);
        while end > 0 {
            let begin = best[end].from as usize;
            let is_unknown = Some(best[end].id) == self.unknown;
            match out.last_mut() {
                Some(later) if joins && is_unknown => later.0 = begin,
                _ => out.push((begin, end)),
            }
            joins = is_unknown;
            end = begin;
        }
        out.reverse();
        Ok(out)
    }

    /// The tokens of the bytes of a text, if there is one for each.
    fn bytes_of(&self, text: &str, place: (usize, usize)) -> Option<Vec<Token>> {
        let token = |byte: u8| {
            let name = format!("<0x{byte:02X}>");
            self.tree.find(name.as_bytes()).map(|id| Token::new(id, name, place))
        };
        text.bytes().map(token).collect()
    }
}

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_seq(Pairs)
    }
}

/// [["piece", score], ...]
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vocabulary;

    fn expecting(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(out, "a list of pieces with their scores")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Vocabulary, A::Error> {
        let mut out = Vocabulary::default();
        while items.next_element_seed(Pair(&mut out))?.is_some() {
            if out.bytes.len() >= NONE as usize || out.ends.len() >= NONE as usize {
                return Err(A::Error::custom("the vocabulary is too large"));
            }
        }
        Ok(out)
    }
}

struct Pair<'v>(&'v mut Vocabulary);

impl<'de> DeserializeSeed<'de> for Pair<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_tuple(2, self)
    }
}

impl<'de> Visitor<'de> for Pair<'_> {
    type Value = ();

    fn expecting(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(out, "a piece and its score")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<(), A::Error> {
        let lacks = || A::Error::custom("a piece has no score");
        items.next_element_seed(Piece(&mut self.0.bytes))?.ok_or_else(lacks)?;
        let score = items.next_element()?.ok_or_else(lacks)?;
        self.0.ends.push(self.0.bytes.len() as u32);
        self.0.scores.push(score);
        Ok(())
    }
}

/// Appends a string's bytes.
struct Piece<'v>(&'v mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Piece<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> std::result::Result<(), D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Piece<'_> {
    type Value = ();

    fn expecting(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(out, "a piece")
    }

    fn visit_str<E: Error>(self, text: &str) -> std::result::Result<(), E> {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The library's model, or ours where it does the same in less time.
pub enum AnyModel {
    Ours(Pieces),
    Theirs(ModelWrapper),
}

impl<'de> Deserialize<'de> for AnyModel {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        from.deserialize_map(Fields)
    }
}

/// The fields of a model. Where the first says that it is a Unigram, as in all files that the library writes, the rest is
/// read as that; else all are handed to the library.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = AnyModel;

    fn expecting(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(out, "a model with its type and vocabulary")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<AnyModel, A::Error> {
        let mut all = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value: Value = map.next_value()?;
            if all.is_empty() && key == "type" && value == "Unigram" {
                return unigram(map).map(AnyModel::Ours);
            }
            all.insert(key, value);
        }
        serde_json::from_value(Value::Object(all)).map(AnyModel::Theirs).map_err(A::Error::custom)
    }
}

fn unigram<'de, A: MapAccess<'de>>(mut map: A) -> std::result::Result<Pieces, A::Error> {
    let (mut vocabulary, mut unk_id, mut byte_fallback) = (None, None, false);
    while let Some(key) = map.next_key::<String>()? {
        match key.as_str() {
            "vocab" => vocabulary = Some(map.next_value::<Vocabulary>()?),
            "unk_id" => unk_id = map.next_value()?,
            "byte_fallback" => byte_fallback = map.next_value()?,
            "type" if map.next_value::<Value>()? != "Unigram" => return Err(A::Error::custom("its model has two types")),
            "type" => {}
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
    }
    let vocabulary = vocabulary.ok_or_else(|| A::Error::custom("Missing vocab"))?;
    Pieces::of(vocabulary, unk_id, byte_fallback).map_err(A::Error::custom)
}

impl Model for AnyModel {
    type Trainer = TrainerWrapper;

    fn tokenize(&self, text: &str) -> Result<Vec<Token>> {
        let ours = match self {
            AnyModel::Theirs(model) => return model.tokenize(text),
            AnyModel::Ours(ours) => ours,
        };
        let mut out = vec![];
        for place in ours.split(text)? {
            let piece = &text[place.0..place.1];
            if let Some(id) = ours.tree.find(piece.as_bytes()) {
                out.push(Token::new(id, piece.into(), place));
                continue;
            }
            match ours.byte_fallback.then(|| ours.bytes_of(piece, place)).flatten() {
                Some(bytes) => out.extend(bytes),
                None => {
                    let id = ours.unknown.ok_or("Encountered an unknown token but `unk_id` is missing")?;
                    out.push(Token::new(id, piece.into(), place));
                }
            }
        }
        Ok(out)
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        match self {
            AnyModel::Theirs(model) => model.token_to_id(token),
            AnyModel::Ours(ours) => ours.tree.find(token.as_bytes()),
        }
    }

    fn id_to_token(&self, id: u32) -> Option<String> {
        match self {
            AnyModel::Theirs(model) => model.id_to_token(id),
            AnyModel::Ours(ours) => ((id as usize) < ours.vocabulary.len()).then(|| ours.vocabulary.text(id as usize).into()),
        }
    }

    fn get_vocab(&self) -> HashMap<String, u32> {
        match self {
            AnyModel::Theirs(model) => model.get_vocab(),
            AnyModel::Ours(ours) => {
                (0..ours.vocabulary.len()).map(|id| (ours.vocabulary.text(id).into(), id as u32)).collect()
            }
        }
    }

    fn get_vocab_size(&self) -> usize {
        match self {
            AnyModel::Theirs(model) => model.get_vocab_size(),
            AnyModel::Ours(ours) => ours.vocabulary.len(),
        }
    }

    fn save(&self, folder: &Path, prefix: Option<&str>) -> Result<Vec<PathBuf>> {
        match self {
            AnyModel::Theirs(model) => model.save(folder, prefix),
            AnyModel::Ours(_) => Err("it is not saved".into()),
        }
    }

    fn get_trainer(&self) -> TrainerWrapper {
        tokenizers::models::unigram::UnigramTrainer::default().into() // nothing is trained
    }
}
