//! Which paths a module gets, by its name and by its sidecar.

use super::{reason, serving};
use crate::support::TestGateway;

/// Whether a listener takes what a client sends there.
async fn answers(gateway: &TestGateway, path: &str) -> bool {
    let counters = gateway.counters();
    let before = (counters.calls.get(), counters.unmatched.get());
    let mut client = gateway.client(path).await;
    client.send("hello").await;
    client.send(vec![0]).await;
    client.handled().await;
    match (counters.calls.get() - before.0, counters.unmatched.get() - before.1) {
        (2, 0) => true,
        (0, 2) => false,
        other => panic!("{path}: calls and unmatched are {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sidecar_a_module_has_the_path_of_its_name_and_all_below() {
    let gateway = TestGateway::with().module("my-echo2", "echo").start().await;
    for (path, answered) in [
        ("/my-echo2", true),
        ("/my-echo2/", true),
        ("/my-echo2/a/b", true),
        ("/my-echo", false),
        ("/my-echo22", false),
        ("/My-echo2", false),
        ("/a/my-echo2", false),
        ("/", false),
        ("", false),
    ] {
        assert_eq!(answers(&gateway, path).await, answered, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_narrows_and_widens_the_paths() {
    for (paths, cases) in [
        (r#"["/echo/a"]"#, [("/echo", false), ("/echo/a", true), ("/echo/a/b", false)]),
        (r#"["/other/*", "/x/{y}"]"#, [("/echo", false), ("/other/z", true), ("/x/1", true)]),
        (r#"["/*"]"#, [("/", true), ("/echo", true), ("/any/where", true)]),
    ] {
        let gateway = TestGateway::with()
            .module("echo", "echo")
            .sidecar("echo", &format!("paths = {paths}\n"))
            .start()
            .await;
        for (path, answered) in cases {
            assert_eq!(answers(&gateway, path).await, answered, "{paths} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_with_a_mistake_refuses_its_module_and_names_the_nearest_right_key() {
    for (sidecar, parts) in [
        ("path = [\"/echo\"]\n", ["unknown key `path`", "`paths`"]),
        ("[limit]\n", ["unknown", "`limits`"]),
        ("[limits]\nmemmory = \"1MiB\"\n", ["unknown key `memmory`", "`memory`"]),
        ("[run]\ninstanses = 2\n", ["unknown key `instanses`", "`instances`"]),
        ("[run]\naffinity = \"moon\"\n", ["affinity", "client, user, path"]),
        ("[limits]\nmemory = \"lots\"\n", ["memory", "lots"]),
        ("[limits]\ncpu = \"0ms\"\n", ["cpu", "1ms"]),
        ("paths = []\n", ["paths", "at least one"]),
        ("paths = [\"echo\"]\n", ["paths", "`/`"]),
        ("paths = \n", ["bad.toml:1", "not valid TOML"]),
    ] {
        let gateway = TestGateway::with()
            .module("bad", "echo")
            .sidecar("bad", sidecar)
            .module("echo", "echo")
            .start()
            .await;
        assert_eq!(serving(&gateway), ["echo"], "{sidecar}");
        let said = reason(&gateway, "bad.wasm");
        assert!(said.contains("bad.toml"), "{sidecar}: {said}");
        for part in parts {
            assert!(said.contains(part), "{sidecar}: no {part:?} in {said:?}");
        }
        gateway.client("/echo").await.echo("the other serves").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_modules_on_one_path_are_asked_in_the_order_of_their_names() {
    let gateway = TestGateway::with()
        .module("one", "echo")
        .module("two", "echo")
        .sidecar("one", "paths = [\"/shared\", \"/one\"]\n")
        .sidecar("two", "paths = [\"/shared\", \"/two\"]\n")
        .start()
        .await;
    for path in ["/one", "/two", "/shared"] {
        let mut client = gateway.client(path).await;
        let calls = gateway.counters().calls.get();
        // The first one answers and says stop.
        client.echo("once").await;
        client.settle().await;
        assert_eq!(gateway.counters().calls.get() - calls, 1, "{path}");
    }
}
