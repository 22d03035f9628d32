//! From the text of a tokenizer.json to a tokenizer, with bounds on what the library is given.

use tokenizers::{Encoding, PostProcessorWrapper, Tokenizer as Hf};

/// Real files nest eight levels. The library tries every reading of each nested component, so that its time doubles
/// with each level.
const MAX_DEPTH: usize = 16;

/// Real vocabularies end near 262,000.
const MAX_ID: u32 = 1 << 24;

pub struct Tokenizer {
    pub hf: Hf,
    pub prefix: Vec<u32>,
    pub suffix: Vec<u32>,
    pub vocabulary: u32,
}

impl Tokenizer {
    pub fn from_json(json: &str) -> Result<Self, String> {
        if depth(json) > MAX_DEPTH {
            return Err(format!("it nests deeper than {MAX_DEPTH} levels"));
        }
        tokenizers::utils::parallelism::set_parallelism(false); // the one thread pool of the process is shoal's own
        let mut hf: Hf = json.parse().map_err(|e: tokenizers::Error| e.to_string())?;
        // Lengths are decided call by call, whatever the file says.
        hf.with_padding(None).with_truncation(None).map_err(|e| e.to_string())?;
        let largest = hf.get_vocab(true).into_values().max().ok_or("the vocabulary is empty")?;
        if largest >= MAX_ID {
            return Err(format!("it has a token with id {largest}; allowed are ids below {MAX_ID}"));
        }
        let (prefix, suffix) = template(&hf)?;
        Ok(Self { hf, prefix, suffix, vocabulary: largest + 1 })
    }
}

/// What the post-processor puts before and after a text: found by having it process one token that cannot be real.
fn template(hf: &Hf) -> Result<(Vec<u32>, Vec<u32>), String> {
    const MARK: u32 = u32::MAX;
    let Some(processor) = hf.get_post_processor() else {
        return Ok((vec![], vec![]));
    };
    let framed = process(processor, MARK)?;
    let at: Vec<usize> = (0..framed.len()).filter(|&i| framed[i] == MARK).collect();
    match at[..] {
        [at] => Ok((framed[..at].to_vec(), framed[at + 1..].to_vec())),
        _ => Err(format!("its post-processor repeats or drops the text ({} times)", at.len())),
    }
}

fn process(processor: &PostProcessorWrapper, id: u32) -> Result<Vec<u32>, String> {
    use tokenizers::{PostProcessor, Token};
    let one = Encoding::from_tokens(vec![Token::new(id, "x".into(), (0, 1))], 0);
    let encoding = processor.process(one, None, true).map_err(|e| e.to_string())?;
    Ok(encoding.get_ids().to_vec())
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
