//! Words of the scripts that are written without blanks, by the dictionaries of ICU4X; `segment.cpp` is the only
//! caller. Not by its LSTM models: these part Thai, Lao and Burmese worse, and take longer.

use crate::{guarded, Bytes};
use icu_segmenter::{WordSegmenter, WordSegmenterBorrowed};
use std::sync::OnceLock;

/// Writes where each word of `text` ends to `ends`, ascending, the last its size. The result is their number, SIZE_MAX
/// if the library failed.
///
/// # Safety
/// `text` must be valid UTF-8; `ends` must have room for one number a byte.
#[no_mangle]
pub unsafe extern "C" fn shoal_segment(text: Bytes, ends: *mut usize) -> usize {
    static SEGMENTER: OnceLock<WordSegmenterBorrowed<'static>> = OnceLock::new();
    guarded("segmenter", || {
        let segmenter = SEGMENTER.get_or_init(|| WordSegmenter::new_dictionary(Default::default()));
        let mut count = 0;
        for end in segmenter.segment_str(text.text()).filter(|end| *end > 0) {
            *ends.add(count) = end;
            count += 1;
        }
        Ok(count)
    })
    .unwrap_or(usize::MAX)
}
