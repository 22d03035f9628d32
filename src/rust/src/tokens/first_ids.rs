//! The first ids of a long text, from its beginning alone: tokenizing takes about a hundred bytes for each of the
//! text, and most ids of a long text are cut off afterwards.

use super::load::Hf;
use crate::{memory, Refusal};
use tokenizers::{Encoding, NormalizedString, Normalizer, NormalizerWrapper, PreTokenizerWrapper};

/// So many bytes a wanted id are tried first: more than nearly all texts have.
const BYTES_PER_ID: usize = 64;

/// Whether a text's ids up to a place that `beginning` finds do not depend on what follows there. So it is if the
/// normalizer works on a few characters at a time and leaves spaces where they are, the text is first split at
/// spaces (later steps see one piece at a time), and no added token holds a space.
pub fn ends_at_spaces(hf: &Hf) -> bool {
    let normalized = |text: &str| {
        let mut out = NormalizedString::from(text);
        let done = hf.get_normalizer().map_or(Ok(()), |n| n.normalize(&mut out));
        done.map(|()| out.get().to_string()).unwrap_or_default()
    };
    let holds_space = |text: &str| text.contains(char::is_whitespace);
    hf.get_normalizer().is_none_or(|n| n.as_slice().iter().all(is_near_sighted))
        && normalized("a b") == "a b"
        && hf.get_pre_tokenizer().is_some_and(splits_at_spaces)
        && !hf.get_added_tokens_decoder().values().any(|t| holds_space(&t.content) || holds_space(&normalized(&t.content)))
}

fn is_near_sighted(step: &NormalizerWrapper) -> bool {
    use NormalizerWrapper::*;
    !matches!(step, Replace(_) | Prepend(_) | ByteLevel(_))
}

fn splits_at_spaces(step: &PreTokenizerWrapper) -> bool {
    match step {
        PreTokenizerWrapper::BertPreTokenizer(_)
        | PreTokenizerWrapper::Whitespace(_)
        | PreTokenizerWrapper::WhitespaceSplit(_) => true,
        PreTokenizerWrapper::ByteLevel(bytes) => bytes.use_regex,
        PreTokenizerWrapper::Metaspace(spaces) => spaces.split,
        PreTokenizerWrapper::Sequence(steps) => steps.as_ref().first().is_some_and(splits_at_spaces),
        _ => false,
    }
}

/// The longest beginning of at most `most` bytes that ends between an ASCII letter or digit and a space before
/// another visible ASCII character: marks, joiners and runs of blanks are left whole.
fn beginning(text: &str, most: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    (1..=most.min(bytes.len().saturating_sub(2)))
        .rev()
        .find(|&i| bytes[i - 1].is_ascii_alphanumeric() && bytes[i] == b' ' && bytes[i + 1].is_ascii_graphic())
        .map(|i| &text[..i])
}

/// All ids of a text; `places`: with where in the text they stand.
pub fn encode_whole(hf: &Hf, text: &str, places: bool) -> Result<Encoding, Refusal> {
    memory::ask(text.len().saturating_mul(memory::PER_TEXT_BYTE))?;
    let encoding = if places { hf.encode(text, false) } else { hf.encode_fast(text, false) };
    encoding.map_err(|e| e.to_string().into())
}

/// Ids of a text of which only the first `most` are wanted: more may come. `hf` must end at spaces.
pub fn encode(hf: &Hf, text: &str, most: usize, places: bool) -> Result<Encoding, Refusal> {
    let mut size = most.saturating_mul(BYTES_PER_ID);
    while size < text.len() {
        if let Some(start) = beginning(text, size) {
            let encoding = encode_whole(hf, start, places)?;
            if encoding.len() >= most {
                return Ok(encoding);
            }
        }
        size = size.saturating_mul(4);
    }
    encode_whole(hf, text, places)
}
