//! Bounds on what a tokenizer.json may have the library do with a text. A normalizer that is not ours can make any
//! length of any text, and the library neither asks for memory that may be refused nor passes on a normalizer's error.

use crate::Refusal;
use serde::{Deserialize, Deserializer};
use std::cell::Cell;
use std::panic::resume_unwind;
use tokenizers::normalizers::{Prepend, Replace};
use tokenizers::{Decoder, ModelWrapper, NormalizedString, Normalizer, NormalizerWrapper, PreTokenizerWrapper, Result};

/// A text's normal form may have so many bytes for each of its own, and so many more. Of real normalizers NFKD lengthens
/// most: to 11 times, and no text but U+FDFA alone.
const GROWTH: usize = 32;
const EXTRA: usize = 1 << 16;

/// Real files have up to ten steps, of which one or two lengthen.
const MOST_STEPS: usize = 256;
const MOST_LENGTHENING: usize = 4;

/// The longest string that real precompiled_charsmaps put for a character has 33 bytes; prefixes, suffixes and unknown
/// tokens of real models have fewer than 16.
const LONGEST_STRING: usize = 64;

/// WordPiece takes the third power of a word's length; real models say 100.
const LONGEST_WORD: usize = 1000;

thread_local! {
    static LEFT: Cell<usize> = const { Cell::new(0) };
}

/// The texts that this thread normalizes next have so many bytes in all.
pub fn begin(bytes: usize) {
    LEFT.set(bytes.saturating_mul(GROWTH).saturating_add(EXTRA));
}

/// Unwinds out of a normalizer.
fn too_long() -> ! {
    let reason = format!("its normalizer makes more than {GROWTH} bytes of each byte");
    resume_unwind(Box::new(Refusal::from(reason)))
}

/// A normalizer as its single steps, each held to what is left.
#[derive(Clone)]
pub struct Steps(Vec<NormalizerWrapper>);

impl Steps {
    pub fn as_slice(&self) -> &[NormalizerWrapper] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let (mut open, mut steps) = (vec![NormalizerWrapper::deserialize(from)?], vec![]);
        while let Some(step) = open.pop() {
            match step {
                NormalizerWrapper::Sequence(inner) => open.extend(inner.as_ref().iter().rev().cloned()),
                single => steps.push(single),
            }
        }
        check_count(steps.len(), MOST_STEPS, "normalizer").map_err(serde::de::Error::custom)?;
        Ok(Self(steps))
    }
}

impl Normalizer for Steps {
    fn normalize(&self, text: &mut NormalizedString) -> Result<()> {
        let left = LEFT.get();
        let hold = |length: usize| if length > left { too_long() };
        for step in &self.0 {
            match step {
                NormalizerWrapper::Replace(replace) => hold(length_replaced(replace, text.get(), left)?),
                NormalizerWrapper::Prepend(Prepend { prepend }) => hold(text.len() + prepend.len()),
                NormalizerWrapper::Precompiled(map) if text.len().saturating_mul(LONGEST_STRING) > left => {
                    hold(map.normalize_string(text.get()).len())
                }
                _ => {} // makes at most 12 bytes of one
            }
            step.normalize(text)?;
            hold(text.len());
        }
        LEFT.set(left - text.len());
        Ok(())
    }
}

/// The length of a text after a replacement; counted only if it might be over `enough`.
fn length_replaced(replace: &Replace, text: &str, enough: usize) -> Result<usize> {
    let each = replace.content.len();
    let most = text.len().saturating_add((text.len() + 1).saturating_mul(each));
    if most <= enough {
        return Ok(most);
    }
    let length_with = |content: &str| -> Result<usize> {
        let mut other = replace.clone();
        other.content = content.into();
        Ok(other.decode_chain(vec![text.into()])?[0].len())
    };
    let kept = length_with("")?;
    Ok((length_with("x")? - kept).saturating_mul(each).saturating_add(kept))
}

fn check_count(count: usize, most: usize, what: &str) -> std::result::Result<(), String> {
    (count <= most).then_some(()).ok_or(format!("its {what} has {count} steps; allowed are {most}"))
}

pub fn check_pre_tokenizer(whole: &PreTokenizerWrapper) -> std::result::Result<(), String> {
    let (mut open, mut steps, mut lengthening) = (vec![whole], 0, 0);
    while let Some(step) = open.pop() {
        match step {
            PreTokenizerWrapper::Sequence(inner) => open.extend(inner.as_ref()),
            PreTokenizerWrapper::ByteLevel(_) | PreTokenizerWrapper::Metaspace(_) => lengthening += 1,
            _ => steps += 1,
        }
    }
    check_count(lengthening, MOST_LENGTHENING, "pre-tokenizer with ByteLevel or Metaspace")?;
    check_count(steps + lengthening, MOST_STEPS, "pre-tokenizer")
}

/// The model's strings that are copied for each word or letter, and the words that it looks into.
pub fn check_model(model: &ModelWrapper) -> std::result::Result<(), String> {
    let (strings, word) = match model {
        ModelWrapper::WordPiece(m) => {
            (vec![&m.unk_token, &m.continuing_subword_prefix], m.max_input_chars_per_word)
        }
        ModelWrapper::WordLevel(m) => (vec![&m.unk_token], 0),
        ModelWrapper::BPE(m) => {
            ([&m.unk_token, &m.continuing_subword_prefix, &m.end_of_word_suffix].into_iter().flatten().collect(), 0)
        }
        ModelWrapper::Unigram(_) => (vec![], 0),
    };
    if let Some(long) = strings.iter().map(|s| s.len()).find(|&n| n > LONGEST_STRING) {
        return Err(format!("its model has an unknown token, prefix or suffix of {long} bytes; allowed are {LONGEST_STRING}"));
    }
    if word > LONGEST_WORD {
        return Err(format!("its model has max_input_chars_per_word {word}; allowed are {LONGEST_WORD}"));
    }
    Ok(())
}

/// A precompiled_charsmap, in base64: the trie's size in four bytes, the trie, and what is put for characters, each string
/// up to a zero byte. The library makes room for the trie as the first four bytes ask, up to 8 GB, before it looks
/// whether so much is there.
pub fn check_charsmap(base64: &str) -> std::result::Result<(), String> {
    let map = base64::decode(base64).unwrap_or_default(); // the library refuses it then
    let Some((size, rest)) = map.split_first_chunk::<4>() else { return Ok(()) };
    let Some(strings) = rest.get(u32::from_le_bytes(*size) as usize..) else {
        return Err("its precompiled_charsmap is shorter than it says".into());
    };
    match strings.split(|&b| b == 0).map(<[u8]>::len).find(|&n| n > LONGEST_STRING) {
        Some(n) => Err(format!("its precompiled_charsmap puts {n} bytes for a character; allowed are {LONGEST_STRING}")),
        None => Ok(()),
    }
}
