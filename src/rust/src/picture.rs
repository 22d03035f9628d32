//! SVG to PNG, and which letters the installed fonts have; `png.cpp` is the only caller.
//!
//! The same SVG and the same fonts give the same bytes: faces are ordered by their names, not as folders list them.

use crate::{guarded, Bytes, Kind, Refusal};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::{Database, FaceInfo, Family, Query, Stretch, Style, Weight, ID};
use resvg::usvg::{FontResolver, Options, Tree};
use skrifa::raw::TableProvider;
use skrifa::{FontRef, MetadataProvider};
use std::collections::HashMap;
use std::sync::Arc;
use unicode_script::UnicodeScript;

const LIBRARY: &str = "resvg";

/// Families to write with, the first that is installed; where none is, the first with Latin letters.
const LIKED: [&str; 9] = [
    "Inter", "Noto Sans", "Open Sans", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans",
];

/// A picture may have so many pixels: a gigabyte of memory.
const MOST_PIXELS: u64 = 1 << 28;

/// Fonts with outlines, best first.
pub struct Fonts {
    database: Arc<Database>,
    order: Vec<ID>,
    family: String,
    found: HashMap<char, bool>,
}

fn family_of(face: &FaceInfo) -> &str {
    face.families.first().map_or("", |(name, _)| name)
}

/// Smaller is better where a letter is looked for: plain sans-serif faces, then the rest by their names.
fn rank(face: &FaceInfo) -> (bool, bool, usize, bool, String, u16, String, u32) {
    let family = family_of(face);
    let liked = LIKED.iter().position(|name| *name == family).unwrap_or(LIKED.len());
    (
        face.style != Style::Normal || face.stretch != Stretch::Normal,
        face.monospaced,
        liked,
        !family.contains("Sans"),
        family.to_string(),
        face.weight.0,
        face.post_script_name.clone(),
        face.index,
    )
}

/// What a face has of outlines and letters.
fn with_font<T>(database: &Database, id: ID, look: impl Fn(&FontRef) -> T) -> Option<T> {
    database.with_face_data(id, |data, index| FontRef::from_index(data, index).ok().map(|font| look(&font))).flatten()
}

fn has_char(database: &Database, id: ID, c: char) -> bool {
    with_font(database, id, |font| font.charmap().map(c).is_some_and(|glyph| glyph.to_u32() != 0)).unwrap_or(false)
}

/// What is not drawn, whatever the font: spaces, controls, joiners, marks of direction, selectors of variants.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c as u32, 0xad | 0x34f | 0x61c | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e
            | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe0fff)
}

impl Fonts {
    /// Those of a folder, or the system's where `folder` is empty.
    fn load(folder: &str) -> Self {
        let mut database = Database::new();
        if folder.is_empty() {
            database.load_system_fonts();
        } else {
            database.load_fonts_dir(folder);
        }
        let outlined = |id| with_font(&database, id, |font| font.glyf().is_ok() || font.cff().is_ok() || font.cff2().is_ok());
        let without: Vec<ID> = database.faces().map(|f| f.id).filter(|&id| outlined(id) != Some(true)).collect();
        without.into_iter().for_each(|id| database.remove_face(id));
        let mut faces: Vec<&FaceInfo> = database.faces().collect();
        faces.sort_by_cached_key(|face| rank(face));
        let latin = faces.iter().find(|face| has_char(&database, face.id, 'a') && has_char(&database, face.id, 'Z'));
        let family = latin.or(faces.first()).map_or(String::new(), |face| family_of(face).to_string());
        let order = faces.iter().map(|face| face.id).collect();
        Fonts { database: Arc::new(database), order, family, found: HashMap::new() }
    }

    fn has(&mut self, c: char) -> bool {
        let (database, order) = (&self.database, &self.order);
        *self.found.entry(c).or_insert_with(|| is_invisible(c) || order.iter().any(|&id| has_char(database, id, c)))
    }

    fn draw(&self, svg: &str, width: u32) -> Result<Vec<u8>, Refusal> {
        let order = self.order.clone();
        let family = self.family.clone();
        let options = Options {
            font_family: family.clone(),
            fontdb: self.database.clone(),
            font_resolver: FontResolver {
                // All text is in one family: the drawing names none but generic ones.
                select_font: Box::new(move |font, database| {
                    let families = [Family::Name(&family)];
                    database.query(&Query { families: &families, weight: Weight(font.weight()), ..Query::default() })
                }),
                select_fallback: Box::new(move |c, used, database| {
                    let weight = used.first().and_then(|&id| database.face(id)).map_or(400, |face| face.weight.0);
                    let fits = |id: &&ID| !used.contains(id) && has_char(database, **id, c);
                    let first = *order.iter().find(fits)?;
                    // The same family in the weight that is asked for, if it has one.
                    let families = [Family::Name(family_of(database.face(first)?))];
                    let weighted = database.query(&Query { families: &families, weight: Weight(weight), ..Query::default() });
                    Some(weighted.filter(|id| fits(&id)).unwrap_or(first))
                }),
            },
            ..Options::default()
        };
        let tree = Tree::from_str(svg, &options).map_err(|e| Refusal::from(e.to_string()))?;
        let scale = width as f32 / tree.size().width();
        let height = (tree.size().height() * scale).round().max(1.0) as u32;
        if u64::from(width) * u64::from(height) > MOST_PIXELS {
            return Err(Refusal::unsupported("the picture has more than 268 million pixels"));
        }
        let mut pixmap = Pixmap::new(width, height).ok_or_else(|| Refusal::unsupported("the picture has no pixels"))?;
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
        pixmap.encode_png().map_err(|e| Refusal::from(e.to_string()))
    }
}

/// Bytes, or why there are none: if `error` is not empty, nothing else holds but `kind`.
#[derive(Default)]
pub struct Drawn {
    bytes: Vec<u8>,
    error: String,
    kind: Kind,
}

/// What C sees of a `Drawn`; valid until it is freed.
#[repr(C)]
pub struct DrawnView {
    owner: *mut Drawn,
    bytes: Bytes,
    error: Bytes,
    kind: Kind,
}

fn hand_over(outcome: Result<Vec<u8>, Refusal>) -> DrawnView {
    let drawn = match outcome {
        Ok(bytes) => Drawn { bytes, ..Drawn::default() },
        Err(refusal) => Drawn { error: refusal.reason, kind: refusal.kind, ..Drawn::default() },
    };
    let owner = Box::into_raw(Box::new(drawn));
    let held = unsafe { &*owner };
    DrawnView { owner, bytes: Bytes::of(&held.bytes), error: Bytes::of(held.error.as_bytes()), kind: held.kind }
}

/// The fonts in a folder and below it, or the system's if `folder` is empty. On success `*out` are they, and the result
/// is the name of the family that is written with, empty if there is none.
///
/// # Safety
/// `folder` must be valid UTF-8; `out` must be writable.
#[no_mangle]
pub unsafe extern "C" fn shoal_fonts_load(folder: Bytes, out: *mut *mut Fonts) -> DrawnView {
    hand_over(guarded(LIBRARY, || {
        let fonts = Fonts::load(folder.text());
        let family = fonts.family.clone().into_bytes();
        *out = Box::into_raw(Box::new(fonts));
        Ok(family)
    }))
}

/// The letters of a text that no font has, each once, in order.
///
/// # Safety
/// `fonts` must come from `shoal_fonts_load`, and no other call may use it now; `text` must be valid UTF-8.
#[no_mangle]
pub unsafe extern "C" fn shoal_fonts_missing(fonts: *mut Fonts, text: Bytes) -> DrawnView {
    let fonts = &mut *fonts;
    hand_over(guarded(LIBRARY, || {
        let mut missing = String::new();
        for c in text.text().chars() {
            if !missing.contains(c) && !fonts.has(c) {
                missing.push(c);
            }
        }
        Ok(missing.into_bytes())
    }))
}

/// A drawing as PNG, so many pixels wide.
///
/// # Safety
/// `fonts` must come from `shoal_fonts_load`; `svg` must be valid UTF-8.
#[no_mangle]
pub unsafe extern "C" fn shoal_fonts_draw(fonts: *const Fonts, svg: Bytes, width: u32) -> DrawnView {
    let fonts = &*fonts;
    hand_over(guarded(LIBRARY, || fonts.draw(svg.text(), width)))
}

/// What the script of a letter is called in English.
#[no_mangle]
pub extern "C" fn shoal_script_name(letter: u32) -> DrawnView {
    hand_over(guarded(LIBRARY, || {
        let name = char::from_u32(letter).map_or("Unknown", |c| c.script().full_name());
        Ok(name.replace('_', " ").into_bytes())
    }))
}

/// # Safety
/// `fonts` must come from `shoal_fonts_load` and is gone afterwards.
#[no_mangle]
pub unsafe extern "C" fn shoal_fonts_free(fonts: *mut Fonts) {
    let _ = guarded(LIBRARY, || {
        drop(Box::from_raw(fonts));
        Ok(())
    });
}

/// # Safety
/// `drawn` must be the `owner` of a result and is gone afterwards.
#[no_mangle]
pub unsafe extern "C" fn shoal_drawn_free(drawn: *mut Drawn) {
    drop(Box::from_raw(drawn));
}
