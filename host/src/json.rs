//! JSON texts, looked at without building anything of them.
//!
//! Invariant: one rule for all. A text is JSON here exactly if JavaScript's `JSON.parse` takes it,
//! and of a repeated key the last member counts, wherever in the gateway it is asked.

mod pointer;
mod scan;

pub(crate) use pointer::array_position;
pub use pointer::{MAX_POINTER_BYTES, MAX_POINTER_TOKENS, Pointer, PointerFault};
pub(crate) use scan::{NotJson, RawKey, Scanner};

/// Deepest nesting of arrays and objects in a text that [`is_json`] takes.
pub const MAX_DEPTH: usize = 128;

/// Whether a text is one JSON value, nested at most [`MAX_DEPTH`] levels. Read once, and no further
/// than to the first fault.
pub fn is_json(text: &str) -> bool {
    let mut scanner = Scanner::new(text);
    scanner.shallow_value::<MAX_DEPTH>().and_then(|()| scanner.end()).is_ok()
}

/// The text of the part that a pointer leads to, without white space around it. None where the
/// text has no such part, or is not JSON.
pub fn part<'t>(text: &'t str, pointer: &Pointer) -> Option<&'t str> {
    let mut scanner = Scanner::new(text);
    let whole = scanner.value_text().and_then(|whole| scanner.end().map(|()| whole)).ok()?;
    pointer.tokens().try_fold(whole, child)
}

/// The member or item that a token names in a valid JSON value.
fn child<'t>(value: &'t str, token: &str) -> Option<&'t str> {
    let mut scanner = Scanner::new(value);
    match scanner.peek()? {
        b'{' => member(&mut scanner, token),
        b'[' => item(&mut scanner, array_position(token)?),
        _ => None,
    }
}

fn member<'t>(scanner: &mut Scanner<'t>, wanted: &str) -> Option<&'t str> {
    let mut found = None;
    scanner.eat(b'{');
    let mut more = !scanner.eat(b'}');
    while more {
        let key = scanner.key().ok()?;
        let value = scanner.value_text().ok()?;
        if is_key(key, wanted) {
            found = Some(value);
        }
        more = scanner.more(b'}').ok()?;
    }
    found
}

fn is_key(key: RawKey<'_>, wanted: &str) -> bool {
    match key.escaped {
        true => key.decode().is_some_and(|key| key == wanted),
        false => key.quoted.get(1..key.quoted.len() - 1) == Some(wanted.as_bytes()),
    }
}

fn item<'t>(scanner: &mut Scanner<'t>, wanted: usize) -> Option<&'t str> {
    scanner.eat(b'[');
    let mut more = !scanner.eat(b']');
    let mut position = 0;
    while more {
        let value = scanner.value_text().ok()?;
        if position == wanted {
            return Some(value);
        }
        position += 1;
        more = scanner.more(b']').ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn nesting_is_bounded_at_exactly_the_depth() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(is_json(&nested(MAX_DEPTH)) && !is_json(&nested(MAX_DEPTH + 1)));
        let objects = |depth: usize| "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
        assert!(is_json(&objects(MAX_DEPTH)) && !is_json(&objects(MAX_DEPTH + 1)));
        // Not the number of lists, only how many are within each other.
        let flat = format!("[{}]", vec![nested(MAX_DEPTH - 1); 300].join(","));
        assert!(is_json(&flat));
        // Without its end, and without reading on.
        assert!(!is_json(&"[".repeat(1 << 20)));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "hello",
            "\u{feff}{}",
            "{}{}",
            "{} x",
            "NaN",
            "Infinity",
            "01",
            "+1",
            "1.",
            ".5",
            "'a'",
            "{a:1}",
            "[1,]",
            "{\"a\":1,}",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "tru",
            "nul",
        ] {
            assert!(!is_json(text), "{text:?}");
        }
        for text in [
            "0",
            "-0",
            "1e400",
            "18446744073709551616",
            "\"\\ud800\"",
            " [ ] ",
            "{\"a\":1,\"a\":2}",
        ] {
            assert!(is_json(text), "{text:?}");
        }
    }

    #[test]
    fn a_pointer_leads_to_the_text_of_its_part() {
        let at = |text: &'static str, pointer: &str| part(text, &Pointer::parse(pointer).unwrap());
        let text = r#" {"a": {"b~/": [10, "x" , {}]}, "a\u0062": 1.0, "": null} "#;
        assert_eq!(at(text, "/a/b~0~1/1"), Some("\"x\""));
        assert_eq!(at(text, "/a/b~0~1/2"), Some("{}"));
        assert_eq!(at(text, "/a/b~0~1/3"), None);
        assert_eq!(at(text, "/ab"), Some("1.0"));
        assert_eq!(at(text, "/"), Some("null"));
        assert_eq!(at(text, "/c"), None);
        assert_eq!(at(text, "/ab/c"), None);
        assert_eq!(at("[1, 2]", "/01"), None);
        assert_eq!(at(" 7 ", ""), Some("7"));
        assert_eq!(at(r#"{"a":1,"a":{"b":2}}"#, "/a/b"), Some("2"));
        assert_eq!(at(r#"{"a":{"b":2},"a":1}"#, "/a/b"), None);
        assert_eq!(at(r#"{"a":1"#, "/a"), None);
        assert_eq!(at(r#"{"a":1} x"#, "/a"), None);
    }

    proptest! {
        #[test]
        fn parts_are_those_of_serde_json(
            text in r#"\{("[ab]":(1|"x"|\[1,\{"a":2\}\]|\{"a":3,"b":\[\]\})(,"c":0)?)?\}|\[1,\[2\]\]"#,
            pointer in "(/(a|b|c|0|1)){0,3}",
        ) {
            let value: Value = serde_json::from_str(&text).unwrap();
            let found = part(&text, &Pointer::parse(&pointer).unwrap());
            let found = found.map(|found| serde_json::from_str::<Value>(found).unwrap());
            prop_assert_eq!(found.as_ref(), value.pointer(&pointer));
        }
    }
}
