//! From the text of a tokenizer.json to a tokenizer: bounds first, then the library's own upgrade and reader.

use crate::Encoded;
use serde_json::Value;
use tokenizers::pipeline::{PipelineToken, PipelineTokenizer};

/// Real vocabularies end near 262,000. The library makes tables as long as the largest id, and a failed
/// allocation would end the process.
const MAX_ID: u64 = 1 << 24;

pub struct Tokenizer {
    pub pipeline: PipelineTokenizer,
    vocabulary: u32,
}

impl Tokenizer {
    pub fn from_json(json: &str) -> Result<Self, String> {
        // serde_json refuses more than 128 levels, so that no depth of nesting reaches the stack's end.
        let mut config: Value = serde_json::from_str(json).map_err(|e| format!("not JSON: {e}"))?;
        // Lengths are decided call by call, whatever the file says.
        if let Some(root) = config.as_object_mut() {
            root.remove("truncation");
            root.remove("padding");
        }
        let largest = largest_id(&config)?;
        tokenizers::canonicalize_value(&mut config).map_err(|e| e.to_string())?;
        let canonical = serde_json::to_string(&config).map_err(|e| e.to_string())?;
        drop(config);
        let pipeline = tokenizers::from_json(&canonical).map_err(|e| e.to_string())?;
        let added = pipeline.get_added_vocabulary().get_added_tokens_decoder();
        let largest = added.keys().map(|&id| u64::from(id)).chain(largest).max();
        let vocabulary = largest.ok_or("the vocabulary is empty")? as u32 + 1;
        Ok(Self { pipeline, vocabulary })
    }

    /// Before a text's own ids, after them, and the size of the vocabulary.
    pub fn template(&self) -> Encoded {
        let single = &self.pipeline.get_post_processor().single;
        let mut ids: Vec<PipelineToken> = single.prefix.iter().map(|&(id, _)| id).collect();
        let prefix = ids.len();
        ids.extend(single.suffix.iter().map(|&(id, _)| id));
        let suffix = ids.len();
        ids.push(self.vocabulary.into());
        Encoded { ids, ends: vec![prefix, suffix, suffix + 1], ..Encoded::default() }
    }
}

/// The largest id that the model's vocabulary names; None if it names none.
fn largest_id(config: &Value) -> Result<Option<u64>, String> {
    let check = |id: Option<u64>, token: &str| match id {
        Some(id) if id < MAX_ID => Ok(id),
        Some(id) => Err(format!("token {token:?} has id {id}; allowed are ids below {MAX_ID}")),
        None => Err(format!("token {token:?} has no whole number as its id")),
    };
    let mut largest = None;
    match config.get("model").and_then(|m| m.get("vocab")) {
        Some(Value::Object(vocab)) => {
            for (token, id) in vocab {
                largest = largest.max(Some(check(id.as_u64(), token)?));
            }
        }
        Some(Value::Array(vocab)) if !vocab.is_empty() => largest = Some(check(Some(vocab.len() as u64 - 1), "last")?),
        _ => {}
    }
    Ok(largest)
}
