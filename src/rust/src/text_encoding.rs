//! Encodings of files: chardetng guesses one, encoding_rs turns the bytes into UTF-8; `text_encoding.cpp` is their only
//! caller. UTF-32, which the web does not know, is decoded here.

use crate::{guarded, Bytes};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, Encoding};

const LIBRARY: &str = "encoding_rs";
const WIDE: [&str; 2] = ["UTF-32LE", "UTF-32BE"];
/// What stands for bytes that mean nothing: no byte of UTF-8, so whoever checks it finds the place.
const BAD: u8 = 0xFF;
/// Room for any character and BAD.
const LEAST: usize = 8;

/// A guess, and how its reading of the bytes looks, in characters.
#[repr(C)]
#[derive(Default)]
pub struct Guess {
    /// As the WHATWG writes it; a static text.
    name: Bytes,
    /// All that are not ASCII, ill-formed places among them.
    foreign: usize,
    /// Of those: no text has them there. Ill-formed places, controls, private use, marks that nothing bears, letters that
    /// touch no other letter.
    odd: usize,
}

impl Default for Bytes {
    fn default() -> Self {
        Bytes::of(&[])
    }
}

/// What is written in many languages between letters.
fn is_common_mark(c: char) -> bool {
    matches!(c, '\u{A0}'..='\u{BF}' | '\u{D7}' | '\u{F7}' | '\u{2010}'..='\u{2026}' | '\u{2030}'..='\u{203A}'
        | '\u{20A0}'..='\u{20BF}' | '\u{2100}'..='\u{22FF}' | '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FFEF}'
        | '\u{2460}'..='\u{24FF}' | '\u{25A0}'..='\u{266F}')
}

fn is_dense(c: char) -> bool {
    matches!(c, '\u{E00}'..='\u{E7F}' | '\u{2E80}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FFEF}'
        | '\u{20000}'..)
}

fn assess(name: &'static str, text: &str) -> Guess {
    let (mut foreign, mut odd) = (0, 0);
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if !c.is_ascii() {
            foreign += 1;
            let behind = chars.peek().copied().unwrap_or(' ');
            let joined = before.is_alphabetic() || behind.is_alphabetic();
            let fits = if is_dense(c) || ('\u{370}'..='\u{5FF}').contains(&c) {
                true
            } else if c.is_alphabetic() {
                // A capital within a word of small letters is none; some letters are words by themselves.
                let edge = |c: char| c.is_whitespace() || c.is_ascii_punctuation() || is_common_mark(c);
                joined && !(c.is_uppercase() && before.is_lowercase())
                    || edge(before) && edge(behind) && "àèìòùáéíóúâêîôûäöüåøæýÀÈÌÒÙÁÉÍÓÚÂÊÔÄÖÜÅØÆ".contains(c)
            } else {
                is_common_mark(c) && !(before.is_alphabetic() && behind.is_alphabetic())
                    || matches!(c, '’' | '·' | '\u{2010}'..='\u{2015}' | '\u{AD}' | '…' | '/')
                    || ('\u{300}'..='\u{36F}').contains(&c)
                    || ('\u{600}'..='\u{6FF}').contains(&c)
            };
            odd += usize::from(!fits);
        }
        before = c;
    }
    Guess { name: Bytes::of(name.as_bytes()), foreign, odd }
}

/// What chardetng takes `bytes` for, UTF-8 apart. `whole`: the text ends with them. An empty name: it failed.
///
/// # Safety
/// `bytes` must be readable.
#[no_mangle]
pub unsafe extern "C" fn shoal_encoding_guess(bytes: Bytes, whole: bool) -> Guess {
    guarded(LIBRARY, || {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
        detector.feed(bytes.slice(), whole);
        let encoding = detector.guess(None, Utf8Detection::Deny);
        let mut decoder = encoding.new_decoder_without_bom_handling();
        let mut text = String::with_capacity(bytes.slice().len() * 3 + 16);
        let _ = decoder.decode_to_string(bytes.slice(), &mut text, whole);
        Ok(assess(encoding.name(), &text))
    })
    .unwrap_or_default()
}

/// Names that Python and Windows use, beyond the labels of the WHATWG.
fn other_label(label: &str) -> Option<&'static str> {
    Some(match label {
        "latin-1" | "8859" => "windows-1252",
        "utf-8-sig" => "UTF-8",
        "utf16" | "utf-16-le" | "utf16le" => "UTF-16LE",
        "utf-16-be" | "utf16be" => "UTF-16BE",
        "utf-32" | "utf32" | "utf-32le" | "utf-32-le" | "utf32le" => WIDE[0],
        "utf-32be" | "utf-32-be" | "utf32be" => WIDE[1],
        "cp932" | "ms-kanji" => "Shift_JIS",
        "cp936" => "GBK",
        "cp949" | "uhc" => "EUC-KR",
        "cp950" => "Big5",
        "koi8r" => "KOI8-R",
        "koi8u" => "KOI8-U",
        "mac-roman" | "macroman" => "macintosh",
        "mac-cyrillic" => "x-mac-cyrillic",
        _ => return None,
    })
}

/// The name of the encoding that `label` means, upper or lower case alike; empty: none. A static text.
///
/// # Safety
/// `label` must be readable.
#[no_mangle]
pub unsafe extern "C" fn shoal_encoding_named(label: Bytes) -> Bytes {
    guarded(LIBRARY, || {
        let label = String::from_utf8_lossy(label.slice()).trim().to_ascii_lowercase();
        let found = [label.clone(), label.replace('_', "-"), label.replace(['_', ' '], "")];
        for l in &found {
            if let Some(name) = other_label(l) {
                return Ok(Bytes::of(name.as_bytes()));
            }
            if let Some(encoding) = Encoding::for_label_no_replacement(l.as_bytes()) {
                if encoding != encoding_rs::X_USER_DEFINED {
                    return Ok(Bytes::of(encoding.name().as_bytes()));
                }
            }
        }
        Ok(Bytes::default())
    })
    .unwrap_or_default()
}

/// Bytes of one encoding, piece by piece, into UTF-8.
pub enum Decoder {
    Web(Box<encoding_rs::Decoder>),
    Wide { big: bool, held: [u8; 4], count: usize },
}

/// What one piece gave.
#[repr(C)]
#[derive(Default)]
pub struct Decoded {
    /// Bytes of the source that are done with.
    read: usize,
    /// Bytes written.
    written: usize,
    /// Places that mean nothing, each written as the byte FF.
    bad: usize,
    /// All of the source is done with; false: there was no room left.
    done: bool,
    /// It failed, and nothing else holds.
    failed: bool,
}

/// A decoder for the encoding of this name, as `shoal_encoding_named` gives it; null: none. It keeps a byte order mark.
///
/// # Safety
/// `name` must be readable.
#[no_mangle]
pub unsafe extern "C" fn shoal_decoder_new(name: Bytes) -> *mut Decoder {
    guarded(LIBRARY, || {
        let name = String::from_utf8_lossy(name.slice()).into_owned();
        let decoder = if let Some(i) = WIDE.iter().position(|w| *w == name) {
            Decoder::Wide { big: i == 1, held: [0; 4], count: 0 }
        } else {
            let encoding = Encoding::for_label(name.as_bytes()).ok_or_else(|| name + ": no encoding")?;
            Decoder::Web(Box::new(encoding.new_decoder_without_bom_handling()))
        };
        Ok(Box::into_raw(Box::new(decoder)))
    })
    .unwrap_or(std::ptr::null_mut())
}

impl Decoder {
    fn feed(&mut self, from: &[u8], last: bool, to: &mut [u8]) -> Decoded {
        match self {
            Decoder::Web(decoder) => feed_web(decoder, from, last, to),
            Decoder::Wide { big, held, count } => feed_wide(*big, held, count, from, last, to),
        }
    }
}

fn feed_web(decoder: &mut encoding_rs::Decoder, from: &[u8], last: bool, to: &mut [u8]) -> Decoded {
    let mut out = Decoded::default();
    loop {
        if out.written + LEAST > to.len() {
            return out;
        }
        let most = to.len() - 1; // one byte is left for BAD
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(&from[out.read..], &mut to[out.written..most], last);
        out.read += read;
        out.written += written;
        match result {
            DecoderResult::InputEmpty => out.done = true,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(_, _) => {
                to[out.written] = BAD;
                out.written += 1;
                out.bad += 1;
                continue;
            }
        }
        return out;
    }
}

fn feed_wide(
    big: bool,
    held: &mut [u8; 4],
    count: &mut usize,
    from: &[u8],
    last: bool,
    to: &mut [u8],
) -> Decoded {
    let mut out = Decoded::default();
    while out.written + LEAST <= to.len() && out.read < from.len() {
        held[*count] = from[out.read];
        *count += 1;
        out.read += 1;
        if *count < 4 {
            continue;
        }
        *count = 0;
        let value = if big { u32::from_be_bytes(*held) } else { u32::from_le_bytes(*held) };
        if let Some(c) = char::from_u32(value) {
            out.written += c.encode_utf8(&mut to[out.written..]).len();
        } else {
            to[out.written] = BAD;
            out.written += 1;
            out.bad += 1;
        }
    }
    if last && out.read == from.len() && *count > 0 && out.written + LEAST <= to.len() {
        *count = 0;
        to[out.written] = BAD;
        out.written += 1;
        out.bad += 1;
    }
    out.done = out.read == from.len() && !(last && *count > 0);
    out
}

/// Decodes what fits of `from` into `to`; `last`: nothing follows `from`. `room` must be at least 8. After the last piece
/// is done it must not be called again.
///
/// # Safety
/// `decoder` must come from `shoal_decoder_new`; `to` must have `room` bytes.
#[no_mangle]
pub unsafe extern "C" fn shoal_decoder_feed(
    decoder: *mut Decoder,
    from: Bytes,
    last: bool,
    to: *mut u8,
    room: usize,
) -> Decoded {
    guarded(LIBRARY, || Ok((*decoder).feed(from.slice(), last, std::slice::from_raw_parts_mut(to, room))))
        .unwrap_or(Decoded { failed: true, ..Decoded::default() })
}

/// # Safety
/// `decoder` must come from `shoal_decoder_new` and is gone afterwards.
#[no_mangle]
pub unsafe extern "C" fn shoal_decoder_free(decoder: *mut Decoder) {
    let _ = guarded(LIBRARY, || {
        drop(Box::from_raw(decoder));
        Ok(())
    });
}
