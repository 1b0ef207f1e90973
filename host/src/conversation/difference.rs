//! Where what came differs from what was expected.

use serde_json::Value;

use super::peer::Heard;
use crate::config::Taken;

/// In an expected value: any value will do.
const ANY: &str = "<any>";

/// Most differences that are told of one message.
const MOST_TOLD: usize = 8;

/// Bytes of text shown on either side of the first difference.
const AROUND: usize = 24;

/// Whether a value is the expected one, where `"<any>"` stands for any.
pub(super) fn is_like(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::String(any), _) if any == ANY => true,
        (Value::Array(expected), Value::Array(got)) => {
            expected.len() == got.len() && expected.iter().zip(got).all(|(e, g)| is_like(e, g))
        }
        (Value::Object(expected), Value::Object(got)) => {
            expected.len() == got.len()
                && expected.iter().all(|(key, e)| got.get(key).is_some_and(|g| is_like(e, g)))
        }
        _ => expected == got,
    }
}

/// What tells the two apart, in a few lines; none where that is plain to see.
pub(super) fn difference(expected: &Taken, got: &Heard) -> Option<String> {
    match (expected, got) {
        (Taken::Text(expected), Heard::Text(got)) => in_texts(expected, got),
        (Taken::Binary(expected), Heard::Binary(got)) => in_bytes(expected, got),
        (Taken::Json(expected), Heard::Text(got)) => match serde_json::from_str(got) {
            Ok(got) => {
                let mut told = Vec::new();
                in_values("", expected, &got, &mut told);
                Some(told.join("\n"))
            }
            Err(error) => Some(format!("it is not JSON: {error}")),
        },
        _ => None,
    }
}

fn in_texts(expected: &str, got: &str) -> Option<String> {
    let same = expected.chars().zip(got.chars()).take_while(|(e, g)| e == g);
    let (count, bytes) =
        same.fold((0, 0), |(count, bytes), (e, _)| (count + 1, bytes + e.len_utf8()));
    // Of short texts it is plain to see, but for what cannot be seen.
    let is_long = expected.len().max(got.len()) > 2 * AROUND;
    let is_hidden = expected.chars().chain(got.chars()).any(|c| c.is_control() || !c.is_ascii());
    (is_long || is_hidden).then(|| {
        let around = |text: &str| {
            let begin = text.floor_char_boundary(bytes.saturating_sub(AROUND));
            let end = text.floor_char_boundary(bytes.saturating_add(AROUND));
            text.get(begin..end).unwrap_or_default().to_owned()
        };
        format!(
            "differs   from character {} on: {:?} where {:?} was expected",
            count + 1,
            around(got),
            around(expected)
        )
    })
}

fn in_bytes(expected: &[u8], got: &[u8]) -> Option<String> {
    let same = expected.iter().zip(got).take_while(|(e, g)| e == g).count();
    let (want, have) = (expected.len(), got.len());
    (want > AROUND || have > AROUND)
        .then(|| format!("differs   from byte {} on; {have} bytes, expected {want}", same + 1))
}

fn in_values(at: &str, expected: &Value, got: &Value, told: &mut Vec<String>) {
    if is_like(expected, got) || told.len() >= MOST_TOLD {
        return;
    }
    let shown = if at.is_empty() { "the value" } else { at };
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (key, e) in expected {
                let at = format!("{at}/{key}");
                match got.get(key) {
                    Some(g) => in_values(&at, e, g, told),
                    None => told.push(format!("differs   at {at}: it is missing, expected {e}")),
                }
            }
            for (key, g) in got.iter().filter(|(key, _)| !expected.contains_key(*key)) {
                told.push(format!("differs   at {at}/{key}: {g} was not expected"));
            }
        }
        (Value::Array(expected), Value::Array(got)) if expected.len() == got.len() => {
            for (index, (e, g)) in expected.iter().zip(got).enumerate() {
                in_values(&format!("{at}/{index}"), e, g, told);
            }
        }
        _ => told.push(format!("differs   at {shown}: {got}, expected {expected}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn any_stands_for_a_value_that_is_there() {
        let expected = json!({"a": "<any>", "b": [1, "<any>"]});
        assert!(is_like(&expected, &json!({"b": [1, null], "a": {"x": 2}})));
        for other in [
            json!({"b": [1, 2]}),
            json!({"a": 1, "b": [1]}),
            json!({"a": 1, "b": [2, 2]}),
            json!({"a": 1, "b": [1, 2], "c": 3}),
            json!("<any>"),
        ] {
            assert!(!is_like(&expected, &other), "{other}");
        }
    }

    #[test]
    fn differences_are_told_by_their_place() {
        let json = |expected: &str, got: &str| {
            let expected = Taken::Json(serde_json::from_str(expected).unwrap());
            difference(&expected, &Heard::Text(got.to_owned())).unwrap()
        };
        assert_eq!(
            json(r#"{"a":{"b":[1,2]},"c":"x"}"#, r#"{"a":{"b":[1,3]},"d":4}"#),
            "differs   at /a/b/1: 3, expected 2\n\
             differs   at /c: it is missing, expected \"x\"\n\
             differs   at /d: 4 was not expected"
        );
        assert_eq!(json("1", "2"), "differs   at the value: 2, expected 1");
        assert!(json("1", "one").starts_with("it is not JSON: "));
    }

    #[test]
    fn what_cannot_be_seen_is_told() {
        let text = |expected: &str, got: &str| {
            difference(&Taken::Text(expected.into()), &Heard::Text(got.into()))
        };
        assert_eq!(text("one", "two"), None);
        let told = text("caf\u{e9}", "cafe\u{301}").unwrap();
        assert!(told.starts_with("differs   from character 4 on: "), "{told}");
        let bytes = difference(&Taken::Binary(vec![0; 40]), &Heard::Binary(vec![0; 41])).unwrap();
        assert_eq!(bytes, "differs   from byte 41 on; 41 bytes, expected 40");
    }
}
