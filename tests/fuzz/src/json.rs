//! JSON by the book, without regard to time: what the interface says of parts and of equal values,
//! made of serde_json and of its texts of values as they came.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// What a pointer leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'t> {
    There(&'t str),
    NotThere,
    /// On the way there is an object with a key that is no text: half a surrogate pair.
    Unclear,
}

/// The part of a text that a valid pointer leads to.
pub fn part<'t>(text: &'t str, pointer: &str) -> Part<'t> {
    let Ok(whole) = serde_json::from_str::<&RawValue>(text) else { return Part::NotThere };
    let mut value = whole.get();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let child = match value.as_bytes()[0] {
            b'{' => match members(value) {
                Some(members) => members.get(&token).copied(),
                None => return Part::Unclear,
            },
            b'[' => position(&token).and_then(|at| items(value).get(at).copied()),
            _ => None,
        };
        match child {
            Some(child) => value = child,
            None => return Part::NotThere,
        }
    }
    Part::There(value)
}

/// Whether two texts of values mean the same.
pub fn same(a: &str, b: &str) -> bool {
    let [a, b] = [a, b].map(|text| text.trim_matches([' ', '\t', '\n', '\r']));
    match (a.as_bytes()[0], b.as_bytes()[0]) {
        (b'{', b'{') => match (members(a), members(b)) {
            (Some(a), Some(b)) => {
                let equal = |(key, a): (&String, &&str)| b.get(key).is_some_and(|b| same(a, b));
                a.len() == b.len() && a.iter().all(equal)
            }
            _ => false,
        },
        (b'[', b'[') => {
            let (a, b) = (items(a), items(b));
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (b'"', b'"') => match (string(a), string(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
        (b'-' | b'0'..=b'9', b'-' | b'0'..=b'9') => match (number(a), number(b)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
        _ => a == b,
    }
}

/// Of a repeated key the last one.
fn members(object: &str) -> Option<BTreeMap<String, &str>> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(object).ok()?;
    Some(members.into_iter().map(|(key, value)| (key, value.get())).collect())
}

fn items(array: &str) -> Vec<&str> {
    let items: Vec<&RawValue> = serde_json::from_str(array).unwrap();
    items.into_iter().map(RawValue::get).collect()
}

fn string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

fn position(token: &str) -> Option<usize> {
    let number = token.parse::<usize>().ok()?;
    (number.to_string() == *token).then_some(number)
}

/// Its sign, its digits without zeros around them, and the exponent of ten of the last one. None if
/// the exponent does not fit into 64 bits, as written or then.
fn number(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let unsigned = mantissa.trim_start_matches('-');
    let places = unsigned.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits = unsigned.replace('.', "");
    let significant = digits.trim_end_matches('0');
    let zeros = digits.len() - significant.len();
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let exponent = i128::from(exponent.parse::<i64>().ok()?);
    let exponent = exponent + i128::try_from(zeros).ok()? - i128::try_from(places).ok()?;
    Some((mantissa.starts_with('-'), significant.to_owned(), i64::try_from(exponent).ok()?))
}
