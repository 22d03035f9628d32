//! Memory that is refused. Rust ends the process then, which a library must not: so the large amounts are asked for
//! beforehand, and whoever owns the process is called where a small one ends it.

use crate::{Kind, Refusal};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;

/// What reading a tokenizer.json and tokenizing a text take at most, but for a few hundred kilobytes.
pub const PER_FILE_BYTE: usize = 24;
pub const PER_TEXT_BYTE: usize = 128;

/// Whether so many bytes could be had now.
pub fn ask(bytes: usize) -> Result<(), Refusal> {
    let refused = || Refusal { reason: "out of memory".into(), kind: Kind::Memory };
    let layout = Layout::from_size_align(bytes.max(1), 16).map_err(|_| refused())?;
    let block = unsafe { System.alloc(layout) };
    if block.is_null() {
        return Err(refused());
    }
    unsafe { System.dealloc(block, layout) };
    Ok(())
}

static HANDLER: Mutex<Option<extern "C" fn()>> = Mutex::new(None);

/// Has `handler` called where memory is refused.
#[no_mangle]
pub extern "C" fn shoal_on_memory_refused(handler: Option<extern "C" fn()>) {
    *HANDLER.lock().unwrap_or_else(|e| e.into_inner()) = handler;
}

struct Memory;

#[global_allocator]
static MEMORY: Memory = Memory;

fn told(block: *mut u8) -> *mut u8 {
    if block.is_null() {
        let handler = *HANDLER.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(handle) = handler {
            handle()
        }
    }
    block
}

unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        told(System.alloc(layout))
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        told(System.alloc_zeroed(layout))
    }
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        told(System.realloc(block, layout, size))
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        System.dealloc(block, layout)
    }
}
