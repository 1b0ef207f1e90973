//! `sporegate inspect`: what it says of good modules and of others.

use std::path::PathBuf;

use super::program::{Ended, Program, run};
use crate::support::guest;

struct Modules(tempfile::TempDir);

impl Modules {
    fn with(files: &[(&str, &[u8])]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(directory.path().join(name), bytes).unwrap();
        }
        Self(directory)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn inspect(&self, name: &str) -> Ended {
        run(["inspect".as_ref(), self.path(name).as_os_str()]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_is_shown_with_what_it_may_do_and_why() {
    let echo = guest("echo");
    let sidecar = b"paths = [\"/e/{room}\"]\n[run]\ninstances = 3\naffinity = \"path\"\n\
                    [limits]\nmemory = \"1MiB\"\ncpu = \"7ms\"\n";
    let modules = Modules::with(&[("echo.wasm", &echo), ("e.wasm", &echo), ("e.toml", sidecar)]);
    let plain = modules.inspect("echo.wasm").await;
    let size = format!("size      {} bytes\n", echo.len());
    for part in [
        "kind      component\n",
        &size,
        "sha256    ",
        "world     sporegate:gateway/listener\n",
        "  granted sporegate:gateway/clients@1.0.0: see and reach the clients on its paths\n",
        "  sporegate:gateway/message-handler@1.0.0\n",
        "echo.toml\n  paths   see, send to and close the clients on /echo/*\n",
        "  memory  64MiB in an instance\n",
        "result    a listener",
    ] {
        assert!(plain.ok().contains(part), "{part:?} is not in {}", plain.out);
    }
    let told = modules.inspect("e.wasm").await;
    for part in ["by what ", "e.toml says", "/e/{room}\n", "3 instances, by path", "1MiB", "7 ms"] {
        assert!(told.ok().contains(part), "{part:?} is not in {}", told.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_come_from_the_configuration() {
    let modules = Modules::with(&[
        ("echo.wasm", &guest("echo")),
        (
            "s.toml",
            b"[sandbox]\nmax_module_size = \"32MiB\"\n[sandbox.defaults.limits]\ncpu = \"9ms\"",
        ),
        ("small.toml", b"[sandbox]\nmax_module_size = \"2KiB\""),
    ]);
    let (echo, config) = (modules.path("echo.wasm"), modules.path("s.toml"));
    let args = ["inspect".as_ref(), echo.as_os_str(), "--config".as_ref(), config.as_os_str()];
    let shown = run(args).await;
    assert!(shown.ok().contains("9 ms of CPU time"), "{}", shown.out);
    let small = modules.path("small.toml").display().to_string();
    let refused = Program::new(["inspect".as_ref(), echo.as_os_str()]);
    let refused = refused.variable("SPOREGATE_CONFIG", &small).run("").await;
    refused.failed(1, &["more than 2KiB", "sandbox.max_module_size"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_module_is_inspected_as_the_component_that_it_will_be() {
    let modules = Modules::with(&[("core.wasm", &guest("core-echo"))]);
    let shown = modules.inspect("core.wasm").await;
    assert!(shown.ok().contains("kind      core module (made a component"), "{}", shown.out);
    assert!(shown.out.contains("world     sporegate:gateway/listener\n"), "{}", shown.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_listener_is_shown_with_the_reason() {
    let modules =
        Modules::with(&[("greedy.wasm", &guest("greedy")), ("other.wasm", &guest("other-world"))]);
    let greedy = modules.inspect("greedy.wasm").await;
    greedy.failed(1, &["greedy.wasm: not a listener", "REFUSED"]);
    assert!(greedy.out.contains("  REFUSED wasi:nn/"), "{}", greedy.out);
    let other = modules.inspect("other.wasm").await;
    other.failed(1, &["MISSING"]);
    assert!(other.out.contains("  MISSING sporegate:gateway/lifecycle@1.0.0\n"), "{}", other.out);
    assert!(!other.out.contains("may do"), "{}", other.out);
    assert!(greedy.out.contains("\nto mend   a listener cannot run models; "), "{}", greedy.out);
    assert!(other.out.contains("\nto mend   "), "{}", other.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_for_another_version_is_told_so() {
    // The same length, so that nothing else of the file has to change.
    let mut echo = guest("echo");
    let (own, other) = (b"message-handler@1.0.0", b"message-handler@2.0.0");
    let places: Vec<usize> =
        (0..echo.len() - own.len()).filter(|at| echo[*at..].starts_with(own)).collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| echo[*at..*at + other.len()].copy_from_slice(other));
    let modules = Modules::with(&[("echo.wasm", &echo)]);
    let shown = modules.inspect("echo.wasm").await;
    shown.failed(1, &["not a listener"]);
    let told = "to mend   it was made for sporegate:gateway@2.0.0, and this gateway speaks 1.0.0: ";
    assert!(shown.out.contains(told), "{}", shown.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_at_all_is_told() {
    let modules = Modules::with(&[("note.wasm", b"just a note")]);
    let fifo = modules.path("fifo.wasm");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    modules.inspect("fifo.wasm").await.failed(1, &["fifo.wasm: not a regular file"]);
    modules
        .inspect("none.wasm")
        .await
        .failed(1, &["none.wasm: cannot be read", "name a .wasm file"]);
    modules.inspect(".").await.failed(1, &["not a regular file"]);
    modules.inspect("note.wasm").await.failed(1, &["not a WebAssembly file", "give a component"]);
}
