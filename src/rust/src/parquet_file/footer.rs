//! How deep the columns of a file are nested, found before the library, which reads them by recursion, sees them.

use super::Checked;
use crate::Refusal;
use parquet::file::reader::ChunkReader;

const DEEPEST: usize = 100;

/// Thrift's compact protocol, as far as it is needed to pass over what stands before and in the schema:
/// https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
struct Scan<'a> {
    bytes: &'a [u8],
}

impl Scan<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        self.varint().map(|n| (n >> 1) as i64 ^ -((n & 1) as i64))
    }

    fn pass(&mut self, count: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    /// The next field of a struct: its number and type; type 0 at the end.
    fn field(&mut self, last: &mut i64) -> Option<u8> {
        let head = self.byte()?;
        if head & 15 == 0 {
            return Some(0);
        }
        *last = if head >> 4 == 0 { self.zigzag()? } else { *last + i64::from(head >> 4) };
        Some(head & 15)
    }

    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let size = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        (size <= self.bytes.len() as u64).then_some((size, head & 15))
    }

    fn skip(&mut self, kind: u8, in_list: bool, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match kind {
            1 | 2 => self.pass(u64::from(in_list)),
            3 => self.pass(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.pass(8),
            8 => {
                let size = self.varint()?;
                self.pass(size)
            }
            9 | 10 => {
                let (size, of) = self.list()?;
                (0..size).try_for_each(|_| self.skip(of, true, depth + 1))
            }
            12 => {
                let mut last = 0;
                loop {
                    match self.field(&mut last)? {
                        0 => return Some(()),
                        kind => self.skip(kind, false, depth + 1)?,
                    }
                }
            }
            13 => self.pass(16),
            _ => None,
        }
    }

    /// The number of children of a schema element. The library does not look at the types of fields, so those
    /// that are known must have theirs: else the two would read different things.
    fn children(&mut self) -> Option<i64> {
        let (mut last, mut children) = (0, 0);
        loop {
            match (self.field(&mut last)?, last) {
                (0, _) => return Some(children),
                (5, 5) => children = self.zigzag()?,
                (5, 1..=3 | 6..=9) => self.skip(5, false, 0)?,
                (8, 4) => self.skip(8, false, 0)?,
                (12, 10) => self.skip(12, false, 0)?,
                (_, i64::MIN..=10 | 32_768..) => return None,
                (kind, _) => self.skip(kind, false, 0)?,
            }
        }
    }

    /// Whether no group of the schema, the file's second field, lies too deep.
    fn is_shallow(&mut self) -> Option<bool> {
        let mut last = 0;
        loop {
            match (self.field(&mut last)?, last) {
                (5, 1) => self.skip(5, false, 0)?,
                (9, 2) => break,
                _ => return None,
            }
        }
        let (size, of) = self.list()?;
        if of != 12 {
            return None;
        }
        let mut open: Vec<i64> = vec![];
        for _ in 0..size {
            let children = self.children()?;
            while open.last() == Some(&0) {
                open.pop();
            }
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            if children > 0 {
                open.push(children);
            }
            if open.len() > DEEPEST {
                return Some(false);
            }
        }
        Some(true)
    }
}

/// Refuses a file whose columns are nested too deep. What else may be wrong is left to the library.
pub fn check(file: &Checked) -> Result<(), Refusal> {
    if file.size < 12 {
        return Err("it is cut off".to_string().into());
    }
    let end = file.get_bytes(file.size - 8, 8)?;
    let size = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
    match &end[4..] {
        b"PAR1" => {}
        b"PARE" => return Err(Refusal::unsupported("it is encrypted")),
        _ => return Err("it does not end as Parquet files do: it is cut off or damaged".to_string().into()),
    }
    if size > file.size - 12 {
        return Err("it is damaged: what it tells of itself is longer than the file".to_string().into());
    }
    let footer = file.get_bytes(file.size - 8 - size, size as usize)?;
    match (Scan { bytes: &footer }).is_shallow() {
        Some(true) => Ok(()),
        Some(false) => Err(Refusal::unsupported("its columns are nested too deep")),
        None => Err("it is damaged: it does not tell which columns it has".to_string().into()),
    }
}
