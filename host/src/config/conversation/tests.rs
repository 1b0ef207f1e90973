//! Conversations that are read, and those that are refused, each with its line.

use std::path::Path;

use super::*;
use crate::path::ConnectPath;

fn parse(text: &str) -> Result<Conversation, ConfigError> {
    Conversation::parse(text, Path::new("c.toml"))
}

const KIM: &str = "[[step]]\nclient = \"kim\"\nconnect = \"/chat/tea\"\n";

#[test]
fn every_kind_of_step_is_read() {
    let text = r#"
patience = "2s"

[[step]]
client = "kim"
connect = "/chat/tea"
user = "kim"
roles = ["a", "b"]
claims = { department = "tea", level = 0x10, half = 0.5, on = true, list = [1, "x"] }
[[step]]
client = "kim"
send = "a\nb"
[[step]]
client = "kim"
send_binary = "00 fF7f"
[[step]]
client = "kim"
expect = ""
[[step]]
client = "kim"
expect_json = '{ "a": "<any>" }'
[[step]]
client = "kim"
expect_binary = ""
[[step]]
client = "kim"
expect_nothing = true
[[step]]
advance = "20ms"
[[step]]
swap = true
[[step]]
client = "kim"
expect_close = { code = 1000, reason = "see you" }
[[step]]
client = "kim"
connect = "/chat"
[[step]]
client = "kim"
close = {}
[[step]]
client = "kim"
connect = "/chat"
[[step]]
client = "kim"
drop = true
"#;
    let read = parse(text).unwrap();
    assert_eq!(read.patience, Duration::from_secs(2));
    let client = || "kim".to_owned();
    let claims = r#"{"department":"tea","half":0.5,"level":16,"list":[1,"x"],"on":true}"#;
    let newcomer = |path: &str| Newcomer {
        client: client(),
        path: ConnectPath::parse(path).unwrap(),
        user: None,
        roles: Vec::new(),
        claims: None,
    };
    let first = Newcomer {
        user: Some("kim".into()),
        roles: vec!["a".into(), "b".into()],
        claims: Some(claims.into()),
        ..newcomer("/chat/tea")
    };
    let expect = |message| Action::Expect { client: client(), message };
    let send = |message| Action::Send { client: client(), message };
    let expected = [
        Action::Connect(first),
        send(Said::Text("a\nb".into())),
        send(Said::Binary(vec![0, 255, 127])),
        expect(Taken::Text(String::new())),
        expect(Taken::Json(serde_json::json!({"a": "<any>"}))),
        expect(Taken::Binary(Vec::new())),
        Action::ExpectNothing { client: client() },
        Action::Advance(Duration::from_millis(20)),
        Action::Swap,
        Action::ExpectClose { client: client(), code: 1000, reason: Some("see you".into()) },
        Action::Connect(newcomer("/chat")),
        Action::Close { client: client(), code: 1000, reason: String::new() },
        Action::Connect(newcomer("/chat")),
        Action::Drop { client: client() },
    ];
    let actions: Vec<_> = read.steps.iter().map(|step| step.action.clone()).collect();
    assert_eq!(actions, expected);
    assert_eq!(read.steps[0].line, 4);
    assert_eq!(read.steps[1].line, 10);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_line() {
    let mut wrong = String::new();
    for (more, told) in [
        (
            "[[step]]\nclient = \"kim\"\nsned = \"x\"\n",
            "c.toml:6:1: unknown key `sned` in [step]; did you mean `send`?",
        ),
        (
            "[[step]]\nclient = \"kim\"\n",
            "c.toml:5:10: this step does nothing; add one of `connect`, ",
        ),
        (
            "[[step]]\nclient = \"kim\"\nsend = \"x\"\nexpect = \"x\"\n",
            "c.toml:7:10: `send` and `expect` in one step; write a `[[step]]` for each of them",
        ),
        ("[[step]]\nsend = \"x\"\n", "c.toml:4:1: "),
        (
            "[[step]]\nclient = \"bob\"\nsend = \"x\"\n",
            "c.toml:5:10: `bob` is not connected here; add a step with `connect` before this one",
        ),
        (
            "[[step]]\nclient = \"kim\"\nconnect = \"/x\"\n",
            "c.toml:5:10: `kim` is connected already; close it first, or use another name",
        ),
        (
            "[[step]]\nclient = \"kim\"\nclose = {}\n[[step]]\nclient = \"kim\"\nsend = \"x\"\n",
            "c.toml:8:10: `kim` is not connected here",
        ),
        ("[[step]]\nclient = \"kim\"\nswap = true\n", "c.toml:5:10: `swap` is not about a client"),
        ("[[step]]\nswap = false\n", "c.toml:5:8: `step.swap`: only `true` makes sense here"),
        (
            "[[step]]\nclient = \"kim\"\nsend = \"x\"\nuser = \"kim\"\n",
            "c.toml:7:8: `user` is said when a client connects, not later",
        ),
        (
            "[[step]]\nclient = \"kim\"\nsend_binary = \"0\"\n",
            "c.toml:6:15: `step.send_binary` cannot be `0`: it must be bytes in hexadecimal",
        ),
        (
            "[[step]]\nclient = \"kim\"\nexpect_json = '{'\n",
            "c.toml:6:15: `step.expect_json` cannot be `{`: it must be JSON: EOF",
        ),
        (
            "[[step]]\nclient = \"kim\"\nexpect_close = { reason = \"x\" }\n",
            "`code` is missing in [step.expect_close]; the close that must come has one",
        ),
        (
            "[[step]]\nclient = \"kim\"\nexpect_close = { code = 999 }\n",
            "`step.expect_close.code` is 999; it must be from 1000 to 4999",
        ),
        ("[[step]]\nclient = \"bob\"\nconnect = \"tea\"\n", "c.toml:6:11: `step.connect`: "),
        ("[[step]]\nadvance = \"2 s\"\n", "c.toml:5:11: `step.advance` cannot be `2 s`: "),
        ("patiense = \"1s\"\n", "unknown key `patiense` in [step]"),
        ("[[http]]\nstatus = 200\n", "`url` is missing in [http]"),
        ("[[http]]\nurl = \"tea\"\n", "c.toml:5:7: `http.url`: it must be absolute, such as"),
        ("[[http]]\nurl = \"http://a b/\"\n", "`http.url`: it must be absolute"),
        ("[[http]]\nurl = \"http://a?b\"\n", "`http.url`: it must be absolute"),
        ("[[http]]\nurl = \"http://a/\"\nmethod = \"get\"\n", "a method of HTTP in capitals"),
        ("[[http]]\nurl = \"http://a/\"\nstatus = 101\n", "must be from 200 to 599"),
        (
            "[[http]]\nurl = \"http://a/\"\nheaders = { \"a b\" = 1 }\n",
            "\"a b\" with its value cannot be sent as a header",
        ),
    ] {
        let error = parse(&format!("{KIM}{more}")).expect_err(more).to_string();
        if !error.contains(told) || error.contains('\n') {
            wrong.push_str(&format!("{more}  said {error}\n  not  {told}\n\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let empty = parse("").expect_err("no steps").to_string();
    assert!(empty.contains("`step`") && empty.contains("[[step]]"), "{empty}");
}

#[test]
fn what_services_answer_is_read() {
    let text = r#"
[[http]]
url = "https://api.example.com:8443/items/tea?kind=green"
method = "POST"
status = 503
headers = { retry-after = 5, "x-a" = "b c" }
body = ["one\n", ""]
breaks = true
[[http]]
url = "http://127.0.0.1"
"#;
    let read = parse(&format!("{KIM}{text}")).unwrap().http;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let first = HttpAnswer {
        method: "POST".into(),
        url: "https://api.example.com:8443/items/tea?kind=green".into(),
        status: 503,
        headers: vec![pair("retry-after", "5"), pair("x-a", "b c")],
        body: vec!["one\n".into(), String::new()],
        breaks: true,
    };
    let second = HttpAnswer {
        method: "GET".into(),
        url: "http://127.0.0.1".into(),
        status: 200,
        headers: Vec::new(),
        body: Vec::new(),
        breaks: false,
    };
    assert_eq!(read, [first, second]);
}
