//! The schema of a new file as Arrow has it, by which readers know a vector of a fixed length from a list.

use super::write::Holds;
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::file::metadata::KeyValue;
use std::sync::Arc;

fn type_of(holds: Holds, dims: usize) -> DataType {
    match holds {
        Holds::Bool => DataType::Boolean,
        Holds::Int32 => DataType::Int32,
        Holds::Int64 => DataType::Int64,
        Holds::Float => DataType::Float32,
        Holds::Double => DataType::Float64,
        Holds::String => DataType::Utf8,
        Holds::Date => DataType::Date32,
        Holds::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        Holds::TimestampUtc => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Holds::Vector => {
            let element = Arc::new(Field::new("element", DataType::Float32, false));
            // Longer ones stay lists.
            i32::try_from(dims).map_or(DataType::List(element.clone()), |n| DataType::FixedSizeList(element, n))
        }
    }
}

/// The entry of the file's metadata that Arrow's libraries look for: a message of its IPC format with what goes before
/// one, in base64. `columns`: name, what it holds, length of a vector.
pub fn schema<'a>(columns: impl Iterator<Item = (&'a str, Holds, usize)>) -> KeyValue {
    let fields = columns.map(|(name, holds, dims)| Field::new(name, type_of(holds, dims), holds != Holds::Vector));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let encoded = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(
        &schema,
        &mut DictionaryTracker::new(true),
        &IpcWriteOptions::default(),
    );
    let mut message = vec![0xFF; 4];
    message.extend_from_slice(&(encoded.ipc_message.len() as u32).to_le_bytes());
    message.extend_from_slice(&encoded.ipc_message);
    KeyValue::new("ARROW:schema".into(), base64::encode(message))
}
