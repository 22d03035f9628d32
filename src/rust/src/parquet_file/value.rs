//! One value as text: what a CSV or JSONL file of the same data would have.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::data_type::Int96;
use parquet::schema::types::Type;
use std::fmt::Write;

/// What the JSON of a value is. The numbers are those of `CellKind` in C++.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
pub enum Kind {
    String = 0,
    Null = 1,
    /// A number, true, false, a list or an object: JSON text.
    Json = 2,
}

/// How a leaf's values are to be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    Bool,
    Signed,
    Unsigned,
    Float16,
    Float,
    Double,
    Decimal(i32),
    Text,
    Json,
    /// Text if it is UTF-8, else base64.
    Bytes,
    Uuid,
    Date,
    /// Units of a second.
    Time(u32),
    Timestamp(u32, bool),
    Timestamp96,
    Interval,
    /// Of nothing but nulls.
    Nothing,
}

fn units(unit: &TimeUnit) -> u32 {
    match unit {
        TimeUnit::MILLIS => 1_000,
        TimeUnit::MICROS => 1_000_000,
        TimeUnit::NANOS => 1_000_000_000,
    }
}

pub fn meaning(leaf: &Type) -> Meaning {
    let physical = leaf.get_physical_type();
    match leaf.get_basic_info().logical_type_ref() {
        Some(LogicalType::String | LogicalType::Enum) => return Meaning::Text,
        Some(LogicalType::Json) => return Meaning::Json,
        Some(LogicalType::Uuid) => return Meaning::Uuid,
        Some(LogicalType::Float16) => return Meaning::Float16,
        Some(LogicalType::Date) => return Meaning::Date,
        Some(LogicalType::Time(t)) => return Meaning::Time(units(&t.unit)),
        Some(LogicalType::Timestamp(t)) => return Meaning::Timestamp(units(&t.unit), t.is_adjusted_to_u_t_c),
        Some(LogicalType::Decimal(d)) => return Meaning::Decimal(d.scale),
        Some(LogicalType::Integer(i)) => return if i.is_signed { Meaning::Signed } else { Meaning::Unsigned },
        Some(LogicalType::Unknown) => return Meaning::Nothing,
        _ => {}
    }
    match leaf.get_basic_info().converted_type() {
        ConvertedType::UTF8 | ConvertedType::ENUM => return Meaning::Text,
        ConvertedType::JSON => return Meaning::Json,
        ConvertedType::DECIMAL => return Meaning::Decimal(leaf.get_scale()),
        ConvertedType::DATE => return Meaning::Date,
        ConvertedType::TIME_MILLIS => return Meaning::Time(1_000),
        ConvertedType::TIME_MICROS => return Meaning::Time(1_000_000),
        ConvertedType::TIMESTAMP_MILLIS => return Meaning::Timestamp(1_000, true),
        ConvertedType::TIMESTAMP_MICROS => return Meaning::Timestamp(1_000_000, true),
        ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
            return Meaning::Unsigned
        }
        ConvertedType::INTERVAL => return Meaning::Interval,
        _ => {}
    }
    match physical {
        Physical::BOOLEAN => Meaning::Bool,
        Physical::INT32 | Physical::INT64 => Meaning::Signed,
        Physical::INT96 => Meaning::Timestamp96,
        Physical::FLOAT => Meaning::Float,
        Physical::DOUBLE => Meaning::Double,
        Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => Meaning::Bytes,
    }
}

/// `shortest` is the shortest decimal that reads back as the number, with an exponent, as Rust's {:e} gives it.
fn add_float(shortest: &str, out: &mut String) {
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest.replace('.', "")),
        None => ("", mantissa.replace('.', "")),
    };
    out.push_str(sign);
    if !(-4..16).contains(&exponent) {
        out.push_str(&digits[..1]);
        if digits.len() > 1 {
            let _ = write!(out, ".{}", &digits[1..]);
        }
        let _ = write!(out, "e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    } else if exponent < 0 {
        let _ = write!(out, "0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    } else {
        let whole = exponent as usize + 1;
        if digits.len() <= whole {
            let _ = write!(out, "{digits}{}.0", "0".repeat(whole - digits.len()));
        } else {
            let _ = write!(out, "{}.{}", &digits[..whole], &digits[whole..]);
        }
    }
}

/// As JSON writers of Python have it: 0.1, 1.0, 1e+16, NaN, Infinity.
pub fn add_double(x: f64, out: &mut String) {
    if x.is_finite() {
        add_float(&format!("{x:e}"), out)
    } else {
        out.push_str(if x.is_nan() { "NaN" } else if x > 0.0 { "Infinity" } else { "-Infinity" })
    }
}

pub fn add_single(x: f32, out: &mut String) {
    if x.is_finite() {
        add_float(&format!("{x:e}"), out)
    } else {
        add_double(f64::from(x), out)
    }
}

pub fn half(bytes: &[u8]) -> f32 {
    if bytes.len() != 2 {
        return f32::NAN;
    }
    let bits = u32::from(u16::from_le_bytes([bytes[0], bytes[1]]));
    let (sign, exponent, fraction) = (bits >> 15 << 31, bits >> 10 & 31, bits & 1023);
    match exponent {
        0 => f32::from_bits(sign | (fraction as f32 / 16_777_216.0).to_bits()),
        31 => f32::from_bits(sign | 0x7F80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

/// Days since 1970-01-01 in the Gregorian calendar, reckoned back before its begin too.
fn add_date(days: i64, out: &mut String) {
    // Eras of 400 years from March 0000 on: https://howardhinnant.github.io/date_algorithms.html
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if (0..=9999).contains(&year) {
        let _ = write!(out, "{year:04}-{month:02}-{day:02}");
    } else {
        let _ = write!(out, "{}{:06}-{month:02}-{day:02}", if year < 0 { '-' } else { '+' }, year.abs());
    }
}

/// `of_day` in units of a second. A fraction has 3, 6 or 9 digits, as few as show it.
fn add_time(of_day: i64, units: u32, out: &mut String) {
    let units = i64::from(units);
    let (seconds, fraction) = (of_day.div_euclid(units), of_day.rem_euclid(units));
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let nanos = fraction * (1_000_000_000 / units);
    if nanos == 0 {
    } else if nanos % 1_000_000 == 0 {
        let _ = write!(out, ".{:03}", nanos / 1_000_000);
    } else if nanos % 1_000 == 0 {
        let _ = write!(out, ".{:06}", nanos / 1_000);
    } else {
        let _ = write!(out, ".{nanos:09}");
    }
}

fn add_timestamp(value: i64, units: u32, utc: bool, out: &mut String) {
    let day = i64::from(units) * 86_400;
    add_date(value.div_euclid(day), out);
    out.push('T');
    add_time(value.rem_euclid(day), units, out);
    if utc {
        out.push('Z');
    }
}

/// A whole number in two's complement, the highest byte first.
fn add_decimal(bytes: &[u8], scale: i32, out: &mut String) {
    let negative = bytes.first().is_some_and(|b| b & 0x80 != 0);
    let mut magnitude: Vec<u8> = bytes.to_vec();
    if negative {
        let mut carry = true;
        for b in magnitude.iter_mut().rev() {
            let (sum, over) = (!*b).overflowing_add(u8::from(carry));
            (*b, carry) = (sum, over);
        }
    }
    let mut digits = Vec::new(); // the lowest first
    while magnitude.iter().any(|&b| b != 0) {
        let mut rest = 0u32;
        for b in magnitude.iter_mut() {
            let all = rest << 8 | u32::from(*b);
            *b = (all / 10) as u8;
            rest = all % 10;
        }
        digits.push(b'0' + rest as u8);
    }
    let scale = usize::try_from(scale).unwrap_or(0).min(1000);
    while digits.len() <= scale {
        digits.push(b'0');
    }
    if negative {
        out.push('-');
    }
    for (left, &digit) in digits.iter().enumerate().rev() {
        out.push(digit as char);
        if left == scale && scale > 0 {
            out.push('.');
        }
    }
}

pub fn add_bool(x: bool, out: &mut String) -> Kind {
    out.push_str(if x { "true" } else { "false" });
    Kind::Json
}

/// `x` is sign-extended; `narrow`: it has 32 bits.
pub fn add_int(x: i64, narrow: bool, meaning: Meaning, out: &mut String) -> Kind {
    match meaning {
        Meaning::Unsigned if narrow => {
            let _ = write!(out, "{}", x as u32);
        }
        Meaning::Unsigned => {
            let _ = write!(out, "{}", x as u64);
        }
        Meaning::Decimal(scale) => add_decimal(&x.to_be_bytes(), scale, out),
        Meaning::Date => {
            add_date(x, out);
            return Kind::String;
        }
        Meaning::Time(units) => {
            add_time(x, units, out);
            return Kind::String;
        }
        Meaning::Timestamp(units, utc) => {
            add_timestamp(x, units, utc, out);
            return Kind::String;
        }
        Meaning::Bool => return add_bool(x != 0, out),
        _ => {
            let _ = write!(out, "{x}");
        }
    }
    Kind::Json
}

pub fn add_int96(x: &Int96, out: &mut String) -> Kind {
    const EPOCH: i64 = 2_440_588; // as a Julian day
    let data = x.data();
    let nanos = i64::from(data[1]) << 32 | i64::from(data[0]);
    add_date(i64::from(data[2]) - EPOCH + nanos.div_euclid(86_400_000_000_000), out);
    out.push('T');
    add_time(nanos.rem_euclid(86_400_000_000_000), 1_000_000_000, out);
    Kind::String
}

/// Text is given out as it is, be it UTF-8 or not: the reader repairs it.
pub fn add_bytes(x: &[u8], meaning: Meaning, out: &mut Vec<u8>) -> Kind {
    let mut text = String::new();
    let mut kind = Kind::String;
    match meaning {
        Meaning::Text => {
            out.extend_from_slice(x);
            return kind;
        }
        Meaning::Json => {
            let valid = std::str::from_utf8(x).is_ok() && serde_json::from_slice::<serde::de::IgnoredAny>(x).is_ok();
            out.extend_from_slice(x);
            return if valid { Kind::Json } else { Kind::String };
        }
        Meaning::Float16 => {
            add_single(half(x), &mut text);
            kind = Kind::Json;
        }
        // Longer ones are no numbers that anybody writes, and take the square of their length.
        Meaning::Decimal(scale) if x.len() <= 64 => {
            add_decimal(x, scale, &mut text);
            kind = Kind::Json;
        }
        Meaning::Uuid if x.len() == 16 => {
            for (i, b) in x.iter().enumerate() {
                let _ = write!(text, "{}{b:02x}", if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" });
            }
        }
        Meaning::Interval if x.len() == 12 => {
            let part = |i: usize| u32::from_le_bytes([x[i], x[i + 1], x[i + 2], x[i + 3]]);
            let _ = write!(text, "P{}M{}DT{}.{:03}S", part(0), part(4), part(8) / 1000, part(8) % 1000);
        }
        _ if std::str::from_utf8(x).is_ok() => {
            out.extend_from_slice(x);
            return kind;
        }
        _ => text = base64::encode(x),
    }
    out.extend_from_slice(text.as_bytes());
    kind
}

/// A JSON string of `text`, of which bytes that are not UTF-8 are left to the reader to repair.
pub fn add_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &b in text {
        match b {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1F => out.extend_from_slice(format!("\\u{b:04x}").as_bytes()),
            _ => out.push(b),
        }
    }
    out.push(b'"');
}
