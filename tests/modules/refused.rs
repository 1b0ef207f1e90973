//! Files that cannot be modules: each is refused with a reason that says how to mend it.

use std::os::unix::fs::symlink;
use std::process::Command;

use super::{reason, serving};
use crate::support::{Setup, TestGateway, guest};

/// Starts with `echo` among the files, which must serve whatever the others are.
async fn beside_echo(setup: Setup) -> TestGateway {
    let gateway = setup.module("echo", "echo").start().await;
    gateway.client("/echo").await.echo("the others serve").await;
    gateway
}

/// Expects that only `echo` serves, and that each file was refused with this in its reason.
async fn refuse(setup: Setup, reasons: &[(&str, &[&str])]) {
    let gateway = beside_echo(setup).await;
    assert_eq!(serving(&gateway), ["echo"]);
    for (file, parts) in reasons {
        let said = reason(&gateway, file);
        for part in *parts {
            assert!(said.contains(part), "{file}: no {part:?} in {said:?}");
        }
    }
    assert_eq!(gateway.gateway().refused().len(), reasons.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_webassembly_is_named() {
    let setup = TestGateway::with()
        .file("empty.wasm", b"")
        .file("short.wasm", b"\0as")
        .file("text.wasm", b"console.log('hello')")
        .file("wat.wasm", b"(module)")
        .file("page.wasm", b"<!doctype html><title>404</title>")
        .file("version.wasm", b"\0asm\x02\0\0\0")
        .file("header.wasm", b"\0asm\x0d\0\x01\0")
        .file("core-header.wasm", b"\0asm\x01\0\0\0");
    let no_wasm: &[&str] = &["not a WebAssembly file"];
    refuse(
        setup,
        &[
            ("empty.wasm", &["empty or cut short"]),
            ("short.wasm", &["empty or cut short"]),
            ("text.wasm", no_wasm),
            ("wat.wasm", no_wasm),
            ("page.wasm", no_wasm),
            ("version.wasm", &["unknown version"]),
            ("header.wasm", &["does not export", "sporegate:gateway/lifecycle@1.0.0#start"]),
            ("core-header.wasm", &["does not export", "lifecycle"]),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn native_and_precompiled_code_is_never_loaded() {
    let mut config = wasmtime::Config::new();
    // Just as the gateway's own engine is: it would fit.
    config.wasm_component_model(true).epoch_interruption(true);
    let engine = wasmtime::Engine::new(&config).unwrap();
    let precompiled = engine.precompile_component(&guest("echo")).unwrap();
    let own_code = std::fs::read(env!("CARGO_BIN_EXE_sporegate")).unwrap();
    let setup = TestGateway::with()
        .file("precompiled.wasm", &precompiled)
        .file("program.wasm", &own_code[..1 << 20])
        .file("named.cwasm", &precompiled)
        // Whatever is in it.
        .file("echo.cwasm", &guest("echo"));
    let elf: &[&str] = &["native or precompiled code"];
    let named: &[&str] = &["precompiled code, which is never loaded", ".wasm"];
    let refused = [
        ("precompiled.wasm", elf),
        ("program.wasm", elf),
        ("named.cwasm", named),
        ("echo.cwasm", named),
    ];
    refuse(setup, &refused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_above_the_limit_is_not_read() {
    let probe = guest("probe");
    let echo = guest("echo");
    assert!(probe.len() > 2 * echo.len());
    let limit = echo.len();
    let setup = TestGateway::with()
        .module("probe", "probe")
        .sandbox(&format!("max_module_size = \"{limit}B\""));
    let limit = limit.to_string();
    refuse(setup, &[("probe.wasm", &[&limit, "sandbox.max_module_size"])]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_asks_for_more_than_listeners_get_is_refused_naming_it() {
    let setup = TestGateway::with().module("greedy", "greedy");
    let parts: &[&str] = &["wasi:nn/tensor@0.2.0-rc-2024-10-28", "not granted"];
    refuse(setup, &[("greedy.wasm", parts)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_for_another_world_is_refused_naming_what_is_missing() {
    let setup = TestGateway::with().module("other-world", "other-world");
    let parts: &[&str] = &["sporegate:gateway/lifecycle@1.0.0#start", "another world"];
    refuse(setup, &[("other-world.wasm", parts)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_whose_start_fails_is_refused_with_what_it_says() {
    let setup = TestGateway::with()
        .module("start-fails", "start-fails")
        .module("start-traps", "start-traps");
    refuse(
        setup,
        &[
            ("start-fails.wasm", &["start returned an error: not today"]),
            ("start-traps.wasm", &["start", "unreachable"]),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_directories_and_pipes_are_not_modules() {
    let setup = TestGateway::with();
    let outside = setup.directory().join("outside.wasm");
    std::fs::write(&outside, guest("echo")).unwrap();
    symlink(&outside, setup.modules().join("link.wasm")).unwrap();
    symlink("nowhere", setup.modules().join("dangling.wasm")).unwrap();
    std::fs::create_dir(setup.modules().join("folder.wasm")).unwrap();
    let pipe = setup.modules().join("pipe.wasm");
    assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
    refuse(
        setup,
        &[
            ("link.wasm", &["symbolic link"]),
            ("dangling.wasm", &["symbolic link"]),
            ("folder.wasm", &["not a regular file"]),
            ("pipe.wasm", &["not a regular file"]),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_devices_are_not_modules() {
    let setup = TestGateway::with();
    let socket = setup.modules().join("socket.wasm");
    let _listener = std::os::unix::net::UnixListener::bind(socket).unwrap();
    let special: &[&str] = &["not a regular file"];
    let mut reasons = vec![("socket.wasm", special)];
    // Only root may make one: one that gives bytes without end.
    let device = setup.modules().join("device.wasm");
    let made = Command::new("mknod").arg(device).args(["c", "1", "5"]).output();
    if made.is_ok_and(|made| made.status.success()) {
        reasons.push(("device.wasm", special));
    }
    refuse(setup, &reasons).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_no_path_could_have_are_refused() {
    let echo = guest("echo");
    let setup = TestGateway::with()
        .file("Echo.wasm", &echo)
        .file("my echo.wasm", &echo)
        .file("a.b.wasm", &echo)
        .file("*.wasm", &echo)
        .file("..wasm", &echo)
        .file("...wasm", &echo);
    let gateway = beside_echo(setup).await;
    assert_eq!(serving(&gateway), ["echo"]);
    for file in ["Echo.wasm", "my echo.wasm", "a.b.wasm", "*.wasm", "..wasm", "...wasm"] {
        let said = reason(&gateway, file);
        assert!(said.contains("name") && !said.contains('\n'), "{file}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_files_are_none_of_its_business() {
    let echo = guest("echo");
    let setup = TestGateway::with()
        .file("notes.txt", b"\0asm")
        .file("echo.wasm.bak", &echo)
        .file("echo2.WASM", &echo)
        .file("wasm", &echo)
        .file("lonely.toml", b"this = \"is the sidecar of nothing\"");
    std::fs::create_dir(setup.modules().join("below")).unwrap();
    std::fs::write(setup.modules().join("below/deep.wasm"), &echo).unwrap();
    refuse(setup, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_without_any_module_still_serves() {
    let gateway = TestGateway::with().start().await;
    let mut client = gateway.client("/anywhere").await;
    client.send("is anybody there?").await;
    client.settle().await;
    assert_eq!(gateway.counters().unmatched.get(), 1);
}
