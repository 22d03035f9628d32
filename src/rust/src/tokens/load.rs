//! From the text of a tokenizer.json to a tokenizer, with bounds on what the library is given.

use super::bounds::{self, Steps};
use super::pieces::AnyModel;
use super::words::{self, Words};
use crate::{memory, Refusal};
use tokenizers::{
    DecoderWrapper, Encoding, Model, ModelWrapper, PostProcessor, PostProcessorWrapper, PreTokenizerWrapper, Token, TokenizerImpl,
    TruncationDirection,
};

/// The library's tokenizer with a normalizer that is held to bounds.
pub type Hf = TokenizerImpl<AnyModel, Steps, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>;

/// Real files nest eight levels. The library tries every reading of each nested component, so that its time doubles
/// with each level.
const MAX_DEPTH: usize = 16;

/// Real vocabularies end near 262,000.
const MAX_ID: u32 = 1 << 24;

/// What the post-processor makes of a pair: ids before the first text, between the two and after the second, and the
/// types of all, each text being one token.
pub struct PairTemplate {
    pub before: Vec<u32>,
    pub between: Vec<u32>,
    pub after: Vec<u32>,
    pub types: Vec<u32>,
}

pub struct Tokenizer {
    pub hf: Hf,
    pub prefix: Vec<u32>,
    pub suffix: Vec<u32>,
    pub pair: Option<PairTemplate>,
    pub vocabulary: u32,
    pub ends_at_spaces: bool,
    /// None where a text's ids are not those of its words.
    pub words: Option<Words>,
}

impl Tokenizer {
    pub fn from_json(json: &str) -> Result<Self, Refusal> {
        if depth(json) > MAX_DEPTH {
            return Err(format!("it nests deeper than {MAX_DEPTH} levels").into());
        }
        memory::ask(json.len().saturating_mul(memory::PER_FILE_BYTE))?;
        check_charsmaps(json)?;
        bounds::begin(json.len()); // added tokens are normalized while they are read
        tokenizers::utils::parallelism::set_parallelism(false); // the one thread pool of the process is shoal's own
        let mut hf: Hf = json.parse().map_err(|e: tokenizers::Error| e.to_string())?;
        if hf.get_truncation().is_some_and(|t| t.direction == TruncationDirection::Left) {
            return Err(Refusal::unsupported("its truncation has the direction Left; shoal keeps the beginning of texts"));
        }
        if let AnyModel::Theirs(model) = hf.get_model() {
            if matches!(model, ModelWrapper::BPE(bpe) if bpe.dropout.is_some_and(|p| p > 0.0)) {
                return Err(Refusal::unsupported("its model has a dropout above 0, which makes ids random"));
            }
            bounds::check_model(model)?;
        }
        hf.get_pre_tokenizer().map_or(Ok(()), bounds::check_pre_tokenizer)?;
        // Lengths are decided call by call, whatever the file says.
        hf.with_padding(None).with_truncation(None).map_err(|e| e.to_string())?;
        let largest = largest_id(&hf).ok_or("the vocabulary is empty".to_string())?;
        if largest >= MAX_ID {
            return Err(format!("it has a token with id {largest}; allowed are ids below {MAX_ID}").into());
        }
        let (prefix, suffix) = template(&hf)?;
        let pair = pair_template(&hf);
        let ends_at_spaces = super::first_ids::ends_at_spaces(&hf);
        let words = words::are_independent(&hf).then(Words::default);
        Ok(Self { hf, prefix, suffix, pair, vocabulary: largest + 1, ends_at_spaces, words })
    }
}

fn largest_id(hf: &Hf) -> Option<u32> {
    let of_model = match hf.get_model() {
        AnyModel::Ours(pieces) => pieces.largest_id(),
        AnyModel::Theirs(model) => model.get_vocab().into_values().max(),
    };
    of_model.max(hf.get_added_tokens_decoder().keys().copied().max())
}

/// What the post-processor puts before and after a text: found by having it process one token that cannot be real.
fn template(hf: &Hf) -> Result<(Vec<u32>, Vec<u32>), Refusal> {
    const MARK: u32 = u32::MAX;
    let Some(processor) = hf.get_post_processor() else {
        return Ok((vec![], vec![]));
    };
    let encoding = processor.process(one_token(MARK, 0), None, true).map_err(|e| e.to_string())?;
    if encoding.get_type_ids().iter().any(|&id| id != 0) {
        return Err(Refusal::unsupported("its post-processor gives a type_id other than 0; shoal gives every token type 0"));
    }
    let framed = encoding.get_ids();
    let at: Vec<usize> = (0..framed.len()).filter(|&i| framed[i] == MARK).collect();
    match at[..] {
        [at] => Ok((framed[..at].to_vec(), framed[at + 1..].to_vec())),
        _ => Err(format!("its post-processor repeats or drops the text ({} times)", at.len()).into()),
    }
}

/// None where a pair is not one text after the other.
fn pair_template(hf: &Hf) -> Option<PairTemplate> {
    const FIRST: u32 = u32::MAX;
    const SECOND: u32 = u32::MAX - 1;
    let (first, second) = (one_token(FIRST, 0), one_token(SECOND, 1));
    let encoding = match hf.get_post_processor() {
        Some(processor) => processor.process(first, Some(second), true).ok()?,
        None => Encoding::merge([first, second], false),
    };
    let ids = encoding.get_ids();
    let only = |mark: u32| {
        let mut places = (0..ids.len()).filter(|&i| ids[i] == mark);
        places.next().filter(|_| places.next().is_none())
    };
    let (a, b) = (only(FIRST)?, only(SECOND)?);
    (a < b).then(|| PairTemplate {
        before: ids[..a].to_vec(),
        between: ids[a + 1..b].to_vec(),
        after: ids[b + 1..].to_vec(),
        types: encoding.get_type_ids().to_vec(),
    })
}

fn one_token(id: u32, type_id: u32) -> Encoding {
    Encoding::from_tokens(vec![Token::new(id, "x".into(), (0, 1))], type_id)
}

/// The deepest nesting of brackets outside strings.
fn depth(json: &str) -> usize {
    let (mut now, mut most, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => now += 1,
            b'}' | b']' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// The strings of a JSON text, as they are written, without the quotes.
fn strings(json: &str) -> impl Iterator<Item = &str> {
    let mut rest = json;
    std::iter::from_fn(move || {
        let begin = rest.find('"')? + 1;
        let bytes = rest.as_bytes();
        let mut end = begin;
        while *bytes.get(end)? != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let string = &rest[begin..end];
        rest = &rest[end + 1..];
        Some(string)
    })
}

fn check_charsmaps(json: &str) -> Result<(), String> {
    const NAME: &str = "precompiled_charsmap";
    let plain = |s: &str| match s.contains('\\') {
        true => serde_json::from_str::<String>(&format!("\"{s}\"")).unwrap_or_default(),
        false => s.to_string(),
    };
    let mut is_named = false;
    for string in strings(json) {
        if is_named {
            bounds::check_charsmap(&plain(string))?;
        }
        is_named = match string.contains('\\') {
            true => string.len() < 200 && plain(string) == NAME,
            false => string == NAME,
        };
    }
    Ok(())
}
