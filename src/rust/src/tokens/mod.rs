//! Hugging Face's tokenizers; `tokenizer.cpp` is their only caller.

mod bounds;
mod first_ids;
mod load;
mod pieces;
mod words;

use crate::{guarded, memory, Bytes, Kind};
use load::{PairTemplate, Tokenizer};

const LIBRARY: &str = "tokenizers";

/// Ids of many texts, or of a template: text i has `ids[ends[i - 1]..ends[i]]`. If `error` is not empty, nothing
/// else holds but `kind`.
#[derive(Default)]
pub struct Encoded {
    ids: Vec<u32>,
    ends: Vec<usize>,
    error: String,
    kind: Kind,
}

/// What C sees of an `Encoded`; valid until it is freed.
#[repr(C)]
pub struct EncodedView {
    owner: *mut Encoded,
    ids: *const u32,
    ends: *const usize,
    ends_count: usize,
    error: Bytes,
    kind: Kind,
}

fn hand_over(encoded: Encoded) -> EncodedView {
    let owner = Box::into_raw(Box::new(encoded));
    let held = unsafe { &*owner };
    EncodedView {
        owner,
        ids: held.ids.as_ptr(),
        ends: held.ends.as_ptr(),
        ends_count: held.ends.len(),
        error: Bytes::of(held.error.as_bytes()),
        kind: held.kind,
    }
}

/// Reads a tokenizer.json. On success `*out` is the tokenizer, and the result holds the template's ids: "text" 0
/// stands before a text's own ids, 1 after them, and 2 is one number, the vocabulary's size. 3, 4 and 5 stand before,
/// between and after the two texts of a pair, and 6 are the types of those ids, each text being one; without types the
/// file has no template for pairs.
///
/// # Safety
/// `json` must be valid UTF-8; `out` must be writable.
#[no_mangle]
pub unsafe extern "C" fn shoal_tokenizer_load(json: Bytes, out: *mut *mut Tokenizer) -> EncodedView {
    hand_over(match guarded(LIBRARY, || Tokenizer::from_json(json.text())) {
        Ok(tokenizer) => {
            let mut encoded = Encoded::default();
            let pair = tokenizer.pair.as_ref();
            let of_pair = |part: fn(&PairTemplate) -> &Vec<u32>| pair.map_or(&[][..], |p| part(p));
            for part in [
                &tokenizer.prefix[..],
                &tokenizer.suffix,
                &[tokenizer.vocabulary],
                of_pair(|p| &p.before),
                of_pair(|p| &p.between),
                of_pair(|p| &p.after),
                of_pair(|p| &p.types),
            ] {
                encoded.ids.extend_from_slice(part);
                encoded.ends.push(encoded.ids.len());
            }
            *out = Box::into_raw(Box::new(tokenizer));
            encoded
        }
        Err(refusal) => Encoded { error: refusal.reason, kind: refusal.kind, ..Encoded::default() },
    })
}

/// The ids of `count` texts, without special tokens; at least the first `most` of each text that has more.
///
/// # Safety
/// `tokenizer` must come from `shoal_tokenizer_load`; `texts` must be `count` pieces of valid UTF-8.
#[no_mangle]
pub unsafe extern "C" fn shoal_tokenizer_encode(
    tokenizer: *const Tokenizer,
    texts: *const Bytes,
    count: usize,
    most: usize,
) -> EncodedView {
    let tokenizer = &*tokenizer;
    let mut encoded = Encoded::default();
    let mut fresh = words::Cache::default();
    let outcome = guarded(LIBRARY, || {
        for i in 0..count {
            let text = (*texts.add(i)).text();
            if let Some(words) = &tokenizer.words {
                words::encode(&tokenizer.hf, words, &mut fresh, text, most, &mut encoded.ids)?;
                encoded.ends.push(encoded.ids.len());
                continue;
            }
            bounds::begin(text.len());
            let encoding = if tokenizer.ends_at_spaces {
                first_ids::encode(&tokenizer.hf, text, most, false)
            } else {
                first_ids::encode_whole(&tokenizer.hf, text, false)
            }?;
            encoded.ids.extend_from_slice(encoding.get_ids());
            encoded.ends.push(encoded.ids.len());
        }
        Ok(())
    });
    match outcome {
        Ok(()) => {
            if let Some(words) = &tokenizer.words {
                words.learn(fresh)
            }
        }
        Err(refusal) => (encoded.error, encoded.kind) = (refusal.reason, refusal.kind),
    }
    hand_over(encoded)
}

/// As `shoal_tokenizer_encode`, with where the ids stand: "text" i has three numbers for each id, the id itself and the
/// first byte of the text that it stands for, and the one after the last.
///
/// # Safety
/// As `shoal_tokenizer_encode`.
#[no_mangle]
pub unsafe extern "C" fn shoal_tokenizer_places(
    tokenizer: *const Tokenizer,
    texts: *const Bytes,
    count: usize,
    most: usize,
) -> EncodedView {
    let tokenizer = &*tokenizer;
    let mut encoded = Encoded::default();
    let outcome = guarded(LIBRARY, || {
        for i in 0..count {
            let text = (*texts.add(i)).text();
            bounds::begin(text.len());
            let encoding = if tokenizer.ends_at_spaces {
                first_ids::encode(&tokenizer.hf, text, most, true)
            } else {
                first_ids::encode_whole(&tokenizer.hf, text, true)
            }?;
            for (&id, &(begin, end)) in encoding.get_ids().iter().zip(encoding.get_offsets()) {
                encoded.ids.extend_from_slice(&[id, begin as u32, end as u32]);
            }
            encoded.ends.push(encoded.ids.len());
        }
        Ok(())
    });
    if let Err(refusal) = outcome {
        (encoded.error, encoded.kind) = (refusal.reason, refusal.kind);
    }
    hand_over(encoded)
}

/// The pieces that the normalizer and the pre-tokenizer make of `count` texts, one after another: "text" i is the
/// characters of piece i.
///
/// # Safety
/// As `shoal_tokenizer_encode`.
#[no_mangle]
pub unsafe extern "C" fn shoal_tokenizer_split(tokenizer: *const Tokenizer, texts: *const Bytes, count: usize) -> EncodedView {
    let tokenizer = &*tokenizer;
    let mut encoded = Encoded::default();
    let outcome = guarded(LIBRARY, || {
        for i in 0..count {
            let text = (*texts.add(i)).text();
            bounds::begin(text.len());
            memory::ask(text.len().saturating_mul(memory::PER_TEXT_BYTE))?;
            words::split(&tokenizer.hf, text, &mut encoded.ids, &mut encoded.ends)?;
        }
        Ok(())
    });
    if let Err(refusal) = outcome {
        (encoded.error, encoded.kind) = (refusal.reason, refusal.kind);
    }
    hand_over(encoded)
}

/// # Safety
/// `tokenizer` must come from `shoal_tokenizer_load` and is gone afterwards.
#[no_mangle]
pub unsafe extern "C" fn shoal_tokenizer_free(tokenizer: *mut Tokenizer) {
    let _ = guarded(LIBRARY, || {
        drop(Box::from_raw(tokenizer));
        Ok(())
    });
}

/// # Safety
/// `encoded` must be the `owner` of a result and is gone afterwards.
#[no_mangle]
pub unsafe extern "C" fn shoal_encoded_free(encoded: *mut Encoded) {
    drop(Box::from_raw(encoded));
}
