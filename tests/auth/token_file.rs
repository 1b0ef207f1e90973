//! Static tokens: kept hashed in a file, for development and machines.

use super::*;
use crate::support::{Setup, sporegate};

/// A setup with a token file of these entries.
fn setup(entries: &str) -> Setup {
    let setup = TestGateway::with().module("probe", "probe");
    std::fs::write(setup.directory().join("tokens.toml"), entries).unwrap();
    setup.table("[auth]\ntoken_file = \"tokens.toml\"")
}

/// A token and its entry, as the command makes them.
fn make(arguments: &[&str]) -> (String, String) {
    let output = sporegate().args(["token", "--static"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stderr).trim().to_owned(), text(output.stdout))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_file_gets_in_and_the_file_does_not_hold_it() {
    let (machine, machine_entry) = make(&["--user", "meter-7", "--role", "meter", "--role", "a"]);
    let (person, person_entry) = make(&["--user", "ann"]);
    assert!(!machine_entry.contains(&machine));
    let gateway = setup(&format!("{machine_entry}\n{person_entry}")).start().await;
    let client = seen(&gateway, &machine).await;
    assert_eq!(client["username"], "meter-7");
    assert_eq!(client["roles"], json!(["a", "meter"]));
    let client = seen(&gateway, &person).await;
    assert_eq!((&client["username"], &client["roles"]), (&json!("ann"), &json!([])));
    let token = gateway.token("bob", &[]);
    assert_eq!(seen(&gateway, &token).await["username"], "bob", "JWTs go on working");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_file_gets_401() {
    let (token, entry) = make(&["--user", "ann"]);
    let hash = entry.split('"').find(|part| part.starts_with("sha256:")).unwrap();
    let (old, expired) = make(&["--user", "old"]);
    let gateway = setup(&format!("{entry}\n{expired}expires = 2001-01-01T00:00:00Z\n"));
    let gateway = gateway.start().await;
    let hash = hash.trim_start_matches("sha256:");
    for wrong in [&token[1..], &token[..token.len() - 1], &format!("{token}x"), hash, "x"] {
        assert_unauthorized(&answer(&gateway, "/probe", wrong).await, Some("invalid_token"));
    }
    let answer = answer(&gateway, "/probe", &old).await;
    assert_unauthorized(&answer, Some("the token has expired"));
}

/// How long a comparison takes cannot be measured through a socket; what it is made of can be read.
#[test]
fn static_tokens_are_compared_in_constant_time() {
    let source = include_str!("../../host/src/auth/token_file.rs");
    let find = source.split("fn find(").nth(1).unwrap().split("\n    }\n").next().unwrap();
    // Every entry, by its hash, without a branch on the result.
    assert!(find.contains("for (index, entry) in (0u32..).zip(&self.0)"), "{find}");
    assert!(find.contains("entry.hash.ct_eq(&hash)"), "{find}");
    assert!(find.contains("conditional_assign"), "{find}");
    let in_loop = find.split("for (").nth(1).unwrap().split("\n        }").next().unwrap();
    for early in ["==", "return", "break", "if ", "?", "find(", "position("] {
        assert!(!in_loop.contains(early), "{early} in {in_loop}");
    }
}
