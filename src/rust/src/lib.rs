//! What shoal has in Rust, in one static library, since two in one program collide: Hugging Face's tokenizers and other
//! crates behind a few C functions. Each module has one caller in C++, whose header describes the same functions.
//!
//! No panic crosses the boundary: each function catches it and hands its message back. No threads are made. Memory is
//! asked for beforehand where it is much, since Rust aborts where it is refused; `memory.rs` has what remains.

mod language;
mod memory;
mod parquet_file;
mod picture;
mod segment;
mod stop_words;
mod text_encoding;
mod tokens;

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
    /// The bytes must outlive the result.
    unsafe fn slice<'a>(&self) -> &'a [u8] {
        if self.size == 0 {
            return &[];
        }
        std::slice::from_raw_parts(self.data, self.size)
    }

    /// The bytes must be valid UTF-8 and outlive the result.
    unsafe fn text<'a>(&self) -> &'a str {
        std::str::from_utf8_unchecked(self.slice())
    }

    fn of(bytes: &[u8]) -> Bytes {
        Bytes { data: bytes.as_ptr(), size: bytes.len() }
    }
}

/// Whose fault a refusal is.
#[repr(u8)]
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Kind {
    /// The input is damaged or makes no sense.
    #[default]
    Input = 0,
    /// It may be right, but is not supported.
    Unsupported = 1,
    /// There is too little memory now.
    Memory = 2,
    /// A record is longer than was allowed.
    TooLong = 3,
    /// It has several of what one is wanted, and the caller may say which.
    Choice = 4,
}

/// Why something was refused.
pub struct Refusal {
    pub reason: String,
    pub kind: Kind,
}

impl Refusal {
    fn unsupported(reason: &str) -> Self {
        Refusal { reason: reason.into(), kind: Kind::Unsupported }
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Refusal { reason, kind: Kind::Input }
    }
}

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs `work` of the library `name`; a panic becomes an error with its message instead of lines on standard error, and
/// a `Refusal` that unwinds is handed on.
fn guarded<T>(name: &str, work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
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
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let panicked = |_| format!("the {name} library failed: {}", PANIC.with(|p| p.take())).into();
        Err(payload.downcast::<Refusal>().map_or_else(panicked, |refusal| *refusal))
    })
}
