//! Tests of the one pass over a JSON message: which parts it finds.

use super::*;

/// The parts of `message` that the pointers lead to, in order of the pointers.
fn parts(pointers: &[&str], message: &str) -> Vec<Option<String>> {
    let mut tree = PointerTree::default();
    let nodes: Vec<_> = pointers.iter().map(|p| tree.insert(&Pointer::parse(p).unwrap())).collect();
    let mut findings = Findings::default();
    // What an earlier message had must not show.
    tree.read(r#"{"a":{"b":[1,2],"c":0},"b":1,"":1}"#, &mut findings);
    tree.read(message, &mut findings);
    let found: Vec<_> = nodes
        .iter()
        .map(|node| findings.visit(*node).map(|v| message[v.start..v.end].to_owned()))
        .collect();
    let listed: Vec<_> = findings.parts().collect();
    for (node, found) in nodes.iter().zip(&found) {
        assert_eq!(listed.contains(node), found.is_some());
    }
    found
}

#[test]
fn pointers_lead_to_parts() {
    let table: &[(&str, &str, Option<&str>)] = &[
        ("/a", r#" { "a" : 1 } "#, Some("1")),
        ("/a", r#"{"a":null}"#, Some("null")),
        ("/a", r#"{"b":1}"#, None),
        ("/a", r#"["a"]"#, None),
        ("/a", r#""a""#, None),
        ("/a/b", r#"{"a":{"x":[{}],"b":[1, 2]},"c":0}"#, Some("[1, 2]")),
        ("/a/b", r#"{"a":[{"b":1}]}"#, None),
        ("/a/b", r#"{"b":1,"a":2}"#, None),
        ("", " [1] ", Some("[1]")),
        ("", "1", Some("1")),
        ("/", r#"{"":1}"#, Some("1")),
        ("/a~1b/c~0d", r#"{"a/b":{"c~d":1}}"#, Some("1")),
        ("/\u{e9}", r#"{"\u00e9":1}"#, Some("1")),
        ("/a\"b\n", r#"{"a\"b\n":1}"#, Some("1")),
        ("/0", "[5,6]", Some("5")),
        ("/1", "[5,6]", Some("6")),
        ("/2", "[5,6]", None),
        ("/1", r#"{"1":7}"#, Some("7")),
        ("/01", "[5,6]", None),
        ("/01", r#"{"01":7}"#, Some("7")),
        ("/-", "[5,6]", None),
        ("/+1", "[5,6]", None),
        ("/-1", "[5,6]", None),
        ("/99999999999999999999", "[5]", None),
        ("/0/0/a", r#"[[{"a":9}]]"#, Some("9")),
    ];
    for (pointer, message, part) in table {
        assert_eq!(parts(&[pointer], message)[0].as_deref(), *part, "{pointer} {message}");
    }
}

#[test]
fn the_last_of_equal_keys_counts_with_all_below_it() {
    let table: &[(&str, [Option<&str>; 3])] = &[
        (r#"{"a":1,"a":2}"#, [Some("2"), None, None]),
        (r#"{"a":{"b":1,"c":2},"a":{"c":3}}"#, [Some(r#"{"c":3}"#), None, Some("3")]),
        (r#"{"a":{"b":1},"x":0,"a":5}"#, [Some("5"), None, None]),
        (r#"{"a":5,"\u0061":{"b":1}}"#, [Some(r#"{"b":1}"#), Some("1"), None]),
        (r#"{"a":{"b":1,"b":2}}"#, [Some(r#"{"b":1,"b":2}"#), Some("2"), None]),
        (r#"{"a":{"b":1},"a":{},"a":{"b":3}}"#, [Some(r#"{"b":3}"#), Some("3"), None]),
    ];
    for (message, expected) in table {
        assert_eq!(parts(&["/a", "/a/b", "/a/c"], message), expected.map(|e| e.map(str::to_owned)));
    }
    let replaced = r#"{"a":{"b":{"c":{"d":1}}},"a":{}}"#;
    assert_eq!(parts(&["/a/b", "/a/b/c", "/a/b/c/d"], replaced), [None, None, None]);
}

#[test]
fn what_is_not_json_has_no_parts() {
    for message in ["", "{\"a\":1", "{\"a\":1}}", "\u{feff}{\"a\":1}", "{\"a\":1,}", "{\"a\":01}"] {
        assert_eq!(parts(&["/a", "", "/a/b"], message), [None, None, None], "{message}");
    }
}

#[test]
fn what_is_not_compared_may_be_anything_json_parse_takes() {
    let odd = r#"{"\ud800":"\udfff","big":1e999,"deep":DEEP,"a":true,"z":[-0e-999999999]}"#;
    let odd = odd.replace("DEEP", &("[".repeat(100_000) + &"]".repeat(100_000)));
    assert_eq!(parts(&["/a", "/big"], &odd), [Some("true".into()), Some("1e999".into())]);
}

#[test]
fn a_tree_that_wants_no_part_of_such_a_message_does_not_read_it() {
    let mut tree = PointerTree::default();
    tree.insert(&Pointer::parse("/a").unwrap());
    let mut findings = Findings::default();
    for message in ["plain text", "[1]", "", "\"a\""] {
        assert!(!tree.read(message, &mut findings), "{message}");
    }
    assert!(tree.read("{}", &mut findings));
    assert_eq!(findings.parts().count(), 0);
}

#[test]
fn many_keys_are_found_as_few_are() {
    let pointers: Vec<_> = (0..100).map(|i| format!("/k{i}/x")).collect();
    let mut tree = PointerTree::default();
    let nodes: Vec<_> = pointers.iter().map(|p| tree.insert(&Pointer::parse(p).unwrap())).collect();
    assert_eq!(
        nodes,
        pointers.iter().map(|p| tree.insert(&Pointer::parse(p).unwrap())).collect::<Vec<_>>()
    );
    let mut findings = Findings::default();
    assert!(
        tree.read(r#"{"k7":{"x":1},"k99":{"x":2},"k100":{"x":3},"k3":{"y":4}}"#, &mut findings)
    );
    assert_eq!(findings.parts().collect::<Vec<_>>(), [nodes[7], nodes[99]]);
}

#[test]
fn values_are_looked_up_where_they_are_compared() {
    let mut tree = PointerTree::default();
    let node = tree.insert(&Pointer::parse("/type").unwrap());
    let join = tree.insert_value(node, &JsonValue::parse(r#""join""#).unwrap());
    let seven = tree.insert_value(node, &JsonValue::parse("7").unwrap());
    assert_ne!(join, seven);
    let mut findings = Findings::default();
    for (message, exists, value) in [
        (r#"{"type":"jo\u0069n"}"#, true, join),
        (r#"{"type":70e-1}"#, true, seven),
        (r#"{"type":"leave"}"#, true, None),
        (r#"{"kind":"join"}"#, false, None),
        (r#"{"type":"join"}x"#, false, None),
    ] {
        tree.read(message, &mut findings);
        assert_eq!((findings.exists(node), findings.value(node)), (exists, value), "{message}");
    }
}
