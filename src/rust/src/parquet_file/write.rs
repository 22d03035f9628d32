//! New files: rows are gathered into row groups, and what is ready is handed over after each call.

use super::{arrow, LIBRARY};
use crate::{guarded, Bytes, Kind, Refusal};
use bytes::Bytes as Shared;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type,
};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type};
use std::sync::{Arc, Mutex};

/// Rows and bytes of a row group at most; a batch is never split.
const GROUP_ROWS: usize = 65_536;
const GROUP_BYTES: usize = 64 << 20;

/// What a new column holds. The numbers are those of `ParquetType` in C++.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq)]
#[allow(dead_code)] // C++ makes them
pub enum Holds {
    Bool = 0,
    Int32 = 1,
    Int64 = 2,
    Float = 3,
    Double = 4,
    String = 5,
    /// Days since 1970-01-01.
    Date = 6,
    /// Microseconds since then, of no time zone.
    Timestamp = 7,
    /// The same in UTC.
    TimestampUtc = 8,
    /// `dims` floats.
    Vector = 9,
}

#[repr(C)]
pub struct NewField {
    name: Bytes,
    holds: Holds,
    dims: usize,
}

/// The values of a column for some rows. `there[i]` is 0 where a value is null, which stands in the arrays too. `whole`
/// has Bool, Int32, Int64, Date and both timestamps; `real` Float and Double; texts are `text.slice(ends[i - 1], ends[i])`;
/// `vectors` has `dims` floats a row and no nulls.
#[repr(C)]
pub struct NewValues {
    there: *const u8,
    whole: *const i64,
    real: *const f64,
    text: Bytes,
    ends: *const u64,
    vectors: *const f32,
}

enum Gathered {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Text(Vec<ByteArray>),
}

struct Column {
    holds: Holds,
    dims: usize,
    values: Gathered,
    def: Vec<i16>,
}

/// What is written, until it is handed over.
#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(|e| e.into_inner()).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub struct Writer {
    out: Out,
    writer: SerializedFileWriter<Out>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
    ready: Vec<u8>,
}

fn field(name: &str, holds: Holds) -> Result<Type, Refusal> {
    let (physical, logical) = match holds {
        Holds::Bool => (Physical::BOOLEAN, None),
        Holds::Int32 => (Physical::INT32, None),
        Holds::Int64 => (Physical::INT64, None),
        Holds::Float => (Physical::FLOAT, None),
        Holds::Double => (Physical::DOUBLE, None),
        Holds::String => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Holds::Date => (Physical::INT32, Some(LogicalType::Date)),
        Holds::Timestamp => (Physical::INT64, Some(LogicalType::timestamp(false, TimeUnit::MICROS))),
        Holds::TimestampUtc => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Holds::Vector => {
            let element = Type::primitive_type_builder("element", Physical::FLOAT).with_repetition(Repetition::REQUIRED);
            let list = Type::group_type_builder("list")
                .with_repetition(Repetition::REPEATED)
                .with_fields(vec![Arc::new(element.build()?)]);
            let vector = Type::group_type_builder(name)
                .with_repetition(Repetition::REQUIRED)
                .with_logical_type(Some(LogicalType::List))
                .with_fields(vec![Arc::new(list.build()?)]);
            return Ok(vector.build()?);
        }
    };
    let builder = Type::primitive_type_builder(name, physical).with_logical_type(logical);
    Ok(builder.with_repetition(Repetition::OPTIONAL).build()?)
}

fn gathered(holds: Holds) -> Gathered {
    match holds {
        Holds::Bool => Gathered::Bool(vec![]),
        Holds::Int32 | Holds::Date => Gathered::Int32(vec![]),
        Holds::Int64 | Holds::Timestamp | Holds::TimestampUtc => Gathered::Int64(vec![]),
        Holds::Float | Holds::Vector => Gathered::Float(vec![]),
        Holds::Double => Gathered::Double(vec![]),
        Holds::String => Gathered::Text(vec![]),
    }
}

impl Writer {
    fn new(fields: &[NewField], made_by: &str) -> Result<Self, Refusal> {
        let mut properties = WriterProperties::builder()
            .set_created_by(made_by.into())
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_statistics_enabled(EnabledStatistics::Chunk);
        let about = fields.iter().map(|new| (unsafe { new.name.text() }, new.holds, new.dims));
        properties = properties.set_key_value_metadata(Some(vec![arrow::schema(about)]));
        let (mut types, mut columns) = (vec![], vec![]);
        for new in fields {
            let name = unsafe { new.name.text() };
            types.push(Arc::new(field(name, new.holds)?));
            columns.push(Column { holds: new.holds, dims: new.dims, values: gathered(new.holds), def: vec![] });
            if new.holds == Holds::Vector {
                // Numbers that hardly ever recur: no dictionary, no smallest and largest.
                let path = ColumnPath::new(vec![name.into(), "list".into(), "element".into()]);
                properties = properties
                    .set_column_dictionary_enabled(path.clone(), false)
                    .set_column_statistics_enabled(path, EnabledStatistics::None);
            }
        }
        let schema = Arc::new(Type::group_type_builder("schema").with_fields(types).build()?);
        let out = Out::default();
        let writer = SerializedFileWriter::new(out.clone(), schema, Arc::new(properties.build()))?;
        Ok(Writer { out, writer, columns, rows: 0, bytes: 0, ready: vec![] })
    }

    unsafe fn add(&mut self, values: &[NewValues], rows: usize) -> Result<(), Refusal> {
        for (column, new) in self.columns.iter_mut().zip(values) {
            if column.holds == Holds::Vector {
                let Gathered::Float(v) = &mut column.values else { continue };
                v.extend_from_slice(std::slice::from_raw_parts(new.vectors, rows * column.dims));
                self.bytes += 4 * rows * column.dims;
                continue;
            }
            let text = Shared::copy_from_slice(new.text.slice());
            self.bytes += text.len() + 8 * rows;
            for i in 0..rows {
                let there = *new.there.add(i) != 0;
                column.def.push(i16::from(there));
                if !there {
                    continue;
                }
                match &mut column.values {
                    Gathered::Bool(v) => v.push(*new.whole.add(i) != 0),
                    Gathered::Int32(v) => v.push(*new.whole.add(i) as i32),
                    Gathered::Int64(v) => v.push(*new.whole.add(i)),
                    Gathered::Float(v) => v.push(*new.real.add(i) as f32),
                    Gathered::Double(v) => v.push(*new.real.add(i)),
                    Gathered::Text(v) => {
                        let begin = if i == 0 { 0 } else { *new.ends.add(i - 1) };
                        v.push(text.slice(begin as usize..*new.ends.add(i) as usize).into());
                    }
                }
            }
        }
        self.rows += rows;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Refusal> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let mut rep = None;
            if column.holds == Holds::Vector {
                column.def = vec![1; self.rows * column.dims];
                rep = Some((0..self.rows * column.dims).map(|i| i16::from(i % column.dims != 0)).collect::<Vec<_>>());
            }
            let (def, rep) = (&column.def[..], rep.as_deref());
            match &mut column.values {
                Gathered::Bool(v) => write::<BoolType>(&mut group, v, def, rep)?,
                Gathered::Int32(v) => write::<Int32Type>(&mut group, v, def, rep)?,
                Gathered::Int64(v) => write::<Int64Type>(&mut group, v, def, rep)?,
                Gathered::Float(v) => write::<FloatType>(&mut group, v, def, rep)?,
                Gathered::Double(v) => write::<DoubleType>(&mut group, v, def, rep)?,
                Gathered::Text(v) => write::<ByteArrayType>(&mut group, v, def, rep)?,
            }
            column.def.clear();
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Refusal> {
        self.flush()?;
        self.writer.finish()?;
        Ok(())
    }
}

fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Out>,
    values: &mut Vec<T::T>,
    def: &[i16],
    rep: Option<&[i16]>,
) -> Result<(), Refusal> {
    let mut column = group.next_column()?.ok_or_else(|| "a column too many".to_string())?;
    column.typed::<T>().write_batch(values, Some(def), rep)?;
    column.close()?;
    values.clear();
    Ok(())
}

/// `owner` of a new writer, or the bytes to be appended to the file; they hold until the next call.
#[repr(C)]
pub struct Written {
    owner: *mut Writer,
    bytes: Bytes,
    error: Bytes,
    kind: Kind,
}

fn refused(refusal: Refusal) -> Written {
    let reason = if refusal.reason.is_empty() { "it cannot be written".to_string() } else { refusal.reason };
    let error = Bytes::of(Box::leak(reason.into_boxed_str()).as_bytes());
    Written { owner: std::ptr::null_mut(), bytes: Bytes::of(b""), error, kind: refusal.kind }
}

fn handed(writer: &mut Writer, done: Result<(), Refusal>) -> Written {
    if let Err(refusal) = done {
        return refused(refusal);
    }
    writer.ready = std::mem::take(&mut *writer.out.0.lock().unwrap_or_else(|e| e.into_inner()));
    Written { owner: writer, bytes: Bytes::of(&writer.ready), error: Bytes::of(b""), kind: Kind::Input }
}

/// Begins a file of these columns.
///
/// # Safety
/// `fields` must be `count` descriptions with names in UTF-8; `made_by` must be UTF-8.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_writer(fields: *const NewField, count: usize, made_by: Bytes) -> Written {
    let fields = std::slice::from_raw_parts(fields, count);
    match guarded(LIBRARY, || Writer::new(fields, made_by.text())) {
        Ok(writer) => handed(&mut *Box::into_raw(Box::new(writer)), Ok(())),
        Err(refusal) => refused(refusal),
    }
}

/// Adds `rows` rows.
///
/// # Safety
/// `values` must hold one for each column, each with `rows` values.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_write(writer: *mut Writer, values: *const NewValues, rows: usize) -> Written {
    let writer = &mut *writer;
    let values = std::slice::from_raw_parts(values, writer.columns.len());
    let done = guarded(LIBRARY, || writer.add(values, rows));
    handed(writer, done)
}

/// The end of the file.
///
/// # Safety
/// `writer` must come from `shoal_parquet_writer`.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_finish(writer: *mut Writer) -> Written {
    let writer = &mut *writer;
    let done = guarded(LIBRARY, || writer.finish());
    handed(writer, done)
}

/// # Safety
/// `writer` must come from `shoal_parquet_writer` and is gone afterwards.
#[no_mangle]
pub unsafe extern "C" fn shoal_parquet_writer_free(writer: *mut Writer) {
    let _ = guarded(LIBRARY, || {
        drop(Box::from_raw(writer));
        Ok(())
    });
}
