//! An import that the sidecar does not grant, and the lines that would.

use crate::support::{guest, sporegate};

use super::grantee;

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_imports_what_its_sidecar_does_not_grant_is_refused_with_the_lines_to_add() {
    for (sidecar, parts) in [
        ("", ["wasi:http/", "`[http]` and `hosts = "]),
        ("[keyvalue]\nbuckets = []", ["wasi:http/", "`[http]` and `hosts = "]),
        ("[http]\nhosts = []", ["wasi:keyvalue/", "`[keyvalue]` and `buckets = "]),
        // Limits alone grant nothing.
        ("[http]\nrequests = 1", ["wasi:http/", "`[http]` and `hosts = "]),
    ] {
        let gateway = grantee(sidecar).module("echo", "echo").start().await;
        let refused = gateway.gateway().refused();
        assert_eq!(refused.len(), 1, "{refused:?}");
        for part in parts {
            assert!(refused[0].reason.contains(part), "{sidecar}: {}", refused[0].reason);
        }
        gateway.client("/echo").await.echo("the others serve").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_granted_and_is_not_any_more_is_refused_and_goes_on_as_it_was() {
    let gateway = grantee("[http]\nhosts = []\n[keyvalue]\nbuckets = []").start().await;
    let sidecar = gateway.directory().join("modules/grantee.toml");
    std::fs::write(&sidecar, "[keyvalue]\nbuckets = []").unwrap();
    let keeper = gateway.gateway().keeper();
    keeper.reload().await.unwrap();
    let list = keeper.list().await.unwrap();
    assert!(format!("{:?}", list[0].state).contains("wasi:http/"), "{list:?}");
    let mut client = gateway.client("/grantee").await;
    let value = client.ask(serde_json::json!({"do": "config", "key": "x"})).await;
    assert!(value["value"].is_null(), "{value}");
}

#[test]
fn inspect_shows_which_imports_a_sidecar_has_to_grant() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("grantee.wasm");
    std::fs::write(&file, guest("grantee")).unwrap();
    let inspect = || {
        let output = sporegate().arg("inspect").arg(&file).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, text) = inspect();
    assert_eq!(code, Some(1), "{text}");
    for part in ["  NEEDS   wasi:http/outgoing-handler@0.2", "[http]\n", "[keyvalue]\n"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains("  granted wasi:config/store@0.2.0-rc.1: read [config]"), "{text}");
    let sidecar = "[http]\nhosts = [\"*.example.org\"]\n[keyvalue]\nbuckets = [\"b\"]\n[config]\nsecret = \"hidden\"\n";
    std::fs::write(file.with_extension("toml"), sidecar).unwrap();
    let (code, text) = inspect();
    assert_eq!(code, Some(0), "{text}");
    for part in
        ["  http    call *.example.org; 16 requests", "  buckets b;", "  config  values secret"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("hidden") && !text.contains("NEEDS"), "{text}");
}
