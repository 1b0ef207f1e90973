//! The values of a conversation: texts, bytes and JSON as somebody writes them.

use serde_json::Value as Json;
use toml::de::DeValue;

use crate::config::value::{Fault, Raw, Value, Written};

/// Bytes of a text, or of what stands for bytes. A file is smaller anyway.
const LONGEST: usize = 1 << 20;

/// Any text, the empty one and control characters included.
#[derive(Debug, PartialEq)]
pub(super) struct Text(pub(super) String);

/// Bytes in hexadecimal: `00 ff 7f`.
#[derive(Debug, PartialEq)]
pub(super) struct Hex(pub(super) Vec<u8>);

/// The text of a JSON value.
#[derive(Debug, PartialEq)]
pub(super) struct JsonText(pub(super) Json);

/// A table that becomes the text of a JSON object.
#[derive(Debug, PartialEq)]
pub(super) struct Claims(pub(super) String);

impl Value for Text {
    const EXPECTED: &'static str = "a string";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        match text.len() > LONGEST {
            true => Err(Fault::bad(format!("it is longer than {LONGEST} bytes"))),
            false => Ok(Self(text.to_owned())),
        }
    }

    fn text(&self) -> String {
        format!("{:?}", self.0)
    }
}

impl Value for Hex {
    const EXPECTED: &'static str = "bytes in hexadecimal, such as \"00 ff 7f\"";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        let wrong = || Fault::refuse(text, format!("it must be {}", Self::EXPECTED));
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
        let byte = |pair: &[u8]| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            // A sign would be taken as part of the number.
            pair.bytes().all(|b| b.is_ascii_hexdigit()).then_some(())?;
            u8::from_str_radix(pair, 16).ok()
        };
        digits.chunks(2).map(byte).collect::<Option<_>>().map(Self).ok_or_else(wrong)
    }

    fn text(&self) -> String {
        format!("\"{}\"", hex(&self.0))
    }
}

impl Value for JsonText {
    const EXPECTED: &'static str = "the text of a JSON value";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        let text = raw.string(Self::EXPECTED)?;
        serde_json::from_str(text)
            .map(Self)
            .map_err(|error| Fault::refuse(text, format!("it must be JSON: {error}")))
    }

    fn text(&self) -> String {
        format!("'{}'", self.0)
    }
}

impl Value for Claims {
    const EXPECTED: &'static str = "a table such as { department = \"tea\" }";

    fn read(raw: Raw<'_>) -> Result<Self, Fault> {
        match raw.written {
            Written::Toml(table @ DeValue::Table(_)) => Ok(Self(json(table)?.to_string())),
            Written::Toml(_) | Written::Text(_) => Err(raw.wrong_type(Self::EXPECTED)),
        }
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

/// Bytes as they are written in a conversation; all of them.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

fn json(value: &DeValue<'_>) -> Result<Json, Fault> {
    Ok(match value {
        DeValue::String(text) => Json::String(text.to_string()),
        DeValue::Boolean(value) => Json::Bool(*value),
        DeValue::Integer(number) => {
            let text = number.as_str();
            i64::from_str_radix(text, number.radix())
                .map(Json::from)
                .map_err(|_| Fault::refuse(text, "it is too large for a number here"))?
        }
        DeValue::Float(number) => {
            let text = number.as_str();
            let value = text.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
            Json::Number(value.ok_or_else(|| Fault::refuse(text, "JSON has no such number"))?)
        }
        DeValue::Datetime(date) => Json::String(date.to_string()),
        DeValue::Array(items) => {
            items.iter().map(|item| json(item.get_ref())).collect::<Result<_, _>>()?
        }
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| Ok((key.get_ref().to_string(), json(value.get_ref())?)))
            .collect::<Result<_, Fault>>()?,
    })
}
