//! Texts cut at spaces into words whose ids are kept: nearly all words of a text were seen before. And the pieces that
//! the normalizer and the pre-tokenizer make of a text, before the model sees them.

use super::load::Hf;
use super::{bounds, first_ids};
use crate::Refusal;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::RwLock;
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer,
};

/// Longer words are seldom seen again.
const LONGEST: usize = 48;
/// About 8 MB.
const MOST: usize = 1 << 16;

/// Multiplies and rotates eight bytes at a time. The order of the table decides nothing, and a full table only costs time.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0u8; 8];
            word[..part.len()].copy_from_slice(part);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
}

/// The ids of words: word -> where its ids stand in `ids`.
#[derive(Default)]
pub struct Cache {
    places: HashMap<Box<[u8]>, (u32, u32), BuildHasherDefault<Quick>>,
    ids: Vec<u32>,
}

impl Cache {
    fn find(&self, word: &str) -> Option<&[u32]> {
        self.places.get(word.as_bytes()).map(|&(first, last)| &self.ids[first as usize..last as usize])
    }

    fn keep(&mut self, word: &[u8], ids: &[u32]) {
        if word.len() <= LONGEST && ids.len() <= LONGEST && self.places.len() < MOST {
            let first = self.ids.len() as u32;
            self.ids.extend_from_slice(ids);
            self.places.insert(word.into(), (first, self.ids.len() as u32));
        }
    }
}

/// What all threads know of words. Each call collects what is new to it, and adds that at its end.
#[derive(Default)]
pub struct Words(RwLock<Cache>);

impl Words {
    pub fn learn(&self, fresh: Cache) {
        if fresh.places.is_empty() {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(|e| e.into_inner());
        for (word, (first, last)) in fresh.places {
            if !known.places.contains_key(&word) {
                known.keep(&word, &fresh.ids[first as usize..last as usize]);
            }
        }
    }
}

/// Whether the ids of a text are those of its words one after another, each with the space before it. More than
/// `first_ids::ends_at_spaces` it needs that the space at a word's beginning stays, and that no added token takes the
/// space behind it.
pub fn are_independent(hf: &Hf) -> bool {
    let mut spaced = NormalizedString::from(" b");
    first_ids::ends_at_spaces(hf)
        && hf.get_normalizer().is_none_or(|n| n.normalize(&mut spaced).is_ok())
        && spaced.get() == " b"
        && !hf.get_added_tokens_decoder().values().any(|t| t.rstrip)
}

/// What may stand beside a space that texts are cut at: visible ASCII, and letters that no normalizer joins to others.
fn is_plain(c: char) -> bool {
    c.is_ascii_graphic()
        || (c.is_alphabetic() && matches!(c as u32, 0xC0..=0x24F | 0x388..=0x3FF | 0x400..=0x481 | 0x48A..=0x52F))
}

/// Where the word that begins at `from` ends: before the next space between two plain characters.
fn end_of_word(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|&b| b == b' ')) {
        at += found;
        let before = text[..at].chars().next_back();
        let after = text[at + 1..].chars().next();
        if before.is_some_and(is_plain) && after.is_some_and(is_plain) {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// Appends the ids of a text, or at least the first `most`. `hf` must be of independent words.
pub fn encode(
    hf: &Hf,
    words: &Words,
    fresh: &mut Cache,
    text: &str,
    most: usize,
    out: &mut Vec<u32>,
) -> Result<(), Refusal> {
    let known = words.0.read().unwrap_or_else(|e| e.into_inner());
    let before = out.len();
    let mut from = 0;
    while from < text.len() && out.len() - before < most {
        let end = end_of_word(text, from);
        let word = &text[from..end];
        from = end;
        if let Some(ids) = known.find(word).or_else(|| fresh.find(word)) {
            out.extend_from_slice(ids);
            continue;
        }
        bounds::begin(word.len());
        let encoding = first_ids::encode(hf, word, most, false)?;
        out.extend_from_slice(encoding.get_ids());
        fresh.keep(word.as_bytes(), encoding.get_ids());
    }
    Ok(())
}

/// Appends the characters of each piece that the normalizer and the pre-tokenizer make of a text, and where it ends.
pub fn split(hf: &Hf, text: &str, letters: &mut Vec<u32>, ends: &mut Vec<usize>) -> Result<(), Refusal> {
    let failed = |e: tokenizers::Error| Refusal::from(e.to_string());
    let mut normalized = NormalizedString::from(text);
    if let Some(normalizer) = hf.get_normalizer() {
        normalizer.normalize(&mut normalized).map_err(failed)?;
    }
    let mut pieces = PreTokenizedString::from(normalized);
    if let Some(pre_tokenizer) = hf.get_pre_tokenizer() {
        pre_tokenizer.pre_tokenize(&mut pieces).map_err(failed)?;
    }
    for (piece, _, _) in pieces.get_splits(OffsetReferential::Normalized, OffsetType::None) {
        letters.extend(piece.chars().map(u32::from));
        ends.push(letters.len());
    }
    Ok(())
}
