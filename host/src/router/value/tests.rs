//! Tests of JSON values: equal however they are spelled.

use super::*;
use proptest::prelude::*;
use serde_json::Value;

fn value(text: &str) -> JsonValue {
    JsonValue::parse(text).unwrap()
}

/// Whether a matcher that compares with `expected` finds the message's value `raw` equal.
fn equal(expected: &str, raw: &str) -> bool {
    let mut table = ValueTable::default();
    let id = table.insert(&value(expected));
    let found = table.find(raw, &mut "left over".to_owned());
    assert!(found.is_none_or(|found| found == id));
    found.is_some()
}

#[test]
fn equal_values_are_found_however_they_are_spelled() {
    for (a, b) in [
        ("42", "42.0"),
        ("42", "4.2e1"),
        ("42", "4200E-2"),
        ("42", "0.42e+2"),
        ("0", "-0"),
        ("0", "0.000e99999999999999999999"),
        ("0.1", "1e-1"),
        ("0.001", "0.10e-2"),
        ("-1.50", "-15e-1"),
        ("9007199254740993", "9007199254740993.0"),
        ("123456789012345678901234567890", "12345678901234567890123456789e1"),
        ("1e999", "10e998"),
        ("1000", "1e3"),
        (r#""a/b""#, r#""\u0061\/b""#),
        (r#""é""#, r#""\u00e9""#),
        (r#""😀""#, r#""\ud83d\ude00""#),
        (r#""""#, r#""""#),
        ("null", "null"),
        ("true", "true"),
        ("[]", "[ ]"),
        ("[1,[2,\"a\"]]", "[ 1.0 , [ 2e0,\"\\u0061\" ] ]"),
        ("{}", "{ }"),
        (r#"{"a":1,"b":{"c":[]}}"#, r#"{ "b" : {"c":[]}, "\u0061": 10e-1 }"#),
        (r#"{"a0":0}"#, r#"{"a0":0.0e5}"#),
        (r#"{"a":2}"#, r#"{"a":"\ud800","a":2}"#),
        (r#"{"a":2}"#, r#"{"a":[[[[[[]]]]]],"a":2}"#),
    ] {
        assert!(equal(a, b), "{a} {b}");
        assert!(equal(b, a) || b.contains("ud800"), "{b} {a}");
        assert_eq!(value(a), value(b), "{a} {b}");
    }
}

#[test]
fn different_values_are_not_found() {
    for (a, b) in [
        ("1", "-1"),
        ("1", "10"),
        ("1", "1.0000000000000000000000001"),
        ("9007199254740993", "9007199254740992"),
        ("0.1", "0.1000000000000000055511151231257827"),
        ("1", "\"1\""),
        ("true", "\"true\""),
        ("true", "1"),
        ("null", "0"),
        ("\"a\"", "\"A\""),
        ("\"a\"", "\"a \""),
        ("\"e\u{301}\"", "\"\u{e9}\""),
        ("[]", "{}"),
        ("[1,2]", "[2,1]"),
        ("[12]", "[1,2]"),
        ("[[1],2]", "[[1,2]]"),
        ("[\"a\",\"b\"]", "[\"a,b\"]"),
        ("[\"1\"]", "[1]"),
        (r#"["a\",1\"b"]"#, r#"["a","b"]"#),
        (r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
        (r#"{"a":1,"b":2}"#, r#"{"a":1}"#),
        (r#"{"a":1}"#, r#"{"a":1,"a":2}"#),
        (r#"{"a":1}"#, r#"{"b":1}"#),
        (r#"{"a":1,"b":2}"#, r#"{"a1e0,b":2}"#),
        (r#"{"a":1,"b":2}"#, r#"{"a\"1e0,1\"b":2}"#),
        (r#"{"a":{"b":1}}"#, r#"{"a":{},"b":1}"#),
        ("1", "1e999999999999999999999"),
        ("\"a\"", "\"\\ud800\""),
        (r#"{"a":1}"#, r#"{"a":1,"\ud800":1}"#),
    ] {
        assert!(!equal(a, b), "{a} {b}");
    }
}

#[test]
fn what_equals_nothing_cannot_be_asked_for() {
    for (text, fault) in [
        ("", ValueFault::NotJson { hint: "" }),
        ("join", ValueFault::NotJson { hint: "; a string needs its quotes, as in `\"join\"`" }),
        ("'a'", ValueFault::NotJson { hint: "" }),
        ("1 2", ValueFault::NotJson { hint: "; a string needs its quotes, as in `\"join\"`" }),
        ("\u{feff}1", ValueFault::NotJson { hint: "" }),
        ("\"\\udc00\"", ValueFault::Incomparable),
        ("[\"\\udc00\"]", ValueFault::Incomparable),
        ("1e99999999999999999999", ValueFault::Incomparable),
    ] {
        assert_eq!(JsonValue::parse(text), Err(fault), "{text:?}");
    }
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(JsonValue::parse(&deep(MAX_VALUE_DEPTH)).is_ok());
    assert_eq!(JsonValue::parse(&deep(MAX_VALUE_DEPTH + 1)), Err(ValueFault::TooDeep));
    assert_eq!(
        JsonValue::parse(&" ".repeat(MAX_VALUE_BYTES + 1)),
        Err(ValueFault::TooLong { bytes: MAX_VALUE_BYTES + 1 })
    );
}

#[test]
fn white_space_around_a_value_to_compare_with_does_not_matter() {
    assert_eq!(value(" \n\"a\"\t"), value("\"a\""));
    assert_eq!(value(" [ 1 ] "), value("[1]"));
}

#[test]
fn one_table_tells_all_its_values_apart() {
    let mut table = ValueTable::default();
    let texts = ["\"a\"", "\"b\"", "1", "\"1\"", "true", "[1]", "{\"a\":1}", "null", "{}", "[]"];
    let ids: Vec<_> = texts.iter().map(|text| table.insert(&value(text))).collect();
    let mut buffer = String::new();
    for (text, id) in texts.iter().zip(&ids) {
        assert_eq!(table.insert(&value(text)), *id);
        assert_eq!(table.find(text, &mut buffer), Some(*id));
    }
    let mut distinct = ids.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct, ids);
    for other in ["\"c\"", "2", "false", "[2]", "{\"a\":2}", "{\"b\":1}", "[[1]]"] {
        assert_eq!(table.find(other, &mut buffer), None, "{other}");
    }
}

#[test]
fn a_deep_or_long_value_of_a_message_costs_no_stack() {
    let depth = 300_000;
    let bomb = "[".repeat(depth) + &"]".repeat(depth);
    assert!(!equal("[[1]]", &bomb));
    assert!(!equal("{\"a\":[1]}", &format!("{{\"a\":{bomb}}}")));
    assert!(!equal("\"a\"", &format!("\"{}\"", "\\u0061".repeat(100_000))));
    assert!(!equal("1", &"1".repeat(1_000_000)));
    assert!(equal("1", &format!("1.{}", "0".repeat(1_000_000))));
}

/// What serde_json and 64-bit floats say, for the numbers of the strategy below.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn texts() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "0",
        "-0.0",
        "1",
        "1.0",
        "10e-1",
        "-1",
        "0.5",
        "5e-1",
        "12",
        "1.2e1",
        "null",
        "true",
        "false",
        "\"\"",
        "\"a\"",
        "\"\\u0061\"",
        "\"1\"",
        "\"a,\"",
        "\"\\\"\"",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let key = prop::sample::select(vec!["\"a\"", "\"\\u0061\"", "\"b\"", "\"\""]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|v| format!("[{} ]", v.join(", "))),
            prop::collection::vec((key, inner), 0..3).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(k, v)| format!("{k} :{v}")).collect();
                format!("{{ {}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn equality_is_that_of_the_parsed_values(a in texts(), b in texts()) {
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let expected = same(&parse(&a), &parse(&b));
        prop_assert_eq!(equal(&a, &b), expected, "{} {}", a, b);
        prop_assert_eq!(value(&a) == value(&b), expected);
        prop_assert!(equal(&a, &a));
    }

    #[test]
    fn integers_are_compared_exactly(a in any::<i128>(), b in any::<i128>(), near in -2_i128..3) {
        prop_assert_eq!(equal(&a.to_string(), &b.to_string()), a == b);
        let close = a.saturating_add(near);
        prop_assert_eq!(equal(&a.to_string(), &format!("{close}.0e0")), a == close);
    }
}
