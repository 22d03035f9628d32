//! Lists of stop words; `stop_words.cpp` is their only caller.

use crate::Bytes;

/// Lists that are no function words: words of a year's news.
const REFUSED: [&str; 1] = ["ms"];

/// The list of a language, by its ISO 639-1 code: that of NLTK, else that of stopwords-iso; empty if there is none.
pub fn list(code: &str) -> &'static [&'static str] {
    if REFUSED.contains(&code) {
        return &[];
    }
    stop_words::lookup(code).unwrap_or_default()
}

/// Word `index` of the language's list, empty past the last.
///
/// # Safety
/// `code` must be valid UTF-8.
#[no_mangle]
pub unsafe extern "C" fn shoal_stop_word(code: Bytes, index: usize) -> Bytes {
    Bytes::of(list(code.text()).get(index).map_or("", |w| w).as_bytes())
}
