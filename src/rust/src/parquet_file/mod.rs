//! Parquet files: rows as text (`parquet.cpp` of room read), a column of vectors (`parquet_rows.cpp` of room
//! store), and new files (`parquet_writer.cpp` of room store).

mod arrow;
mod footer;
mod pages;
mod tree;
mod value;
mod write;

use crate::{guarded, memory, Bytes, Kind, Refusal};
use bytes::Bytes as Shared;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::os::fd::FromRawFd;
use std::sync::Arc;
use pages::Budget;
use tree::{Leaf, Node, Shape, Values};
use value::Meaning;

const LIBRARY: &str = "parquet";

impl From<ParquetError> for Refusal {
    fn from(error: ParquetError) -> Self {
        let (reason, kind) = match error {
            ParquetError::General(reason) => (reason, Kind::Input),
            ParquetError::NYI(reason) => (reason, Kind::Unsupported),
            other => (other.to_string(), Kind::Input),
        };
        if reason.to_lowercase().contains("encrypt") {
            return Refusal::unsupported("it is encrypted");
        }
        Refusal { reason, kind }
    }
}

/// A file that is asked for no more than it has, whatever its headers say.
struct Checked {
    file: File,
    size: u64,
}

impl Length for Checked {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Checked {
    type T = BufReader<File>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        Ok(BufReader::new(file))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Shared> {
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.size) {
            return Err(ParquetError::EOF("it is cut off: what it tells of lies beyond its end".into()));
        }
        let mut bytes = Vec::with_capacity(length);
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        file.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() != length {
            return Err(ParquetError::EOF("it is cut off".into()));
        }
        Ok(bytes.into())
    }
}

/// The values of a column for a batch of rows: value i is `bytes[ends[i - 1]..ends[i]]`.
#[derive(Default)]
struct Column {
    bytes: Vec<u8>,
    ends: Vec<u64>,
    kinds: Vec<u8>,
}

#[repr(C)]
pub struct ColumnView {
    bytes: *const u8,
    ends: *const u64,
    kinds: *const u8,
}

/// What a column of the file is.
#[repr(C)]
pub struct FieldView {
    name: Bytes,
    /// A list of floating-point numbers, or a list of lists of fixed size of them: it may hold vectors.
    floats: bool,
}

struct Field {
    name: String,
    node: Node,
}

/// An open file, and the batch that was read last.
pub struct Parquet {
    reader: SerializedFileReader<Checked>,
    fields: Vec<Field>,
    leaves: Vec<Leaf>,
    budget: Arc<Budget>,
    wanted: Vec<usize>,
    /// Bytes of a row as text, at most.
    most_record: usize,
    group: usize,
    /// Of the open row group.
    rows: u64,
    given: u64,
    bytes_before: u64,
    group_bytes: u64,
    row: u64,
    columns: Vec<Column>,
    views: Vec<ColumnView>,
    numbers: Vec<f32>,
    dims: Option<usize>,
    names: Vec<FieldView>,
}

/// What a batch holds, but for the last row of it; and, once more, what all leaves hold.
const BATCH_BYTES: usize = 4 << 20;

impl Parquet {
    fn open(file: File) -> Result<Self, Refusal> {
        let size = file.metadata().map_err(|e| e.to_string())?.len();
        let file = Checked { file, size };
        footer::check(&file)?;
        let reader = SerializedFileReader::new(file)?;
        let budget = Arc::new(Budget::of(size));
        let mut leaves = vec![];
        let mut fields = vec![];
        for field in reader.metadata().file_metadata().schema().get_fields() {
            let node = tree::plant(field, 0, 0, &mut leaves, &budget, 0)?;
            fields.push(Field { name: field.name().to_string(), node });
        }
        let descriptor = reader.metadata().file_metadata().schema_descr_ptr();
        if descriptor.num_columns() != leaves.len() {
            return Err("its columns are not as its schema says".to_string().into());
        }
        let wanted = (0..fields.len()).collect();
        Ok(Parquet {
            reader,
            fields,
            leaves,
            budget,
            wanted,
            most_record: usize::MAX,
            group: 0,
            rows: 0,
            given: 0,
            bytes_before: 0,
            group_bytes: 0,
            row: 0,
            columns: vec![],
            views: vec![],
            numbers: vec![],
            dims: None,
            names: vec![],
        })
    }

    fn is_floats(&self, field: &Field) -> bool {
        self.leaf_of_floats(field).is_some()
    }

    /// The leaf of a list of floats.
    fn leaf_of_floats(&self, field: &Field) -> Option<usize> {
        let Shape::List { element, .. } = &field.node.shape else { return None };
        let Shape::Leaf(leaf) = element.shape else { return None };
        matches!(self.leaves[leaf].meaning, Meaning::Float | Meaning::Double | Meaning::Float16).then_some(leaf)
    }

    /// Opens the row group that has the next row; false at the end.
    fn advance(&mut self) -> Result<bool, Refusal> {
        while self.given == self.rows {
            if self.group == self.reader.num_row_groups() {
                return Ok(false);
            }
            let group = self.reader.get_row_group(self.group)?;
            let about = group.metadata();
            let rows = u64::try_from(about.num_rows()).map_err(|_| "a row group of fewer than no rows".to_string())?;
            if about.num_columns() != self.leaves.len() {
                return Err(format!("row group {} has {} columns, and the file {}", self.group, about.num_columns(), self.leaves.len()).into());
            }
            for &field in &self.wanted {
                for leaf in self.fields[field].node.leaves() {
                    let pages = group.get_column_page_reader(leaf)?;
                    self.leaves[leaf].begin(about.column(leaf).column_descr_ptr(), pages);
                }
            }
            self.bytes_before += self.group_bytes;
            self.group_bytes = u64::try_from(about.compressed_size()).unwrap_or(0);
            (self.rows, self.given) = (rows, 0);
            self.group += 1;
        }
        Ok(true)
    }

    /// Has the next row of a field in its leaves.
    fn fill(&mut self, field: usize, bytes: u64) -> Result<(), Refusal> {
        let node = &self.fields[field].node;
        for leaf in node.leaves() {
            if self.leaves[leaf].is_used_up() {
                self.leaves[leaf].read(self.rows - self.given, bytes)?;
            }
        }
        node.begins_row(&self.leaves)
    }

    /// Bytes that each leaf may hold.
    fn bytes_of_leaf(&self) -> u64 {
        let leaves: usize = self.wanted.iter().map(|&field| self.fields[field].node.leaves().len()).sum();
        BATCH_BYTES as u64 / leaves.max(1) as u64
    }

    fn at_row(&self, column: &str, fault: Refusal) -> Refusal {
        let place = format!("column \"{column}\", row {}", self.row);
        let reason = if fault.kind == Kind::TooLong { place } else { format!("{place}: {}", fault.reason) };
        Refusal { reason, kind: fault.kind }
    }

    /// Rows until they are `most`, or BATCH_BYTES long, or their row group ends.
    fn next(&mut self, most: usize) -> Result<usize, Refusal> {
        self.columns.resize_with(self.wanted.len(), Column::default);
        for column in &mut self.columns {
            // What one long row has taken is not kept for all that follow.
            column.bytes.clear();
            column.bytes.shrink_to(BATCH_BYTES);
            column.ends.clear();
            column.kinds.clear();
        }
        let (mut count, mut bytes) = (0, 0);
        let of_leaf = self.bytes_of_leaf();
        while count < most && bytes < BATCH_BYTES && (count == 0 || self.given < self.rows) {
            if !self.advance()? {
                break;
            }
            let mut left = self.most_record;
            for slot in 0..self.wanted.len() {
                let field = self.wanted[slot];
                self.fill(field, of_leaf).map_err(|e| self.at_row(&self.fields[field].name, e))?;
                let column = &mut self.columns[slot];
                let before = column.bytes.len();
                let added = self.fields[field].node.add(&mut self.leaves, &mut column.bytes, before.saturating_add(left));
                let kind = added.map_err(|e| self.at_row(&self.fields[field].name, e))?;
                let column = &mut self.columns[slot];
                let size = column.bytes.len() - before;
                left -= size;
                bytes += size;
                column.ends.push(column.bytes.len() as u64);
                column.kinds.push(kind as u8);
            }
            self.given += 1;
            self.row += 1;
            count += 1;
        }
        self.views = self
            .columns
            .iter()
            .map(|c| ColumnView { bytes: c.bytes.as_ptr(), ends: c.ends.as_ptr(), kinds: c.kinds.as_ptr() })
            .collect();
        Ok(count)
    }

    /// Rows of the only wanted column, which has lists of floats, as floats in `numbers`; ended as by `next`.
    fn next_vectors(&mut self, most: usize) -> Result<usize, Refusal> {
        let field = *self.wanted.first().ok_or_else(|| "no column is wanted".to_string())?;
        let leaf = self.leaf_of_floats(&self.fields[field]).ok_or_else(|| "the column holds no lists of floats".to_string())?;
        self.numbers.clear();
        let mut count = 0;
        while count < most && 4 * self.numbers.len() < BATCH_BYTES && (count == 0 || self.given < self.rows) {
            if !self.advance()? {
                break;
            }
            let before = self.numbers.len();
            let added = self.fill(field, BATCH_BYTES as u64).and_then(|()| self.add_vector(field, leaf));
            added.and_then(|()| self.check_dims(self.numbers.len() - before)).map_err(|e| self.at_row(&self.fields[field].name, e))?;
            if self.dims.is_none() {
                let dims = self.numbers.len() - before;
                // A hint of what all will need; it is refused here rather than by an end of the process.
                memory::ask(BATCH_BYTES + dims * 4)?;
                self.dims = Some(dims);
            }
            self.given += 1;
            self.row += 1;
            count += 1;
        }
        Ok(count)
    }

    fn check_dims(&self, dims: usize) -> Result<(), Refusal> {
        match self.dims {
            Some(first) if first != dims => Err(format!("a vector of {dims} numbers; the first row's has {first}").into()),
            _ => Ok(()),
        }
    }

    fn add_vector(&mut self, field: usize, at: usize) -> Result<(), Refusal> {
        let node = &self.fields[field].node;
        let null = || Refusal::from("null, where a vector was expected".to_string());
        if node.take_null(&mut self.leaves)? {
            return Err(null());
        }
        let Shape::List { def, rep, .. } = node.shape else { return Err(null()) };
        let leaf = &mut self.leaves[at];
        if leaf.def()? <= def {
            return Err("an empty vector".to_string().into());
        }
        loop {
            if leaf.def()? < leaf.most_def {
                return Err("a vector with a null in it".to_string().into());
            }
            let i = leaf.index()?;
            self.numbers.push(match &leaf.values {
                Values::Float(v) => v[i],
                Values::Double(v) => {
                    let x = v[i] as f32;
                    if x.is_infinite() && v[i].is_finite() {
                        return Err(format!("{} is beyond the range of float32", v[i]).into());
                    }
                    x
                }
                Values::Fixed(v) => value::half(v[i].data()),
                _ => return Err(null()),
            });
            leaf.advance()?;
            if leaf.rep() <= rep {
                return Ok(());
            }
        }
    }

    /// How many floats the first list has that is neither null nor empty; 0: none was found near the begin.
    fn first_length(&self, field: usize) -> Result<usize, Refusal> {
        const LOOKED_AT: usize = 64;
        let Some(at) = self.leaf_of_floats(&self.fields[field]) else { return Ok(0) };
        for group in 0..self.reader.num_row_groups() {
            let group = self.reader.get_row_group(group)?;
            let about = group.metadata();
            if about.num_rows() < 1 || about.num_columns() <= at {
                continue;
            }
            let descriptor = about.column(at).column_descr_ptr();
            let mut leaf = Leaf::new(&descriptor.self_type_ptr(), descriptor.max_def_level(), &self.budget);
            leaf.begin(descriptor, group.get_column_page_reader(at)?);
            for _ in 0..LOOKED_AT.min(about.num_rows() as usize) {
                leaf.read(1, 0)?;
                if leaf.values.len() > 0 {
                    return Ok(leaf.values.len());
                }
            }
            return Ok(0);
        }
        Ok(0)
    }

    /// The column called `name`; without a name, the only one, or one called as vectors are called.
    fn column_of_vectors(&self, name: &str) -> Result<usize, Refusal> {
        let floats: Vec<usize> = (0..self.fields.len()).filter(|&i| self.is_floats(&self.fields[i])).collect();
        let quoted = |list: &mut dyn Iterator<Item = usize>| {
            list.take(20).map(|i| format!("\"{}\"", self.fields[i].name)).collect::<Vec<_>>().join(", ")
        };
        let all = quoted(&mut (0..self.fields.len()));
        let of_vectors = quoted(&mut floats.iter().copied());
        if self.fields.is_empty() {
            return Err("it has no columns".to_string().into());
        }
        if floats.is_empty() {
            return Err(format!("it has no column of vectors (lists of floating-point numbers); its columns are {all}").into());
        }
        if !name.is_empty() {
            return match (0..self.fields.len()).find(|&i| self.fields[i].name == name) {
                Some(found) if floats.contains(&found) => Ok(found),
                Some(_) => Err(format!("its column \"{name}\" holds no vectors (lists of floating-point numbers); {of_vectors} would").into()),
                None => Err(format!("it has no column \"{name}\"; its columns of vectors are {of_vectors}").into()),
            };
        }
        if let [only] = floats[..] {
            return Ok(only);
        }
        for name in ["vectors", "vector", "embeddings", "embedding"] {
            let mut called = floats.iter().filter(|&&i| self.fields[i].name == name);
            if let Some(&found) = called.next() {
                return Ok(found);
            }
        }
        Err(Refusal { reason: format!("it has several columns of vectors: {of_vectors}"), kind: Kind::Choice })
    }

    fn bytes_taken(&self) -> u64 {
        let of_group = u128::from(self.group_bytes) * u128::from(self.given) / u128::from(self.rows.max(1));
        self.bytes_before + of_group as u64
    }
}

/// What a call gives: of `open`, `owner`; of the others, a number of rows. `error` is empty if it went well; it holds
/// until the next call, or until `shoal_parquet_free`.
#[repr(C)]
pub struct Answer {
    owner: *mut Parquet,
    rows: u64,
    columns: *const ColumnView,
    numbers: *const f32,
    dims: usize,
    /// Of vectors: bytes of a number in the file.
    width: usize,
    error: Bytes,
    kind: Kind,
}

impl Answer {
    fn none() -> Self {
        Answer {
            owner: std::ptr::null_mut(),
            rows: 0,
            columns: std::ptr::null(),
            numbers: std::ptr::null(),
            dims: 0,
            width: 0,
            error: Bytes::of(b""),
            kind: Kind::Input,
        }
    }
}

fn refused(refusal: Refusal) -> Answer {
    let reason = if refusal.reason.is_empty() { "it is damaged".to_string() } else { refusal.reason };
    // Leaked: a call that failed is the last one of its file.
    let error = Bytes::of(Box::leak(reason.into_boxed_str()).as_bytes());
    Answer { error, kind: refusal.kind, ..Answer::none() }
}

/// Opens the file of descriptor `fd`, which is taken over. The columns that `next` gives are all, until others are
/// selected. A row longer than `most_record` bytes is refused.
///
/// # Safety
/// `fd` must be open, and nobody else may close it.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_open(fd: i32, most_record: usize) -> Answer {
    let file = File::from_raw_fd(fd);
    match guarded(LIBRARY, || Parquet::open(file).map(|opened| Parquet { most_record, ..opened })) {
        Ok(parquet) => Answer { owner: Box::into_raw(Box::new(parquet)), ..Answer::none() },
        Err(refusal) => refused(refusal),
    }
}

/// The columns of the file, in its order, and their number; valid until it is freed.
///
/// # Safety
/// `parquet` must come from `shoal_parquet_open`.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_fields(parquet: *mut Parquet, count: *mut usize) -> *const FieldView {
    let parquet = &mut *parquet;
    let names = parquet.fields.iter().map(|f| FieldView { name: Bytes::of(f.name.as_bytes()), floats: parquet.is_floats(f) });
    parquet.names = names.collect();
    *count = parquet.names.len();
    parquet.names.as_ptr()
}

/// `rows` is the length of the first list of a column of floats, as far as one stands near the begin; else 0.
///
/// # Safety
/// `parquet` must come from `shoal_parquet_open`; `field` must be one of its columns.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_first_length(parquet: *const Parquet, field: usize) -> Answer {
    let parquet = &*parquet;
    match guarded(LIBRARY, || parquet.first_length(field)) {
        Ok(rows) => Answer { rows: rows as u64, ..Answer::none() },
        Err(refusal) => refused(refusal),
    }
}

/// From now on only these columns are read, in this order. Before the first row.
///
/// # Safety
/// `fields` must be `count` numbers of columns, no two alike.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_select(parquet: *mut Parquet, fields: *const usize, count: usize) {
    (*parquet).wanted = if count == 0 { vec![] } else { std::slice::from_raw_parts(fields, count).to_vec() };
}

/// The next rows, at most `most`; 0 at the end. `columns` are those that were selected; valid until the next call.
///
/// # Safety
/// `parquet` must come from `shoal_parquet_open`.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_next(parquet: *mut Parquet, most: usize) -> Answer {
    let parquet = &mut *parquet;
    match guarded(LIBRARY, || parquet.next(most)) {
        Ok(rows) => Answer { rows: rows as u64, columns: parquet.views.as_ptr(), ..Answer::none() },
        Err(refusal) => refused(refusal),
    }
}

/// Opens the file of descriptor `fd`, which is taken over, for its vectors: the column called `name`; if that is empty,
/// the only one of lists of floats, or one called as vectors are called. `rows`: how many it says it has.
///
/// # Safety
/// `fd` must be open, and nobody else may close it; `name` must be UTF-8.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_vectors_open(fd: i32, name: Bytes) -> Answer {
    let file = File::from_raw_fd(fd);
    let opened = guarded(LIBRARY, || {
        let mut parquet = Parquet::open(file)?;
        parquet.wanted = vec![parquet.column_of_vectors(name.text())?];
        Ok(parquet)
    });
    match opened {
        Ok(parquet) => {
            let width = match parquet.leaf_of_floats(&parquet.fields[parquet.wanted[0]]).map(|leaf| &parquet.leaves[leaf].values) {
                Some(Values::Double(_)) => 8,
                Some(Values::Float(_)) => 4,
                _ => 2,
            };
            let rows = u64::try_from(parquet.reader.metadata().file_metadata().num_rows()).unwrap_or(0);
            Answer { owner: Box::into_raw(Box::new(parquet)), rows, width, ..Answer::none() }
        }
        Err(refusal) => refused(refusal),
    }
}

/// The next rows as `rows` x `dims` floats, at most `most`; 0 at the end.
///
/// # Safety
/// `parquet` must come from `shoal_parquet_vectors_open`.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_vectors_next(parquet: *mut Parquet, most: usize) -> Answer {
    let parquet = &mut *parquet;
    match guarded(LIBRARY, || parquet.next_vectors(most)) {
        Ok(rows) => Answer {
            rows: rows as u64,
            numbers: parquet.numbers.as_ptr(),
            dims: parquet.dims.unwrap_or(0),
            ..Answer::none()
        },
        Err(refusal) => refused(refusal),
    }
}

/// Bytes of the file that stand behind the rows given out.
///
/// # Safety
/// `parquet` must come from `shoal_parquet_open`.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_bytes(parquet: *const Parquet) -> u64 {
    (*parquet).bytes_taken()
}

/// # Safety
/// `parquet` must come from `shoal_parquet_open` and is gone afterwards.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_free(parquet: *mut Parquet) {
    let _ = guarded(LIBRARY, || {
        drop(Box::from_raw(parquet));
        Ok(())
    });
}
