//! `sporegate test`: what it says of conversations that go well, of others, and of what is none.

use std::path::PathBuf;

use super::program::{Ended, run};
use crate::support::guest;

/// A folder with modules and conversations.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn test(&self, args: &[&str]) -> Ended {
        let files = args.iter().map(|arg| match arg.starts_with('-') {
            true => PathBuf::from(arg),
            false => self.path(arg),
        });
        run(std::iter::once(PathBuf::from("test")).chain(files)).await
    }
}

const CONNECT: &str = "[[step]]\nclient = \"kim\"\nconnect = \"/echo\"\n";

fn says(sends: &str, hears: &str) -> String {
    format!(
        "{CONNECT}[[step]]\nclient = \"kim\"\nsend = '{sends}'\n\
         [[step]]\nclient = \"kim\"\nexpect = '{hears}'\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_as_written_is_ok_and_what_does_not_is_told_where_it_stands() {
    let folder = Folder::with(&[
        ("echo.wasm", &guest("echo")),
        ("good.toml", says("hi", "hi").as_bytes()),
        ("bad.toml", says("hi", "ho").as_bytes()),
    ]);
    let good = folder.test(&["echo.wasm", "good.toml"]).await;
    assert!(good.ok().starts_with("ok      "), "{}", good.out);
    assert!(good.out.ends_with("conversations: 1 ok, 0 failed\n"), "{}", good.out);
    let both = folder.test(&["echo.wasm", "bad.toml", "good.toml"]).await;
    assert_eq!(both.code, Some(1), "{both:?}");
    let told = "bad.toml:7: step 3: kim expects the text ho\n  \
                expected  the text ho\n  got       the text hi\n";
    assert!(both.out.starts_with("FAILED  ") && both.out.contains(told), "{}", both.out);
    assert!(both.out.ends_with("conversations: 1 ok, 1 failed\n"), "{}", both.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_folder_every_conversation_is_played_and_verbose_tells_each_step() {
    let folder = Folder::with(&[("echo.wasm", &guest("echo"))]);
    let talks = folder.path("talks");
    std::fs::create_dir(&talks).unwrap();
    let none = folder.test(&["echo.wasm", "talks"]).await;
    none.failed(2, &["talks: no conversation"]);
    for name in ["b.toml", "a.toml"] {
        std::fs::write(talks.join(name), says("hi", "hi")).unwrap();
    }
    std::fs::write(talks.join("notes.txt"), "none").unwrap();
    let all = folder.test(&["--verbose", "echo.wasm", "talks"]).await;
    assert!(all.ok().ends_with("conversations: 2 ok, 0 failed\n"), "{}", all.out);
    assert!(all.out.find("a.toml").unwrap() < all.out.find("b.toml").unwrap(), "{}", all.out);
    assert!(all.err.contains("    4  kim sends the text hi\n"), "{}", all.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_module_logs_and_why_it_failed_is_told_with_the_failure() {
    let text = "[[step]]\nclient = \"kim\"\nconnect = \"/probe\"\n\
                [[step]]\nclient = \"kim\"\nsend = '{\"do\":\"trap\"}'\n\
                [[step]]\nclient = \"kim\"\nexpect = 'anything'\n";
    let patience = format!("patience = \"100ms\"\n{text}");
    let folder = Folder::with(&[("probe.wasm", &guest("probe")), ("c.toml", patience.as_bytes())]);
    let ended = folder.test(&["probe.wasm", "c.toml"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for part in ["got       nothing within 100ms\n", "  logged meanwhile:\n", "listener failed: "] {
        assert!(ended.out.contains(part), "{part:?} is not in {}", ended.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sidecar_beside_the_module_holds() {
    let elsewhere = "[[step]]\nclient = \"kim\"\nconnect = \"/elsewhere/x\"\n\
                     [[step]]\nclient = \"kim\"\nsend = 'hi'\n\
                     [[step]]\nclient = \"kim\"\nexpect = 'hi'\n";
    let folder = Folder::with(&[
        ("echo.wasm", &guest("echo")),
        ("echo.toml", b"paths = [\"/elsewhere/{room}\"]\n"),
        ("c.txt", elsewhere.as_bytes()),
    ]);
    folder.test(&["echo.wasm", "c.txt"]).await.ok();
    std::fs::write(folder.path("echo.toml"), "pahts = [\"/elsewhere/*\"]\n").unwrap();
    let wrong = folder.test(&["echo.wasm", "c.txt"]).await;
    wrong.failed(2, &["echo.toml:1:1: unknown key `pahts`; did you mean `paths`?"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_gateway_hold_where_they_are_named() {
    let settings = b"[[paths]]\npattern = \"/echo/*\"\nrestrict_to_roles = [\"editor\"]\n";
    let connect = |more: &str| format!("{CONNECT}user = \"kim\"\n{more}");
    let folder = Folder::with(&[
        ("echo.wasm", &guest("echo")),
        ("sporegate.toml", settings),
        ("editor.toml", connect("roles = [\"editor\"]\n").as_bytes()),
        ("nobody.toml", connect("").as_bytes()),
    ]);
    let config = folder.path("sporegate.toml").display().to_string();
    let config = format!("--config={config}");
    folder.test(&["echo.wasm", "editor.toml", &config]).await.ok();
    let refused = folder.test(&["echo.wasm", "nobody.toml", &config]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.out.contains("step 1: kim connects to /echo as kim\n  403 "),
        "{}",
        refused.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_played_at_all_has_another_exit_code() {
    let folder = Folder::with(&[
        ("echo.wasm", &guest("echo")),
        ("greedy.wasm", &guest("greedy")),
        ("fails.wasm", &guest("start-fails")),
        ("good.toml", says("hi", "hi").as_bytes()),
        ("typo.toml", b"[[step]]\nclinet = \"kim\"\nconnect = \"/\"\n"),
    ]);
    let of = async |module: &str, file: &str| folder.test(&[module, file]).await;
    of("none.wasm", "good.toml").await.failed(2, &["none.wasm: "]);
    of("greedy.wasm", "good.toml").await.failed(2, &["greedy.wasm: it imports `wasi:nn/"]);
    of("fails.wasm", "good.toml").await.failed(2, &["fails.wasm: "]);
    of("echo.wasm", "typo.toml").await.failed(2, &["typo.toml:2:1", "did you mean `client`?"]);
    of("echo.wasm", "none.toml").await.failed(2, &["none.toml: cannot be read"]);
    assert_eq!(run(["test", "echo.wasm"]).await.code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn services_answer_as_the_conversation_says_and_there_are_no_others() {
    let sidecar = "[http]\nhosts = [\"api.example.com\", \"127.0.0.1:9000\", \"10.0.0.1\"]\n\
                   private = [\"127.0.0.0/8\"]\n[config]\nservice = \"SERVICE\"\n";
    let ask = |hears: &[&str]| {
        let begin = "[[http]]\nurl = \"https://api.example.com/items/tea\"\nbody = [\"one\\n\"]\n\
                     [[http]]\nurl = \"http://10.0.0.1/items/tea\"\n\
                     [[step]]\nclient = \"kim\"\nconnect = \"/enrich\"\n\
                     [[step]]\nclient = \"kim\"\nsend = 'tea'\n";
        let hears = hears
            .iter()
            .map(|text| format!("[[step]]\nclient = \"kim\"\nexpect_json = '{text}'\n"));
        begin.to_owned() + &hears.collect::<String>()
    };
    for (service, hears) in [
        // TLS is for the network: whom a request goes to is what counts.
        (
            "https://api.example.com",
            &[r#"{"status":200}"#, r#"{"line":"one"}"#, r#"{"done":true,"lines":1}"#][..],
        ),
        ("http://api.example.com", &[r#"{"error":"DestinationNotFound"}"#]),
        ("http://elsewhere.example.com", &[r#"{"error":"HttpRequestDenied"}"#]),
        ("http://127.0.0.1:9000", &[r#"{"error":"ConnectionRefused"}"#]),
        // Granted and answered, and all the same no address that may be called.
        ("http://10.0.0.1", &[r#"{"error":"DestinationIpProhibited"}"#]),
    ] {
        let folder = Folder::with(&[
            ("enrich.wasm", &guest("enrich")),
            ("enrich.toml", sidecar.replace("SERVICE", service).as_bytes()),
            ("c.toml", ask(hears).as_bytes()),
        ]);
        folder.test(&["enrich.wasm", "c.toml"]).await.ok();
    }
    // What is wrong with the conversation is told where it fails.
    for (service, told) in [
        ("https://api.example.com/v2", "GET /v2/items/tea"),
        ("http://127.0.0.1:9000", "127.0.0.1:9000"),
    ] {
        let folder = Folder::with(&[
            ("enrich.wasm", &guest("enrich")),
            ("enrich.toml", sidecar.replace("SERVICE", service).as_bytes()),
            ("c.toml", ask(&["{}"]).as_bytes()),
        ]);
        let ended = folder.test(&["enrich.wasm", "c.toml"]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        for part in ["logged meanwhile", "no [[http]] of the conversation", told] {
            assert!(ended.out.contains(part), "{part:?} is not in {}", ended.out);
        }
    }
}
