//! The language of a text: by its script where that decides, else by its function words, its letters and, where these
//! leave a doubt, by whatlang's trigrams among the languages that are still possible. `language.cpp` is the only caller.

use crate::{guarded, Bytes};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::OnceLock;
use whatlang::{Detector, Lang};

/// ISO 639-1 codes of all languages that can be found, in the order of their numbers, and what whatlang calls them.
#[rustfmt::skip]
const LANGUAGES: [(&str, Option<Lang>); 96] = [
    ("af", Some(Lang::Afr)), ("ak", Some(Lang::Aka)), ("am", Some(Lang::Amh)), ("ar", Some(Lang::Ara)),
    ("as", None), ("az", Some(Lang::Aze)), ("ba", None), ("be", Some(Lang::Bel)), ("bg", Some(Lang::Bul)),
    ("bn", Some(Lang::Ben)), ("bo", None), ("br", None), ("ca", Some(Lang::Cat)), ("cs", Some(Lang::Ces)),
    ("cv", None), ("cy", Some(Lang::Cym)), ("da", Some(Lang::Dan)), ("de", Some(Lang::Deu)), ("dv", None),
    ("el", Some(Lang::Ell)), ("en", Some(Lang::Eng)), ("eo", Some(Lang::Epo)), ("es", Some(Lang::Spa)),
    ("et", Some(Lang::Est)), ("eu", None), ("fa", Some(Lang::Pes)), ("fi", Some(Lang::Fin)),
    ("fr", Some(Lang::Fra)), ("ga", None), ("gl", None), ("gu", Some(Lang::Guj)), ("ha", None),
    ("he", Some(Lang::Heb)), ("hi", Some(Lang::Hin)), ("hr", Some(Lang::Hrv)), ("hu", Some(Lang::Hun)),
    ("hy", Some(Lang::Hye)), ("id", Some(Lang::Ind)), ("is", None), ("it", Some(Lang::Ita)),
    ("ja", Some(Lang::Jpn)), ("jv", Some(Lang::Jav)), ("ka", Some(Lang::Kat)), ("kk", None),
    ("km", Some(Lang::Khm)), ("kn", Some(Lang::Kan)), ("ko", Some(Lang::Kor)), ("ku", None), ("ky", None),
    ("la", Some(Lang::Lat)), ("lo", None), ("lt", Some(Lang::Lit)), ("lv", Some(Lang::Lav)),
    ("mk", Some(Lang::Mkd)), ("ml", Some(Lang::Mal)), ("mn", None), ("mr", Some(Lang::Mar)), ("mt", None),
    ("my", Some(Lang::Mya)), ("ne", Some(Lang::Nep)), ("nl", Some(Lang::Nld)), ("no", Some(Lang::Nob)),
    ("or", Some(Lang::Ori)), ("pa", Some(Lang::Pan)), ("pl", Some(Lang::Pol)), ("ps", None),
    ("pt", Some(Lang::Por)), ("ro", Some(Lang::Ron)), ("ru", Some(Lang::Rus)), ("si", Some(Lang::Sin)),
    ("sk", Some(Lang::Slk)), ("sl", Some(Lang::Slv)), ("sn", Some(Lang::Sna)), ("so", None), ("sq", None),
    ("sr", Some(Lang::Srp)), ("st", None), ("sv", Some(Lang::Swe)), ("sw", None), ("ta", Some(Lang::Tam)),
    ("te", Some(Lang::Tel)), ("tg", None), ("th", Some(Lang::Tha)), ("tk", Some(Lang::Tuk)),
    ("tl", Some(Lang::Tgl)), ("tr", Some(Lang::Tur)), ("tt", None), ("ug", None), ("uk", Some(Lang::Ukr)),
    ("ur", Some(Lang::Urd)), ("uz", Some(Lang::Uzb)), ("vi", Some(Lang::Vie)), ("yi", Some(Lang::Yid)),
    ("yo", None), ("zh", Some(Lang::Cmn)), ("zu", Some(Lang::Zul)),
];
const N: usize = LANGUAGES.len();

fn number(code: &str) -> Option<usize> {
    LANGUAGES.binary_search_by(|(c, _)| (*c).cmp(code)).ok()
}

/// Scripts that several languages share, and those that decide alone.
#[derive(Clone, Copy, PartialEq)]
enum Script {
    None,
    Latin,
    Cyrillic,
    Arabic,
    Devanagari,
    Hebrew,
    Bengali,
    Han,
    Kana,
    One(u8),
}

/// The letters of a script that belongs to one language, by its code.
#[rustfmt::skip]
const ALONE: [(u32, u32, &str); 22] = [
    (0x0370, 0x03FF, "el"), (0x0530, 0x058F, "hy"), (0x0780, 0x07BF, "dv"), (0x0A00, 0x0A7F, "pa"),
    (0x0A80, 0x0AFF, "gu"), (0x0B00, 0x0B7F, "or"), (0x0B80, 0x0BFF, "ta"), (0x0C00, 0x0C7F, "te"),
    (0x0C80, 0x0CFF, "kn"), (0x0D00, 0x0D7F, "ml"), (0x0D80, 0x0DFF, "si"), (0x0E00, 0x0E7F, "th"),
    (0x0E80, 0x0EFF, "lo"), (0x0F00, 0x0FFF, "bo"), (0x1000, 0x109F, "my"), (0x10A0, 0x10FF, "ka"),
    (0x1100, 0x11FF, "ko"), (0x1200, 0x139F, "am"), (0x1780, 0x17FF, "km"), (0x1F00, 0x1FFF, "el"),
    (0x3130, 0x318F, "ko"), (0xAC00, 0xD7AF, "ko"),
];

fn script_of(c: char) -> Script {
    let u = c as u32;
    match u {
        0x41..=0x5A | 0x61..=0x7A | 0xC0..=0x24F | 0x1E00..=0x1EFF => Script::Latin,
        0..=0xBF | 0x250..=0x36F | 0x2000..=0x2BFF | 0x3000..=0x3004 | 0x3006..=0x303F => Script::None,
        0x400..=0x52F => Script::Cyrillic,
        0x590..=0x5FF => Script::Hebrew,
        0x600..=0x6FF | 0x750..=0x77F | 0xFB50..=0xFDFF | 0xFE70..=0xFEFF => Script::Arabic,
        0x900..=0x97F => Script::Devanagari,
        0x980..=0x9FF => Script::Bengali,
        0x3040..=0x30FF | 0x31F0..=0x31FF | 0xFF66..=0xFF9F => Script::Kana,
        0x3005 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF => Script::Han,
        _ => {
            let after = ALONE.partition_point(|(first, _, _)| *first <= u);
            match after.checked_sub(1).map(|i| ALONE[i]) {
                Some((_, last, code)) if u <= last => Script::One(number(code).unwrap_or(0) as u8),
                _ => Script::None,
            }
        }
    }
}

/// Letters that few languages have: seen once they speak for these.
#[rustfmt::skip]
const LETTERS: [(&str, &[&str]); 48] = [
    ("ß", &["de"]), ("ł", &["pl"]), ("ąę", &["pl", "lt"]), ("ś", &["pl"]), ("ćđ", &["hr", "sr", "pl"]),
    ("ř", &["cs"]), ("ěů", &["cs"]), ("ľĺŕ", &["sk"]), ("ôťď", &["sk", "cs"]), ("őű", &["hu"]),
    ("ăâ", &["ro", "vi"]), ("țșţ", &["ro"]), ("ãõ", &["pt", "vi", "et"]), ("ñ", &["es", "gl", "tl"]),
    ("¿¡", &["es", "gl"]), ("ŵŷ", &["cy"]), ("ħġż", &["mt", "pl"]), ("þð", &["is"]), ("å", &["sv", "da", "no"]),
    ("øæ", &["da", "no"]), ("äö", &["de", "sv", "fi", "et", "tr", "sk"]),
    ("ü", &["de", "tr", "hu", "et", "az", "tk"]), ("ğı", &["tr", "az"]), ("ş", &["tr", "az", "tk", "ro"]),
    ("ə", &["az"]), ("ňýž", &["tk", "cs", "sk"]), ("ģķļņ", &["lv"]), ("āēī", &["lv"]), ("ėųį", &["lt"]),
    ("ŭĝĉĥĵŝ", &["eo"]), ("ơưđ", &["vi"]), ("ọẹṣ", &["yo", "vi"]), ("èàò", &["it", "fr", "ca"]),
    ("êœë", &["fr", "sq", "nl"]), ("ë", &["sq", "nl", "fr"]),
    ("ыэё", &["ru", "be", "kk", "ky", "tg", "tt", "ba", "cv", "mn"]), ("ў", &["be", "uz"]), ("їєґ", &["uk"]),
    ("і", &["uk", "be", "kk"]), ("щ", &["ru", "uk", "bg", "kk"]), ("јљњџ", &["sr", "mk"]), ("ђћ", &["sr"]),
    ("ѓќѕ", &["mk"]), ("ъ", &["bg", "ru"]), ("ұғқәңөү", &["kk"]), ("پچگژ", &["fa", "ur", "ku", "ps", "ug"]),
    ("کی", &["fa", "ur", "ku", "ps"]), ("ةىأإ", &["ar"]),
];
/// Letters that decide where at least two stand in a text.
const DECIDING: [(&str, &str); 8] = [
    ("ҙҫҡ", "ba"),
    ("ӑӗ", "cv"),
    ("ӣӯҷҳ", "tg"),
    ("ٹڈڑےںہ", "ur"),
    ("ښځډړېۍ", "ps"),
    ("ێۆڵڕ", "ku"),
    ("ۇۈېۋ", "ug"),
    ("җ", "tt"),
];
/// The letters that the Turkic languages and Mongolian add to the Cyrillic ones, the rarest first; a text with two of
/// them is in the language of the first line that it has a letter of.
const ADDED: [(&str, &str); 4] = [("ұғқ", "kk"), ("ә", "tt"), ("ң", "ky"), ("өү", "mn")];

/// A quick hash of words and letters: FNV-1a.
#[derive(Clone)]
struct Quick(u64);

impl Default for Quick {
    fn default() -> Self {
        Quick(0xCBF2_9CE4_8422_2325)
    }
}

impl Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }
    fn write(&mut self, bytes: &[u8]) {
        for b in bytes {
            self.0 = (self.0 ^ u64::from(*b)).wrapping_mul(0x100_0000_01B3);
        }
    }
    fn write_u32(&mut self, x: u32) {
        self.0 = (self.0 ^ u64::from(x)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

type Map<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// What is known of function words and letters.
struct Evidence {
    words: Map<&'static str, u32>, // first of its run in `of`
    of: Vec<(u8, f32)>,            // languages with their weight; a run ends with u8::MAX
    letters: Map<char, u32>,
    deciding: Map<char, u8>, // lines of DECIDING, then of ADDED
}

/// So that the last bits of logarithms, which differ between machines, decide nothing.
fn rounded(x: f32) -> f32 {
    (x * 256.0).round() / 256.0
}

fn plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| script_of(c) != Script::None || c.is_alphabetic())
}

fn evidence() -> &'static Evidence {
    static E: OnceLock<Evidence> = OnceLock::new();
    E.get_or_init(|| {
        let mut lists: HashMap<&'static str, Vec<(u8, f32)>> = HashMap::new();
        for (i, (code, _)) in LANGUAGES.iter().enumerate() {
            let words = crate::stop_words::list(code);
            let weight = rounded(1.6 * (150.0 / (words.len().max(50) as f32)).min(1.0).powf(0.3));
            for word in words.iter().filter(|w| plain(w) && w.chars().count() > 1) {
                let of = lists.entry(word).or_default();
                if of.last().is_none_or(|l| l.0 != i as u8) {
                    of.push((i as u8, weight));
                }
            }
        }
        let mut e = Evidence { words: Map::default(), of: vec![], letters: Map::default(), deciding: Map::default() };
        let mut keys: Vec<_> = lists.into_iter().collect();
        keys.sort_by_key(|k| k.0);
        for (word, mut of) in keys {
            e.words.insert(word, e.of.len() as u32);
            e.of.append(&mut of);
            e.of.push((u8::MAX, 0.0));
        }
        for (letters, codes) in LETTERS {
            for c in letters.chars() {
                e.letters.insert(c, e.of.len() as u32);
            }
            e.of.extend(codes.iter().filter_map(|c| number(c)).map(|i| (i as u8, 1.25)));
            e.of.push((u8::MAX, 0.0));
        }
        for (i, (letters, _)) in DECIDING.iter().chain(ADDED.iter()).enumerate() {
            for c in letters.chars() {
                e.deciding.entry(c).or_insert(i as u8);
            }
        }
        e
    })
}

/// Which languages write each script that several share, in the order of `group_of`.
#[rustfmt::skip]
const WRITTEN: [&[&str]; 6] = [
    &["af", "ak", "az", "br", "ca", "cs", "cy", "da", "de", "en", "eo", "es", "et", "eu", "fi", "fr", "ga", "gl", "ha",
      "hr", "hu", "id", "is", "it", "jv", "la", "lt", "lv", "mt", "nl", "no", "pl", "pt", "ro", "sk", "sl", "sn", "so",
      "sq", "st", "sv", "sw", "tk", "tl", "tr", "uz", "vi", "yo", "zu"],
    &["be", "bg", "kk", "mk", "ru", "sr", "tg", "uk"],
    &["ar", "fa", "ku", "ur"],
    &["hi", "mr", "ne"],
    &["he", "yi"],
    &["as", "bn"],
];

/// What is expected of a collection's texts.
struct Expected {
    texts: [f32; N], // how many are of each language, as far as is known
    groups: Vec<Vec<usize>>,
    logs: [f32; N], // of the probability among the languages of the same script
}

impl Expected {
    fn of(texts: &[f32; N]) -> Expected {
        let numbers = |codes: &&[&str]| codes.iter().filter_map(|c| number(c)).collect::<Vec<_>>();
        let groups: Vec<Vec<usize>> = WRITTEN.iter().map(numbers).collect();
        let mut logs = [0.0; N];
        for group in &groups {
            let total: f32 = group.iter().map(|&l| texts[l]).sum();
            for &l in group {
                // Where nothing is known, one word alone does not speak against the languages that are met most.
                let few = match LANGUAGES[l] {
                    ("en" | "ru" | "ar" | "hi", _) => 0.4,
                    (_, Some(_)) => 0.04,
                    _ => 0.02,
                };
                logs[l] = rounded(((texts[l] + few) / (total + 2.0)).ln());
            }
        }
        Expected { texts: *texts, groups, logs }
    }
}

/// A language by its number, N for unknown, and how sure that is, 0 to 1.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Guess {
    pub language: u8,
    pub confidence: f32,
}

const UNKNOWN: Guess = Guess { language: N as u8, confidence: 0.0 };
const MOST_LETTERS: usize = 2000; // of a text; more say no more
const LONGEST_WORD: usize = 20; // of a list, in ASCII

struct Seen {
    scores: [f32; N],
    script: Script,
    letters: usize,
    deciding: [u16; DECIDING.len() + ADDED.len()],
    kazakh: bool, // has the letter that Kazakh has and Tatar does not
    azerbaijani: bool,
    kana: usize,
    han: usize,
}

impl Seen {
    fn nothing() -> Seen {
        Seen {
            scores: [0.0; N],
            script: Script::None,
            letters: 0,
            deciding: [0; DECIDING.len() + ADDED.len()],
            kazakh: false,
            azerbaijani: false,
            kana: 0,
            han: 0,
        }
    }
}

/// Counts a function word that has been seen, the first time in full, the second half.
fn count_word(word: &str, scores: &mut [f32; N], used: &mut Vec<u32>) {
    let e = evidence();
    if let Some(&at) = e.words.get(word) {
        let times = used.iter().filter(|u| **u == at).count();
        if times < 2 {
            used.push(at);
            let part = if times == 0 { 1.0 } else { 0.5 };
            for (language, weight) in e.of[at as usize..].iter().take_while(|l| l.0 != u8::MAX) {
                scores[*language as usize] += part * weight;
            }
        }
    }
}

/// `look` for a text of ASCII.
fn look_at_ascii(text: &[u8]) -> Seen {
    let mut seen = Seen::nothing();
    let mut used: Vec<u32> = Vec::new();
    let mut word = [0u8; LONGEST_WORD];
    let mut size = 0;
    for &b in text.iter().chain(std::iter::once(&b' ')) {
        if b.is_ascii_alphabetic() || (b == b'\'' && size > 0) {
            if size < LONGEST_WORD {
                word[size] = b.to_ascii_lowercase();
            }
            size += 1;
            seen.letters += usize::from(b != b'\'');
        } else if size > 0 {
            if (2..=LONGEST_WORD).contains(&size) {
                if let Ok(word) = std::str::from_utf8(&word[..size]) {
                    count_word(word, &mut seen.scores, &mut used);
                }
            }
            size = 0;
            if seen.letters >= MOST_LETTERS {
                break;
            }
        }
    }
    if seen.letters > 0 {
        seen.script = Script::Latin;
    }
    seen
}

fn look(text: &str) -> Seen {
    if text.is_ascii() {
        return look_at_ascii(text.as_bytes());
    }
    let e = evidence();
    let mut seen = Seen::nothing();
    let mut counts = [0usize; 8];
    let mut alone = [0u16; N];
    let mut word = String::new();
    let mut used: Vec<u32> = Vec::new();
    let finish = |word: &mut String, scores: &mut [f32; N], used: &mut Vec<u32>| {
        count_word(word, scores, used);
        word.clear();
    };
    for c in text.chars() {
        if seen.letters == MOST_LETTERS {
            break;
        }
        let script = script_of(c);
        if script == Script::None {
            if !word.is_empty() && !matches!(c, '\'' | '\u{2019}' | '\u{300}'..='\u{36F}' | '\u{200C}') {
                finish(&mut word, &mut seen.scores, &mut used);
            } else if !word.is_empty() && c != '\u{200C}' {
                word.push(if c == '\u{2019}' { '\'' } else { c });
            }
            if let Some(&at) = e.letters.get(&c) {
                for (language, weight) in e.of[at as usize..].iter().take_while(|l| l.0 != u8::MAX) {
                    seen.scores[*language as usize] += weight;
                }
            }
            continue;
        }
        seen.letters += 1;
        match script {
            Script::Latin => counts[0] += 1,
            Script::Cyrillic => counts[1] += 1,
            Script::Arabic => counts[2] += 1,
            Script::Devanagari => counts[3] += 1,
            Script::Hebrew => counts[4] += 1,
            Script::Bengali => counts[5] += 1,
            Script::Han => counts[6] += 1,
            Script::Kana => counts[7] += 1,
            Script::One(l) => alone[l as usize] += 1,
            Script::None => {}
        }
        if c.is_ascii() {
            word.push(c.to_ascii_lowercase());
            continue;
        }
        for lower in c.to_lowercase() {
            if lower != '\u{307}' {
                word.push(lower);
            }
            seen.kazakh |= lower == 'і';
            seen.azerbaijani |= lower == 'ə';
            if let Some(&i) = e.deciding.get(&lower) {
                seen.deciding[i as usize] += 1;
            }
            if let Some(&at) = e.letters.get(&lower) {
                if !used.contains(&at) {
                    used.push(at);
                    for (language, weight) in e.of[at as usize..].iter().take_while(|l| l.0 != u8::MAX) {
                        seen.scores[*language as usize] += weight;
                    }
                }
            }
        }
    }
    finish(&mut word, &mut seen.scores, &mut used);
    // A sign of a script without spaces tells about as much as three letters.
    let weighed = [counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], 3 * (counts[6] + counts[7])];
    const SHARED: [Script; 7] = [
        Script::Latin,
        Script::Cyrillic,
        Script::Arabic,
        Script::Devanagari,
        Script::Hebrew,
        Script::Bengali,
        Script::Han,
    ];
    let mut most = 0;
    for (i, n) in weighed.iter().enumerate() {
        if *n > most {
            most = *n;
            seen.script = SHARED[i];
        }
    }
    for (i, n) in alone.iter().enumerate() {
        if (*n as usize) > most {
            most = *n as usize;
            seen.script = Script::One(i as u8);
        }
    }
    seen.han = counts[6];
    seen.kana = counts[7];
    seen
}

/// The language whose own letters the text has.
fn decided(seen: &Seen, prior: &[f32; N]) -> Option<usize> {
    let (own, added) = seen.deciding.split_at(DECIDING.len());
    let first = (0..own.len()).filter(|&i| own[i] >= 2).max_by_key(|&i| (own[i], own.len() - i));
    if let Some(i) = first {
        return number(DECIDING[i].1);
    }
    if added.iter().sum::<u16>() < 2 {
        return None;
    }
    let code = added.iter().position(|&n| n > 0).map(|i| ADDED[i].1)?;
    let (language, kazakh) = (number(code)?, number("kk")?);
    let more_often = prior[kazakh] > 10.0 * prior[language];
    Some(if more_often || (code == "tt" && seen.kazakh) { kazakh } else { language })
}

fn group_of(script: Script) -> usize {
    match script {
        Script::Cyrillic => 1,
        Script::Arabic => 2,
        Script::Devanagari => 3,
        Script::Hebrew => 4,
        Script::Bengali => 5,
        _ => 0,
    }
}

/// The most probable of the languages by exp(score).
fn best(scores: &[f32; N], among: &[usize]) -> (usize, f32) {
    let (mut top, mut second) = (among[0], f32::MIN);
    for &l in &among[1..] {
        if scores[l] > scores[top] {
            second = scores[top];
            top = l;
        } else if scores[l] > second {
            second = scores[l];
        }
    }
    if scores[top] - second > FAR {
        return (top, 1.0);
    }
    let all: f32 = among.iter().map(|&l| scores[l] - scores[top]).filter(|d| *d > -12.0).map(f32::exp).sum();
    (top, rounded(1.0 / all))
}

const FAR: f32 = 8.0; // e to this is more than there are languages, by far
const SURE: f32 = 0.97;
const CANDIDATES: usize = 6;

/// `trigrams`: ask whatlang where the rest leaves a doubt; it takes 0.1 ms.
fn guess(text: &str, expected: &Expected, trigrams: bool) -> Guess {
    let prior = &expected.texts;
    let mut seen = look(text);
    let sure = |language: usize| Guess { language: language as u8, confidence: 1.0 };
    match seen.script {
        Script::None => return UNKNOWN,
        Script::One(language) => return sure(language as usize),
        Script::Han | Script::Kana => {
            let (ja, zh) = (number("ja").unwrap_or(0), number("zh").unwrap_or(0));
            // Texts of Japanese without kana are short and rare.
            if seen.kana * 10 > seen.han || seen.kana >= 3 {
                return sure(ja);
            }
            let of_ja = prior[ja] * [0.3, 0.1, 0.01][(seen.han / 6).min(2)];
            let share = (prior[zh] + 0.02) / (of_ja + prior[zh] + 0.02);
            let at_most = [0.5, 0.8, 1.0][(seen.han / 6).min(2)];
            return Guess {
                language: if share >= 0.5 { zh } else { ja } as u8,
                confidence: rounded(share.max(1.0 - share) * at_most),
            };
        }
        _ => {}
    }
    if let Some(language) = decided(&seen, prior) {
        return sure(language);
    }
    let among = &expected.groups[group_of(seen.script)];
    for &l in among {
        seen.scores[l] += expected.logs[l];
    }
    if !seen.azerbaijani && seen.letters > 20 {
        seen.scores[number("az").unwrap_or(0)] -= 2.0;
    }
    let (top, share) = best(&seen.scores, among);
    if share >= SURE || seen.letters < 3 || !trigrams {
        return Guess { language: top as u8, confidence: share };
    }
    let mut order = among.clone();
    order.sort_by(|&a, &b| seen.scores[b].total_cmp(&seen.scores[a]).then(a.cmp(&b)));
    let clear = seen.scores[order[0]] - seen.scores[order[order.len().min(CANDIDATES) - 1]] > 2.0;
    let most = if clear { CANDIDATES } else { order.len() };
    let allowed: Vec<Lang> = order.iter().take(most).filter_map(|&l| LANGUAGES[l].1).collect();
    let part: String = text.chars().take(300).collect();
    // It is a help only: where it fails, the rest decides.
    let info = guarded("whatlang", || Ok(Detector::with_allowlist(allowed).detect(&part))).unwrap_or(None);
    if let Some(info) = info {
        if let Some(l) = LANGUAGES.iter().position(|x| x.1 == Some(info.lang())) {
            let c = info.confidence() as f32;
            seen.scores[l] += rounded((1.0 + 3.0 * c) * ((seen.letters as f32) / 25.0).clamp(0.3, 1.0));
        }
    }
    let (top, share) = best(&seen.scores, among);
    Guess { language: top as u8, confidence: share }
}

/// The code of language `index`, empty past the last.
#[no_mangle]
pub extern "C" fn shoal_language_code(index: usize) -> Bytes {
    Bytes::of(LANGUAGES.get(index).map_or("", |l| l.0).as_bytes())
}

/// The guess of each of `count` texts. False if the library failed.
///
/// # Safety
/// `texts` must be `count` pieces of valid UTF-8, `prior` have a number for each language, and `out` be writable.
#[no_mangle]
pub unsafe extern "C" fn shoal_language_guess(
    texts: *const Bytes,
    count: usize,
    prior: *const f32,
    trigrams: bool,
    out: *mut Guess,
) -> bool {
    guarded("language", || {
        let expected = Expected::of(&*(prior as *const [f32; N]));
        for i in 0..count {
            *out.add(i) = guess((*texts.add(i)).text(), &expected, trigrams);
        }
        Ok(())
    })
    .is_ok()
}
