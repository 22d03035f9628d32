//! Pages as they come from the file, looked at before they are read: a few bytes can claim any number of levels.

use bytes::Bytes as Shared;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What all leaves of a file may hold together, in bytes of levels and values.
pub struct Budget {
    most: u64,
    file: u64,
    held: AtomicU64,
}

impl Budget {
    /// Rows of any file may be so large.
    const LEAST: u64 = 16 << 20;
    /// Eight list elements for each byte of the file, of eight bytes each.
    const PER_BYTE: u64 = 64;

    pub fn of(file: u64) -> Self {
        let most = Self::LEAST.saturating_add(file.saturating_mul(Self::PER_BYTE));
        Budget { most, file, held: AtomicU64::new(0) }
    }

    /// A leaf holds `now` instead of `before`.
    pub fn exchange(&self, before: u64, now: u64) {
        self.held.fetch_sub(before, Ordering::Relaxed);
        self.held.fetch_add(now, Ordering::Relaxed);
    }

    /// `count` of `what`, which take `each` bytes.
    fn check(&self, count: u64, each: u64, what: &str) -> Result<()> {
        if count.saturating_mul(each) > self.most.saturating_sub(self.held.load(Ordering::Relaxed)) {
            let reason = format!("{count} {what}, which a file of {} bytes cannot be meant to have", self.file);
            return Err(ParquetError::General(reason));
        }
        Ok(())
    }
}

/// What the page at hand tells the leaf that reads it.
#[derive(Clone, Copy, Default)]
pub struct Course {
    /// Rows that begin in it and are not yet read; fewer where that is not known.
    pub rows: u64,
    /// Levels of its longest row, with those that stand in the pages before.
    pub longest: u64,
    /// Each value of it may be a copy of so many bytes.
    pub copied: u64,
    /// Levels so far of the row that is open at its end.
    open: u64,
}

impl Course {
    fn add(&mut self, level: u64, count: u64) {
        if count == 0 {
            return;
        }
        if level == 0 {
            self.rows += count;
            self.longest = self.longest.max(self.open).max(1);
            self.open = 1;
        } else {
            self.open = self.open.saturating_add(count);
        }
        self.longest = self.longest.max(self.open);
    }

    /// Follows `left` levels of `width` bits, in runs; fewer if they are cut off, which the library finds.
    fn follow(&mut self, mut bytes: &[u8], width: usize, mut left: u64) -> Option<()> {
        while left > 0 {
            let head = varint(&mut bytes)?;
            if head & 1 == 0 {
                let size = width.div_ceil(8);
                let level = little(bytes.get(..size)?);
                bytes = &bytes[size..];
                self.add(level, left.min(head >> 1));
                left -= left.min(head >> 1);
                continue;
            }
            for _ in 0..head >> 1 {
                // Eight levels in `width` bytes; the last group may be cut short.
                let group = &bytes[..width.min(bytes.len())];
                bytes = &bytes[group.len()..];
                let packed = little(group);
                let here = left.min(8 * group.len() as u64 / width as u64);
                if here == 0 {
                    return if left == 0 { Some(()) } else { None };
                }
                for i in 0..here {
                    self.add(packed >> (i * width as u64) & ((1 << width) - 1), 1);
                }
                left -= here;
            }
        }
        Some(())
    }
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7F) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &b| value << 8 | u64::from(b))
}

/// The levels that stand at `at`, as version 1 of pages has them: their size goes before.
fn sized<'a>(buf: &'a Shared, at: &mut usize) -> &'a [u8] {
    let size = buf.get(*at..*at + 4).map_or(0, little) as usize;
    let begin = (*at + 4).min(buf.len());
    *at = begin.saturating_add(size).min(buf.len());
    &buf[begin..*at]
}

/// Pages that a leaf reads. A dictionary has no more values than bytes, and no row more list elements than can be meant.
pub struct CheckedPages {
    pub pages: Box<dyn PageReader>,
    pub most_rep: i16,
    pub most_def: i16,
    /// Bytes that a level and its value take.
    pub cost: u64,
    pub course: Arc<Mutex<Course>>,
    pub budget: Arc<Budget>,
}

impl CheckedPages {
    fn look(&self, page: &Page) -> Result<()> {
        let (buf, levels, encoding) = match page {
            Page::DictionaryPage { buf, num_values, .. } => {
                if *num_values as usize > buf.len() {
                    return Err(ParquetError::General("a dictionary has more values than bytes".into()));
                }
                return Ok(());
            }
            Page::DataPage { buf, num_values, encoding, .. } => (buf, u64::from(*num_values), *encoding),
            Page::DataPageV2 { buf, num_values, encoding, .. } => (buf, u64::from(*num_values), *encoding),
        };
        let mut course = self.course.lock().unwrap_or_else(|e| e.into_inner());
        *course = Course { open: course.open, ..Course::default() };
        let width = (16 - self.most_rep.leading_zeros()) as usize;
        let mut values_at = 0;
        match page {
            Page::DataPage { rep_level_encoding, def_level_encoding, .. } => {
                if self.most_rep > 0 && *rep_level_encoding == Encoding::RLE {
                    let _ = course.follow(sized(buf, &mut values_at), width, levels);
                } else if self.most_rep > 0 {
                    course.add(1, levels); // an encoding of old: as if all were one row
                }
                if self.most_def > 0 && *def_level_encoding == Encoding::RLE {
                    sized(buf, &mut values_at);
                }
            }
            Page::DataPageV2 { rep_levels_byte_len, def_levels_byte_len, .. } => {
                let rep = (*rep_levels_byte_len as usize).min(buf.len());
                if self.most_rep > 0 {
                    let _ = course.follow(&buf[..rep], width, levels);
                }
                values_at = rep.saturating_add(*def_levels_byte_len as usize).min(buf.len());
            }
            Page::DictionaryPage { .. } => {}
        }
        if self.most_rep == 0 {
            (course.rows, course.longest) = (levels, 1);
        } else {
            self.budget.check(course.longest, self.cost, "list elements in a row")?;
        }
        if matches!(encoding, Encoding::DELTA_BYTE_ARRAY | Encoding::DELTA_LENGTH_BYTE_ARRAY) {
            let mut values = &buf[values_at..];
            if encoding == Encoding::DELTA_BYTE_ARRAY {
                // Each value is a copy of the begin of the one before it, and of what is its own.
                let (mut longest, mut all) = (0u64, 0u64);
                let count = unpack_delta(&mut values, levels, |shared| {
                    let shared = u64::try_from(shared).unwrap_or(0);
                    longest = longest.max(shared);
                    all = all.saturating_add(shared);
                });
                self.check_lengths(count, levels)?;
                course.copied = longest;
                if self.most_rep > 0 {
                    self.budget.check(all, 1, "bytes in lists of texts")?;
                }
            }
            // The lengths of all values are unpacked at once.
            self.check_lengths(unpack_delta(&mut values, levels, |_| {}), levels)?;
        }
        Ok(())
    }
}

impl CheckedPages {
    fn check_lengths(&self, count: Option<u64>, levels: u64) -> Result<()> {
        match count {
            Some(count) if count > levels => Err(ParquetError::General("a page has more values than it says".into())),
            Some(count) => self.budget.check(count, 8, "texts in a page"),
            None => Ok(()), // cut off, which the library finds
        }
    }
}

/// Passes over numbers that are packed as DELTA_BINARY_PACKED, each of which `take` gets; how many it says there are:
/// https://github.com/apache/parquet-format/blob/master/Encodings.md#delta-encoding-delta_binary_packed--5
fn unpack_delta(bytes: &mut &[u8], most: u64, mut take: impl FnMut(i64)) -> Option<u64> {
    let (block, minis, count) = (varint(bytes)?, varint(bytes)?, varint(bytes)?);
    let mut number = zigzag(bytes)?;
    if count > most || minis == 0 || block / minis == 0 {
        return Some(count);
    }
    let mut left = count;
    if left > 0 {
        take(number);
        left -= 1;
    }
    while left > 0 {
        let least = zigzag(bytes)?;
        let widths = bytes.get(..usize::try_from(minis).ok()?)?;
        *bytes = &bytes[widths.len()..];
        for &width in widths {
            if left == 0 {
                break;
            }
            let (width, here) = (usize::from(width), block / minis);
            let size = usize::try_from(here).ok()?.checked_mul(width)?.div_ceil(8);
            let packed = &bytes[..size.min(bytes.len())];
            *bytes = &bytes[packed.len()..];
            for i in 0..here.min(left) as usize {
                let at = i * width;
                let window = packed.get(at / 8..packed.len().min(at / 8 + 9)).unwrap_or(&[]);
                let bits = window.iter().rev().fold(0u128, |value, &b| value << 8 | u128::from(b)) >> (at % 8);
                let delta = if width >= 64 { bits as u64 } else { bits as u64 & ((1 << width) - 1) };
                number = number.wrapping_add(least).wrapping_add(delta as i64);
                take(number);
            }
            left -= here.min(left);
        }
    }
    Some(count)
}

fn zigzag(bytes: &mut &[u8]) -> Option<i64> {
    varint(bytes).map(|n| (n >> 1) as i64 ^ -((n & 1) as i64))
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;
    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        if let Some(page) = &page {
            self.look(page)?;
        }
        Ok(page)
    }
    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }
    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }
}
