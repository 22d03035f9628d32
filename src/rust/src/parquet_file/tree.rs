//! A column as a tree: its leaves hold the values of a batch of rows and the levels that say where lists and nulls are.

use super::value::{self, Kind, Meaning};
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use super::pages::{Budget, CheckedPages, Course};
use crate::Refusal;
use parquet::column::page::PageReader;
use parquet::column::reader::{get_column_reader, ColumnReader};
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::schema::types::{ColumnDescPtr, Type};
use std::sync::{Arc, Mutex};

type Result<T> = std::result::Result<T, Refusal>;

const DEEPEST: usize = 100;
/// Rows that a leaf reads at a time, at most.
const LEAF_ROWS: u64 = 1024;

fn damaged(what: &str) -> Refusal {
    what.to_string().into()
}

/// A row has become longer than is allowed.
fn too_long() -> Refusal {
    Refusal { reason: String::new(), kind: crate::Kind::TooLong }
}

pub enum Values {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int96(Vec<Int96>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

impl Values {
    fn of(physical: Physical) -> Self {
        match physical {
            Physical::BOOLEAN => Values::Bool(vec![]),
            Physical::INT32 => Values::Int32(vec![]),
            Physical::INT64 => Values::Int64(vec![]),
            Physical::INT96 => Values::Int96(vec![]),
            Physical::FLOAT => Values::Float(vec![]),
            Physical::DOUBLE => Values::Double(vec![]),
            Physical::BYTE_ARRAY => Values::Bytes(vec![]),
            Physical::FIXED_LEN_BYTE_ARRAY => Values::Fixed(vec![]),
        }
    }

    /// Bytes that one takes here, without those of a text.
    fn size(&self) -> u64 {
        let size = match self {
            Values::Bool(_) => 1,
            Values::Int32(_) | Values::Float(_) => 4,
            Values::Int64(_) | Values::Double(_) => 8,
            Values::Int96(_) => std::mem::size_of::<Int96>(),
            Values::Bytes(_) => std::mem::size_of::<ByteArray>(),
            Values::Fixed(_) => std::mem::size_of::<FixedLenByteArray>(),
        };
        size as u64
    }

    fn clear(&mut self) {
        match self {
            Values::Bool(v) => v.clear(),
            Values::Int32(v) => v.clear(),
            Values::Int64(v) => v.clear(),
            Values::Int96(v) => v.clear(),
            Values::Float(v) => v.clear(),
            Values::Double(v) => v.clear(),
            Values::Bytes(v) => v.clear(),
            Values::Fixed(v) => v.clear(),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Values::Bool(v) => v.len(),
            Values::Int32(v) => v.len(),
            Values::Int64(v) => v.len(),
            Values::Int96(v) => v.len(),
            Values::Float(v) => v.len(),
            Values::Double(v) => v.len(),
            Values::Bytes(v) => v.len(),
            Values::Fixed(v) => v.len(),
        }
    }
}

/// Bytes of a level: two numbers.
const LEVEL: u64 = 4;

/// A leaf and the rows of it that were read last.
pub struct Leaf {
    pub meaning: Meaning,
    pub most_def: i16,
    pub values: Values,
    reader: Option<ColumnReader>,
    course: Arc<Mutex<Course>>,
    budget: Arc<Budget>,
    /// Bytes that are counted in the budget.
    held: u64,
    def: Vec<i16>,
    rep: Vec<i16>,
    levels: usize,
    at: usize,
    value: usize,
}

impl Leaf {
    pub fn new(of: &Type, most_def: i16, budget: &Arc<Budget>) -> Self {
        Leaf {
            meaning: value::meaning(of),
            most_def,
            values: Values::of(of.get_physical_type()),
            reader: None,
            course: Arc::default(),
            budget: budget.clone(),
            held: 0,
            def: vec![],
            rep: vec![],
            levels: 0,
            at: 0,
            value: 0,
        }
    }

    /// Begins a row group, of which these are the pages.
    pub fn begin(&mut self, descriptor: ColumnDescPtr, pages: Box<dyn PageReader>) {
        self.clear();
        self.course = Arc::default();
        let pages = Box::new(CheckedPages {
            pages,
            most_rep: descriptor.max_rep_level(),
            most_def: descriptor.max_def_level(),
            cost: LEVEL + self.values.size(),
            course: self.course.clone(),
            budget: self.budget.clone(),
        });
        self.reader = Some(get_column_reader(descriptor, pages));
    }

    fn clear(&mut self) {
        self.values.clear();
        self.def.clear();
        self.rep.clear();
        (self.levels, self.at, self.value) = (0, 0, 0);
        self.budget.exchange(self.held, 0);
        self.held = 0;
    }

    fn course(&self) -> Course {
        *self.course.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub fn is_used_up(&self) -> bool {
        self.at >= self.levels
    }

    /// Reads the next rows, at least one and at most `rows`: as many as stand in the page at hand and take about
    /// `bytes`.
    pub fn read(&mut self, rows: u64, bytes: u64) -> Result<()> {
        self.clear();
        let course = self.course();
        let a_row = course.longest.max(1).saturating_mul((LEVEL + self.values.size()).saturating_add(course.copied));
        let most = (bytes / a_row).min(LEAF_ROWS).min(course.rows).min(rows).max(1) as usize;
        let (def, rep) = (Some(&mut self.def), Some(&mut self.rep));
        let reader = self.reader.as_mut().ok_or_else(|| damaged("a column is missing"))?;
        let (records, _, levels) = match (reader, &mut self.values) {
            (ColumnReader::BoolColumnReader(r), Values::Bool(v)) => r.read_records(most, def, rep, v),
            (ColumnReader::Int32ColumnReader(r), Values::Int32(v)) => r.read_records(most, def, rep, v),
            (ColumnReader::Int64ColumnReader(r), Values::Int64(v)) => r.read_records(most, def, rep, v),
            (ColumnReader::Int96ColumnReader(r), Values::Int96(v)) => r.read_records(most, def, rep, v),
            (ColumnReader::FloatColumnReader(r), Values::Float(v)) => r.read_records(most, def, rep, v),
            (ColumnReader::DoubleColumnReader(r), Values::Double(v)) => r.read_records(most, def, rep, v),
            (ColumnReader::ByteArrayColumnReader(r), Values::Bytes(v)) => r.read_records(most, def, rep, v),
            (ColumnReader::FixedLenByteArrayColumnReader(r), Values::Fixed(v)) => r.read_records(most, def, rep, v),
            _ => return Err(damaged("a column is not of the type that it is said to be")),
        }?;
        if records == 0 {
            return Err(damaged("a column ends before its row group"));
        }
        let mut course = self.course.lock().unwrap_or_else(|e| e.into_inner());
        course.rows = course.rows.saturating_sub(records as u64);
        self.levels = levels;
        self.held = LEVEL * levels as u64 + self.values.size() * self.values.len() as u64;
        self.budget.exchange(0, self.held);
        Ok(())
    }

    /// The definition level here; an error where the values are used up.
    pub fn def(&self) -> Result<i16> {
        if self.at >= self.levels {
            return Err(damaged("a column has fewer values than others"));
        }
        Ok(self.def.get(self.at).copied().unwrap_or(self.most_def))
    }

    /// The repetition level here; 0, a new row, at the end.
    pub fn rep(&self) -> i16 {
        if self.at >= self.levels {
            0
        } else {
            self.rep.get(self.at).copied().unwrap_or(0)
        }
    }

    pub fn advance(&mut self) -> Result<()> {
        if self.def()? == self.most_def {
            self.value += 1;
        }
        self.at += 1;
        Ok(())
    }

    /// The place of the value here among `values`.
    pub fn index(&self) -> Result<usize> {
        if self.value >= self.values.len() {
            return Err(damaged("a column has fewer values than it says"));
        }
        Ok(self.value)
    }

    /// Adds the value here, as text, and steps on.
    fn add(&mut self, out: &mut Vec<u8>) -> Result<Kind> {
        let i = self.index()?;
        let mut text = String::new();
        let kind = match &self.values {
            Values::Bool(v) => value::add_bool(v[i], &mut text),
            Values::Int32(v) => value::add_int(i64::from(v[i]), true, self.meaning, &mut text),
            Values::Int64(v) => value::add_int(v[i], false, self.meaning, &mut text),
            Values::Int96(v) => value::add_int96(&v[i], &mut text),
            Values::Float(v) => {
                value::add_single(v[i], &mut text);
                Kind::Json
            }
            Values::Double(v) => {
                value::add_double(v[i], &mut text);
                Kind::Json
            }
            Values::Bytes(v) => value::add_bytes(v[i].data(), self.meaning, out),
            Values::Fixed(v) => value::add_bytes(v[i].data(), self.meaning, out),
        };
        out.extend_from_slice(text.as_bytes());
        self.advance()?;
        Ok(kind)
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        self.budget.exchange(self.held, 0);
    }
}

pub enum Shape {
    Leaf(usize),
    Group(Vec<(String, Node)>),
    /// `def`, `rep`: the levels of the list itself, above which its elements are.
    List { def: i16, rep: i16, element: Box<Node> },
    Map { def: i16, rep: i16, key: Box<Node>, value: Box<Node> },
}

pub struct Node {
    /// The level from which on it is not null; 0: it never is, or its parent tells.
    null_below: i16,
    /// Its leaves: `first..end`, at least one.
    first: usize,
    end: usize,
    pub shape: Shape,
}

/// Whether the repeated field of a list is its element, as old writers had it:
/// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#backward-compatibility-rules
fn is_element(repeated: &Type, list: &str) -> bool {
    repeated.is_primitive()
        || repeated.get_fields().len() != 1
        || repeated.name() == "array"
        || repeated.name() == format!("{list}_tuple")
}

/// The tree of a field whose parent has the levels `def` and `rep`. Leaves are added in the order of the file.
pub fn plant(of: &Type, mut def: i16, mut rep: i16, leaves: &mut Vec<Leaf>, budget: &Arc<Budget>, depth: usize) -> Result<Node> {
    if depth > DEEPEST {
        return Err(damaged("its columns are nested too deep"));
    }
    let info = of.get_basic_info();
    let repetition = if info.has_repetition() { info.repetition() } else { Repetition::REQUIRED };
    let (outer_def, outer_rep) = (def, rep);
    def += i16::from(repetition != Repetition::REQUIRED);
    rep += i16::from(repetition == Repetition::REPEATED);
    let first = leaves.len();
    let shape = plant_shape(of, def, rep, leaves, budget, depth)?;
    let end = leaves.len();
    if end == first {
        return Err(damaged("it has a group of no columns"));
    }
    let null_below = if repetition == Repetition::OPTIONAL { def } else { 0 };
    let node = Node { null_below, first, end, shape };
    Ok(if repetition == Repetition::REPEATED {
        let shape = Shape::List { def: outer_def, rep: outer_rep, element: Box::new(node) };
        Node { null_below: 0, first, end, shape }
    } else {
        node
    })
}

fn plant_shape(of: &Type, def: i16, rep: i16, leaves: &mut Vec<Leaf>, budget: &Arc<Budget>, depth: usize) -> Result<Shape> {
    if of.is_primitive() {
        leaves.push(Leaf::new(of, def, budget));
        return Ok(Shape::Leaf(leaves.len() - 1));
    }
    let info = of.get_basic_info();
    let converted = info.converted_type();
    let only = match of.get_fields() {
        [field] if field.get_basic_info().has_repetition() && field.get_basic_info().repetition() == Repetition::REPEATED => Some(field),
        _ => None,
    };
    let is_list = info.logical_type_ref() == Some(&LogicalType::List) || converted == ConvertedType::LIST;
    let is_map = info.logical_type_ref() == Some(&LogicalType::Map)
        || matches!(converted, ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE);
    if let (true, Some(repeated)) = (is_list, only) {
        if is_element(repeated, of.name()) {
            return Ok(plant(repeated, def, rep, leaves, budget, depth + 1)?.shape); // a list already
        }
        let element = plant(&repeated.get_fields()[0], def + 1, rep + 1, leaves, budget, depth + 1)?;
        return Ok(Shape::List { def, rep, element: Box::new(element) });
    }
    if let (true, Some(repeated)) = (is_map, only) {
        if let (false, [key, value]) = (repeated.is_primitive(), if repeated.is_primitive() { &[] } else { repeated.get_fields() }) {
            let key = Box::new(plant(key, def + 1, rep + 1, leaves, budget, depth + 1)?);
            let value = Box::new(plant(value, def + 1, rep + 1, leaves, budget, depth + 1)?);
            return Ok(Shape::Map { def, rep, key, value });
        }
    }
    let mut fields = vec![];
    for field in of.get_fields() {
        fields.push((field.name().to_string(), plant(field, def, rep, leaves, budget, depth + 1)?));
    }
    Ok(Shape::Group(fields))
}

impl Node {
    /// Error if a leaf stands inside a row.
    pub fn begins_row(&self, leaves: &[Leaf]) -> Result<()> {
        if leaves[self.leaves()].iter().any(|leaf| leaf.rep() != 0) {
            return Err(damaged("a column has more values than others"));
        }
        Ok(())
    }

    fn skip(&self, leaves: &mut [Leaf]) -> Result<()> {
        leaves[self.first..self.end].iter_mut().try_for_each(Leaf::advance)
    }

    pub fn leaves(&self) -> std::ops::Range<usize> {
        self.first..self.end
    }

    /// Whether the value here is null; then it is passed over.
    pub fn take_null(&self, leaves: &mut [Leaf]) -> Result<bool> {
        let null = leaves[self.first].def()? < self.null_below;
        if null {
            self.skip(leaves)?;
        }
        Ok(null)
    }

    /// Adds the value of the next row: a string as it is, anything else as JSON; nothing for null. `out` may have
    /// `most` bytes then.
    pub fn add(&self, leaves: &mut [Leaf], out: &mut Vec<u8>, most: usize) -> Result<Kind> {
        if self.take_null(leaves)? {
            return Ok(Kind::Null);
        }
        let kind = if let Shape::Leaf(leaf) = self.shape {
            leaves[leaf].add(out)?
        } else {
            self.add_json_of(leaves, out, most)?;
            Kind::Json
        };
        if out.len() > most {
            return Err(too_long());
        }
        Ok(kind)
    }

    fn add_json(&self, leaves: &mut [Leaf], out: &mut Vec<u8>, most: usize) -> Result<()> {
        if self.take_null(leaves)? {
            out.extend_from_slice(b"null");
        } else {
            self.add_json_of(leaves, out, most)?;
        }
        if out.len() > most {
            return Err(too_long());
        }
        Ok(())
    }

    fn add_json_of(&self, leaves: &mut [Leaf], out: &mut Vec<u8>, most: usize) -> Result<()> {
        match &self.shape {
            Shape::Leaf(leaf) => {
                let begin = out.len();
                if leaves[*leaf].add(out)? == Kind::String {
                    let text = out.split_off(begin);
                    value::add_quoted(&text, out);
                }
            }
            Shape::Group(fields) => {
                for (i, (name, field)) in fields.iter().enumerate() {
                    out.push(if i == 0 { b'{' } else { b',' });
                    value::add_quoted(name.as_bytes(), out);
                    out.push(b':');
                    field.add_json(leaves, out, most)?;
                }
                out.push(b'}');
            }
            Shape::List { def, rep, element } => {
                out.push(b'[');
                if leaves[self.first].def()? <= *def {
                    self.skip(leaves)?;
                } else {
                    loop {
                        element.add_json(leaves, out, most)?;
                        if leaves[self.first].rep() <= *rep {
                            break;
                        }
                        out.push(b',');
                    }
                }
                out.push(b']');
            }
            Shape::Map { def, rep, key, value } => {
                out.push(b'{');
                if leaves[self.first].def()? <= *def {
                    self.skip(leaves)?;
                } else {
                    loop {
                        let mut name = vec![];
                        key.add(leaves, &mut name, most)?;
                        value::add_quoted(&name, out);
                        out.push(b':');
                        value.add_json(leaves, out, most)?;
                        if leaves[self.first].rep() <= *rep {
                            break;
                        }
                        out.push(b',');
                    }
                }
                out.push(b'}');
            }
        }
        Ok(())
    }
}
