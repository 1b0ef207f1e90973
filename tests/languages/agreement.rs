//! Both runners say the same of what goes wrong: a conversation is judged in one place.

use std::path::Path;

use sporegate::config::Conversation;
use sporegate::conversation::{Failure, play};
use sporegate::gateway::Rehearsals;

use super::components::{Component, components};
use super::config;
use super::served::Served;
use crate::support::compiler;

const BEGIN: &str = "[[step]]\nclient = \"kim\"\nconnect = \"/echo\"\nuser = \"kim\"\n\
                     [[step]]\nclient = \"kim\"\nsend = '{\"a\":1}'\n";

/// Each after [`BEGIN`], with what is said of it.
const WRONG: [(&str, &str); 6] = [
    (
        "[[step]]\nclient = \"kim\"\nexpect = '{\"a\":2}'\n",
        "c.toml:8: step 3: kim expects the text {\"a\":2}\n  expected  the text {\"a\":2}\n  \
         got       the text {\"a\":1}",
    ),
    (
        "[[step]]\nclient = \"kim\"\nexpect_json = '{\"a\":2}'\n",
        "c.toml:8: step 3: kim expects the JSON {\"a\":2}\n  expected  the JSON {\"a\":2}\n  \
         got       the text {\"a\":1}\n  differs   at /a: 1, expected 2",
    ),
    (
        "[[step]]\nclient = \"kim\"\nexpect_binary = '7b'\n",
        "c.toml:8: step 3: kim expects the bytes 7b\n  expected  the bytes 7b\n  \
         got       the text {\"a\":1}",
    ),
    (
        "[[step]]\nclient = \"kim\"\nexpect_nothing = true\n",
        "c.toml:8: step 3: kim expects nothing\n  expected  nothing\n  got       the text {\"a\":1}",
    ),
    (
        "[[step]]\nclient = \"kim\"\nexpect_close = { code = 1000 }\n",
        "c.toml:8: step 3: kim expects the close 1000\n  expected  the close 1000\n  \
         got       the text {\"a\":1}",
    ),
    (
        "",
        "c.toml:5: step 2: no message is left over at the end\n  \
         kim was not expected to hear\n    the text {\"a\":1}",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_told_in_the_same_words_with_and_without_a_network() {
    let echo = echo();
    let rehearsals = Rehearsals::of(&config(), &compiler(), &echo.file).await.unwrap();
    for (end, told) in WRONG {
        let conversation = Conversation::parse(&format!("{BEGIN}{end}"), Path::new("c.toml"));
        let conversation = conversation.unwrap();
        let mut rehearsal = rehearsals.begin(&conversation.http).await.unwrap();
        let in_memory = play(&conversation, &mut rehearsal, |_| {}).await;
        assert_eq!(text(in_memory), told);
        rehearsal.end().await;
        let mut served = Served::start(&echo, &conversation).await.unwrap();
        let over_sockets = play(&conversation, &mut served, |_| {}).await;
        assert_eq!(text(over_sockets), told);
        assert!(served.stop().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_those_of_a_gateway_in_both() {
    let message = "x".repeat(70_000);
    let text = format!(
        "[[step]]\nclient = \"kim\"\nconnect = \"/echo\"\n[[step]]\nclient = \"kim\"\nsend = \
         '{message}'\n[[step]]\nclient = \"kim\"\nexpect_close = {{ code = 1009 }}\n"
    );
    let conversation = Conversation::parse(&text, Path::new("c.toml")).unwrap();
    let echo = echo();
    let rehearsals = Rehearsals::of(&config(), &compiler(), &echo.file).await.unwrap();
    let mut rehearsal = rehearsals.begin(&conversation.http).await.unwrap();
    play(&conversation, &mut rehearsal, |_| {}).await.unwrap();
    let mut served = Served::start(&echo, &conversation).await.unwrap();
    play(&conversation, &mut served, |_| {}).await.unwrap();
}

fn echo() -> Component {
    let is_echo = |it: &Component| it.language == "rust" && it.name == "echo";
    components().into_iter().find(is_echo).unwrap()
}

fn text(played: Result<(), Failure>) -> String {
    played.expect_err("it must fail").to_string()
}
