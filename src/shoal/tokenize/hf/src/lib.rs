//! Hugging Face's tokenizers behind four C functions; `tokenizer.cpp` is their only caller.
//!
//! No panic crosses the boundary: each function catches it and hands its message back. No threads are made. Memory is
//! asked for beforehand, since Rust aborts where it is refused; `memory.rs` has what remains.

mod bounds;
mod first_ids;
mod load;
mod memory;

use bounds::TooLong;
use load::{Kind, Refusal, Tokenizer};
use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Once;

/// Borrowed bytes. `data` may be dangling if `size` is 0.
#[repr(C)]
pub struct Bytes {
    data: *const u8,
    size: usize,
}

impl Bytes {
    /// The bytes must be valid UTF-8 and outlive the result.
    unsafe fn text<'a>(&self) -> &'a str {
        if self.size == 0 {
            return "";
        }
        std::str::from_utf8_unchecked(std::slice::from_raw_parts(self.data, self.size))
    }
}

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
        error: Bytes { data: held.error.as_ptr(), size: held.error.len() },
        kind: held.kind,
    }
}

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `work`; a panic becomes an error with its message instead of lines on standard error.
fn guarded<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let payload = info.payload();
            let message = payload.downcast_ref::<&str>().map(|s| s.to_string());
            let message = message.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
            let place = info.location().map(|l| format!(" ({}:{})", l.file(), l.line())).unwrap_or_default();
            PANIC.with(|p| *p.borrow_mut() = message + &place);
        }))
    });
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| match payload.is::<TooLong>() {
        true => Err(TooLong::MESSAGE.to_string().into()),
        false => Err(format!("the tokenizers library failed: {}", PANIC.with(|p| p.take())).into()),
    })
}

/// Reads a tokenizer.json. On success `*out` is the tokenizer, and the result holds the template's ids: "text" 0
/// stands before a text's own ids, 1 after them, and 2 is one number, the vocabulary's size.
///
/// # Safety
/// `json` must be valid UTF-8; `out` must be writable.
#[no_mangle]
pub unsafe extern "C" fn shoal_tokenizer_load(json: Bytes, out: *mut *mut Tokenizer) -> EncodedView {
    hand_over(match guarded(|| Tokenizer::from_json(json.text())) {
        Ok(tokenizer) => {
            let (before, after) = (tokenizer.prefix.len(), tokenizer.suffix.len());
            let ids = [&tokenizer.prefix[..], &tokenizer.suffix, &[tokenizer.vocabulary]].concat();
            *out = Box::into_raw(Box::new(tokenizer));
            Encoded { ids, ends: vec![before, before + after, before + after + 1], ..Encoded::default() }
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
    let outcome = guarded(|| {
        for i in 0..count {
            let text = (*texts.add(i)).text();
            bounds::begin(text.len());
            let encoding = if tokenizer.ends_at_spaces {
                first_ids::encode(&tokenizer.hf, text, most)
            } else {
                first_ids::encode_whole(&tokenizer.hf, text)
            }?;
            encoded.ids.extend_from_slice(encoding.get_ids());
            encoded.ends.push(encoded.ids.len());
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
    let _ = guarded(|| {
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
