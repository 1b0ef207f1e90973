//! Tests of the JSON scanner: it takes exactly what JSON.parse takes.

use super::*;
use proptest::prelude::*;
use serde_json::value::RawValue;

fn is_json(text: &str) -> bool {
    let mut scanner = Scanner::new(text);
    scanner.value().and_then(|()| scanner.end()).is_ok()
}

#[test]
fn what_json_parse_takes_is_taken() {
    for text in [
        "0",
        "-0",
        "-0.0e-0",
        "10",
        "1.5",
        "1E+2",
        "1e999",
        "-1e-999999999999999999999",
        "123456789012345678901234567890",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u0000\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\u{7f}\u{80}\u{2028}€\u{10ffff}\"",
        "[]",
        "{}",
        " [ ] ",
        "{ }",
        "\t\r\n[1\n,2 ]",
        "{\"a\":1,\"a\":2}",
        "{\"\":{\"\":[{}]}}",
        "[[],[[]],{}]",
        "{\"\\ud800\":1}",
        "\"12345678\\n\"",
        "\"1234567\\n1234567\"",
    ] {
        assert!(is_json(text), "{text:?}");
    }
}

#[test]
fn what_json_parse_refuses_is_refused() {
    for text in [
        "",
        " ",
        "\u{feff}1",
        "\u{a0}1",
        "1\u{b}",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1.e1",
        "1e",
        "1e+",
        "0x1",
        "--1",
        "1 2",
        "NaN",
        "Infinity",
        "-Infinity",
        "tru",
        "truee",
        "True",
        "nul",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u+123\"",
        "\"\\",
        "\"\\u",
        "\"\n\"",
        "\"\0\"",
        "\"\u{1f}\"",
        "'a'",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "}",
        "{]",
        "{1:2}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{\"a\" 1}",
        "{,}",
        "[[]",
        "[]]",
        "{\"a\":[}",
        "//",
        "1//",
        "/**/1",
        "\"12345678\n\"",
        "\"1234567\u{1}1234567\"",
    ] {
        assert!(!is_json(text), "{text:?}");
    }
}

#[test]
fn depth_does_not_use_the_stack() {
    let depth = 1_000_000;
    let bomb = "[".repeat(depth);
    assert!(!is_json(&bomb));
    assert!(is_json(&(bomb + &"]".repeat(depth))));
    let objects = "{\"a\":".repeat(depth) + "[{}]" + &"}".repeat(depth);
    assert!(is_json(&objects));
    assert!(!is_json(objects.strip_suffix('}').unwrap()));
    let mixed = "[{\"a\":".repeat(100) + "1" + &"}]".repeat(100);
    assert!(is_json(&mixed));
    assert!(!is_json(&mixed.replace("1}]}]", "1}]]}")));
}

#[test]
fn keys_and_values_are_returned_as_they_stand() {
    let mut scanner = Scanner::new(r#" { "a\u0061" : [ 1, "x" ] , "b": 2.0 } "#);
    assert!(scanner.eat(b'{'));
    assert_eq!(scanner.key(), Ok(RawKey { quoted: br#""a\u0061""#, escaped: true }));
    assert_eq!(scanner.value_text(), Ok(r#"[ 1, "x" ]"#));
    assert_eq!(scanner.more(b'}'), Ok(true));
    assert_eq!(scanner.key(), Ok(RawKey { quoted: br#""b""#, escaped: false }));
    assert_eq!(scanner.value_text(), Ok("2.0"));
    assert_eq!(scanner.clone().more(b']'), Err(NotJson));
    assert_eq!(scanner.more(b'}'), Ok(false));
    assert_eq!((scanner.end(), scanner.at()), (Ok(()), 39));
}

/// Text made of JSON's pieces, so that much of it is nearly JSON.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", " ", "\"a\"", "\"", "\\", "\\u00e9", "\\ud800", "0", "-",
        "1", "12", ".", "e", "E", "+", "true", "null", "\n", "\u{1}", "é", "abcdefgh",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// JSON values as text, with odd spacing.
fn values() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "-?(0|[1-9][0-9]{0,20})([.][0-9]{1,3})?([eE][+-]?[0-9]{1,4})?",
        "\"([a-zé]|\\\\[nt\"\\\\/]|\\\\u[0-9a-fA-F]{4}){0,12}\"",
        prop::sample::select(vec!["true".to_owned(), "false".into(), "null".into()]),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[ {}]", v.join(" ,"))),
            prop::collection::vec(("[a-c]", inner), 0..4).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(k, v)| format!("\"{k}\"\t:{v}")).collect();
                format!("{{{} }}", members.join(",\n"))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn it_agrees_with_serde_json_on_what_is_nearly_json(text in pieces()) {
        prop_assert_eq!(is_json(&text), serde_json::from_str::<&RawValue>(text.trim_matches([' ', '\n'])).is_ok());
    }

    #[test]
    fn json_is_taken_and_a_changed_byte_is_judged_as_serde_json_does(
        text in values(), at in any::<prop::sample::Index>(), byte in 0_u8..0x80,
    ) {
        prop_assert!(is_json(&text), "{}", text);
        let mut changed = text.into_bytes();
        let at = at.index(changed.len());
        changed[at] = byte;
        if let Ok(text) = String::from_utf8(changed) {
            let oracle = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(is_json(&text), oracle, "{}", text);
        }
    }
}
