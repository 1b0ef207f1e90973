//! JSON that readers disagree about. The gateway has one rule, the same for every matcher and on
//! every path: a text is JSON if `JSON.parse` takes it; of a repeated key the last one counts;
//! numbers are compared by their exact value, strings by their decoded text. A text that is none
//! matches no JSON test, and is delivered like any other. Whatever it is, a listener gets the
//! bytes that were sent.

use serde_json::{Value, json};

use crate::support::{Client, TestGateway};

/// What the tests at `/a` ask for, each a listener of this name; `else` is one that asks only
/// whether there is anything at `/a`, and `probe` takes what is left.
const TESTS: [(&str, &str); 12] = [
    ("one", "1"),
    ("two", "2"),
    ("zero", "0"),
    ("nul", r#""x\u0000y""#),
    ("two-to-the-64", "18446744073709551616"),
    ("two-to-the-64-and-one", "18446744073709551617"),
    ("two-to-the-53-and-one", "9007199254740993"),
    ("two-to-the-53", "9007199254740992"),
    ("ten-to-the-400", "1e400"),
    ("null", "null"),
    ("object", r#"{"a":1,"b":[]}"#),
    ("text", r#""1""#),
];

/// Texts, and the listener that gets each.
const CORPUS: [(&str, &str); 64] = [
    // Repeated keys, also in other spellings: the last one counts.
    (r#"{"a":1,"a":2}"#, "two"),
    (r#"{"a":2,"a":1}"#, "one"),
    (r#"{"a":2,"b":3,"a":2,"a":1}"#, "one"),
    (r#"{"a":1,"\u0061":2}"#, "two"),
    (r#"{"\u0061":2,"a":1}"#, "one"),
    (r#"{"a":{"b":1},"a":1}"#, "one"),
    (r#"{"a":1,"a":{"b":1}}"#, "else"),
    (r#"{"a":1,"a":null}"#, "null"),
    (r#"{"a":{"a":2,"b":[],"a":1}}"#, "object"),
    (r#"{"a":{"b":[],"a":1}}"#, "object"),
    (r#"{"b":{"a":1}}"#, "probe"),
    (r#"{"A":1}"#, "probe"),
    // Names that mean something in JavaScript are keys like any other.
    (r#"{"__proto__":{"a":1}}"#, "probe"),
    (r#"{"constructor":{"prototype":{"a":1}}}"#, "probe"),
    (r#"{"__proto__":null,"a":1}"#, "one"),
    (r#"{"hasOwnProperty":1,"toString":2,"a":2}"#, "two"),
    // NUL in an escape is a character, and as itself no JSON.
    (r#"{"a":"x\u0000y"}"#, "nul"),
    (r#"{"a":"x"}"#, "else"),
    ("{\"a\":\"x\0y\"}", "probe"),
    ("{\"a\":1}\0", "probe"),
    ("\0", "probe"),
    // Lone surrogates: JSON, but equal to nothing.
    (r#"{"a":"\ud800"}"#, "else"),
    (r#"{"a":"\udc00\ud800"}"#, "else"),
    (r#"{"\ud800":1,"a":1}"#, "one"),
    (r#"{"\ud800":1}"#, "probe"),
    (r#"{"a":"\ud83d\ude00"}"#, "else"),
    // A byte order mark is no white space.
    ("\u{feff}{\"a\":1}", "probe"),
    ("{\"a\":\u{feff}1}", "probe"),
    ("\u{a0}{\"a\":1}", "probe"),
    (" \t\r\n{ \"a\" :\n1 } ", "one"),
    // Numbers, exactly: never by way of a float.
    (r#"{"a":1.0}"#, "one"),
    (r#"{"a":10e-1}"#, "one"),
    (r#"{"a":0.1E+1}"#, "one"),
    (r#"{"a":-0}"#, "zero"),
    (r#"{"a":-0.0e99}"#, "zero"),
    (r#"{"a":1e-400}"#, "else"),
    (r#"{"a":0e400}"#, "zero"),
    (r#"{"a":18446744073709551616}"#, "two-to-the-64"),
    (r#"{"a":18446744073709551617}"#, "two-to-the-64-and-one"),
    (r#"{"a":18446744073709551615}"#, "else"),
    (r#"{"a":18446744073709551616.5}"#, "else"),
    (r#"{"a":9007199254740993}"#, "two-to-the-53-and-one"),
    (r#"{"a":9007199254740992}"#, "two-to-the-53"),
    (r#"{"a":9007199254740992.0}"#, "two-to-the-53"),
    (r#"{"a":1e400}"#, "ten-to-the-400"),
    (r#"{"a":10e399}"#, "ten-to-the-400"),
    (r#"{"a":1e401}"#, "else"),
    (r#"{"a":1.0000000000000000000000000000000001}"#, "else"),
    // What is no number.
    (r#"{"a":NaN}"#, "probe"),
    (r#"{"a":Infinity}"#, "probe"),
    (r#"{"a":-Infinity}"#, "probe"),
    (r#"{"a":01}"#, "probe"),
    (r#"{"a":+1}"#, "probe"),
    (r#"{"a":.1}"#, "probe"),
    (r#"{"a":0x1}"#, "probe"),
    // Nearly JSON.
    (r#"{"a":1,}"#, "probe"),
    (r#"{'a':1}"#, "probe"),
    (r#"{a:1}"#, "probe"),
    (r#"{"a":1} {"a":1}"#, "probe"),
    (r#"{"a":1}// one"#, "probe"),
    (r#"/**/{"a":1}"#, "probe"),
    (r#"{"a":1"#, "probe"),
    (r#"{"a":"1"}"#, "text"),
    ("", "probe"),
];

async fn listening() -> (TestGateway, Client) {
    let gateway = TestGateway::serving(&["probe", "echo"]).await;
    let mut client = gateway.client("/probe").await;
    let tests = TESTS.map(|(name, json)| (name, json!({"equals": json}), 9));
    let any = ("else", json!("exists"), 8);
    for (name, test, priority) in tests.into_iter().chain([any]) {
        let matcher = json!({"content": [{"json": {"pointer": "/a", "test": test}}]});
        let add = json!({"do": "add-listener", "name": name, "matcher": matcher,
            "priority": priority, "outcome": "stop"});
        client.ok(add).await;
    }
    (gateway, client)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_text_meets_one_rule_and_reaches_its_listener_untouched() {
    let (gateway, mut client) = listening().await;
    let mut echo = gateway.client("/echo").await;
    for (text, listener) in CORPUS {
        let got = client.ask_text(text).await;
        assert_eq!(got, json!({"listener": listener, "text": text}), "{text:?}");
        echo.echo(text).await;
    }
    // The order of messages does not matter to the rule: no state is kept of what was read.
    for (text, listener) in CORPUS.into_iter().rev() {
        assert_eq!(client.ask_text(text).await["listener"], listener, "{text:?}");
    }
}

/// The listeners' own reader is another one: where both take a text, they agree on what it says.
#[test]
fn the_rule_is_that_of_the_listeners_own_reader() {
    let mut agreed = 0;
    for (text, listener) in CORPUS {
        let Ok(read) = serde_json::from_str::<Value>(text) else { continue };
        let expected = TESTS.iter().find(|(name, _)| *name == listener);
        match (expected, read.pointer("/a")) {
            // Beyond 53 bits the readers of others round, and the gateway does not.
            (_, Some(Value::Number(number))) if number.as_i64().is_none() => {}
            (Some((_, json)), Some(value)) => {
                assert_eq!(*value, serde_json::from_str::<Value>(json).unwrap(), "{text}");
                agreed += 1;
            }
            (None, Some(_)) => assert_eq!(listener, "else", "{text}"),
            (None, None) => assert_eq!(listener, "probe", "{text}"),
            (Some(_), None) => panic!("{text} has nothing at /a"),
        }
    }
    assert!(agreed >= 15, "only {agreed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_the_wrong_type_get_an_answer_and_the_client_stays() {
    let gateway = TestGateway::serving(&["json-echo", "chat"]).await;
    let mut client = gateway.client("/json-echo").await;
    for text in [
        r#"{"type":"echo"}"#,
        r#"{"type":"echo","payload":null}"#,
        r#"{"type":"echo","payload":[]}"#,
        r#"{"type":"echo","payload":"text"}"#,
        r#"{"type":"echo","payload":{}}"#,
        r#"{"type":"echo","payload":{"text":1,"number":1}}"#,
        r#"{"type":"echo","payload":{"text":"x","number":"1"}}"#,
        r#"{"type":"echo","payload":{"text":"x","number":1.5}}"#,
        r#"{"type":"echo","payload":{"text":"x","number":1e400}}"#,
        r#"{"type":"echo","payload":{"text":"x","number":18446744073709551616}}"#,
        r#"{"type":"echo","id":-1,"payload":{"text":"x","number":1}}"#,
        r#"{"type":"echo","id":"1","payload":{"text":"x","number":1}}"#,
    ] {
        let answer = client.ask_text(text).await;
        assert_eq!(answer["type"], "error", "{text}: {answer}");
        assert!(answer["problem"].is_string(), "{text}: {answer}");
    }
    let good = json!({"type": "echo", "payload": {"text": "x", "number": 1}});
    assert_eq!(client.ask(good.clone()).await, good);
    let mut chat = gateway.client("/chat/room").await;
    for text in [r#"{"type":1}"#, r#"{"type":["say"]}"#, r#"{"type":"say","text":5}"#, "[]", "7"] {
        assert_eq!(chat.ask_text(text).await["type"], "error", "{text}");
    }
    chat.send_json(&json!({"type": "say", "text": "still here"})).await;
    assert_eq!(chat.json().await["text"], "still here");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_twice_is_two_messages() {
    // Nothing is remembered of messages: who wants each id once, looks for it in a listener.
    let gateway = TestGateway::serving(&["probe"]).await;
    let mut client = gateway.client("/probe").await;
    for sequence in 1..=3 {
        let event = client.ok(json!({"do": "whoami", "key": "id-1"})).await;
        assert_eq!(event["sequence"], sequence, "{event}");
    }
    assert_eq!(gateway.counters().messages_received.get(), 3);
}

/// No table of the gateway can be made slow by keys that somebody chose: the standard hasher has a
/// secret of its own in each table, and no other is used.
#[test]
fn no_table_has_a_hasher_that_can_be_foreseen() {
    let sources = crate::layers::source::sources(&["host/src"]);
    assert!(sources.iter().any(|source| source.text.contains("HashMap<")));
    for source in sources {
        for other in
            ["with_hasher", "BuildHasherDefault", "DefaultHasher", "FxHash", "ahash", "fnv"]
        {
            assert!(!source.text.contains(other), "{} names {other}", source.path);
        }
    }
}
