//! Files that cannot be modules: `check` names each with its reason and what to do, and fails.

use std::os::unix::fs::symlink;

use super::program::Program;
use crate::support::{TestGateway, guest};

/// A component that imports models: refused for what it asks for.
const GREEDY: &str = "wasi:nn/tensor@0.2.0-rc-2024-10-28";

/// What `check` says of one file, `m.wasm`, with a sidecar.
async fn refusal(bytes: &[u8], sidecar: Option<&str>) -> String {
    let mut setup = TestGateway::with().file("m.wasm", bytes).module("echo", "echo");
    if let Some(text) = sidecar {
        setup = setup.sidecar("m", text);
    }
    said_of(&setup.modules().join("m.wasm"), &setup.write()).await
}

/// The one line that `check` says of a file; all other modules are well.
async fn said_of(module: &std::path::Path, config: &std::path::Path) -> String {
    let checked = Program::new(["check".as_ref(), "--config".as_ref(), config.as_os_str()]);
    let checked = checked.run("").await;
    checked.failed(1, &["1 of 2 modules refused"]);
    assert!(checked.out.contains("ok: module echo: paths /echo/*\n"), "{checked:?}");
    let begin = format!("refused: {}: ", module.display());
    let refused: Vec<_> = checked.out.lines().filter(|line| !line.starts_with("ok: ")).collect();
    assert_eq!(refused.len(), 1, "not one line: {checked:?}");
    refused[0].strip_prefix(&begin).unwrap_or_else(|| panic!("{refused:?}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_component_is_refused_with_what_it_is() {
    let echo = guest("echo");
    let half = &echo[..echo.len() / 2];
    let mut flipped = echo.clone();
    flipped[echo.len() / 2] ^= 0xff;
    let text = b"not at all WebAssembly".as_slice();
    let cwasm = [b"\x7fELF\x02\x01\x01\0".as_slice(), &[0; 56]].concat();
    for (name, bytes, parts) in [
        ("empty", &b""[..], &["cut short", "copy it whole"][..]),
        ("text", text, &["not a WebAssembly file", "give a component"]),
        ("precompiled", &cwasm, &["precompiled code", "never loaded", ".wasm"]),
        ("half", half, &["damaged", "copy it whole"]),
        ("flipped", &flipped, &["damaged", "build it again"]),
        ("future version", b"\0asm\x0e\0\x01\0", &["unknown version"]),
        ("bare core module", b"\0asm\x01\0\0\0", &["world `listener`"]),
    ] {
        let reason = refusal(bytes, None).await;
        assert!(parts.iter().all(|part| reason.contains(part)), "{name}: {reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_module_without_types_is_told_how_to_become_one() {
    let core = wat::parse_str("(module (import \"env\" \"log\" (func)) (func (export \"run\")))");
    let reason = refusal(&core.unwrap(), None).await;
    for part in ["core module", "wit-bindgen", "component"] {
        assert!(reason.contains(part), "{part:?} is not in: {reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_of_another_world_is_told_which_one_is_wanted() {
    let reason = refusal(&guest("other-world"), None).await;
    let wanted = "does not export `sporegate:gateway/lifecycle@1.0.0#start`";
    assert!(reason.contains(wanted) && reason.contains("world `listener`"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_not_granted_is_named() {
    let reason = refusal(&guest("greedy"), None).await;
    assert!(reason.contains(GREEDY) && reason.contains("is not granted"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_is_told_in_one_line() {
    let reason = refusal(&guest("start-fails"), None).await;
    assert!(reason.contains("not today"), "{reason}");
    let reason = refusal(&guest("start-traps"), None).await;
    assert!(reason.contains("`unreachable` instruction executed, in "), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_sidecar_is_told_with_its_line() {
    let reason = refusal(&guest("echo"), Some("# comment\npath = [\"/x\"]")).await;
    assert!(reason.contains("m.toml:2:1: unknown key `path`; did you mean `paths`?"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_file_is_refused_by_the_limit_that_is_set() {
    let settings = "[sandbox]\nmax_module_size = \"64KiB\"\n";
    let setup = TestGateway::with().table(settings).module("echo", "echo");
    let setup = setup.file("m.wasm", &vec![0; (64 << 10) + 1]);
    let reason = said_of(&setup.modules().join("m.wasm"), &setup.write()).await;
    assert!(reason.contains("larger than 65536 bytes"), "{reason}");
    assert!(reason.contains("sandbox.max_module_size"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_plain_files_with_the_name_of_a_module_are_opened() {
    for (name, make, parts) in [
        ("m.wasm", 0, &["a symbolic link", "put the file itself"][..]),
        ("m.wasm", 1, &["not a regular file", "put the file itself"]),
        ("m.wasm", 2, &["not a regular file"]),
        ("Not A Name.wasm", 3, &["is not a module name", "rename the file"]),
    ] {
        let setup = TestGateway::with().module("echo", "echo");
        let path = setup.modules().join(name);
        match make {
            0 => symlink(setup.modules().join("echo.wasm"), &path).unwrap(),
            1 => {
                assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success())
            }
            2 => std::fs::create_dir(&path).unwrap(),
            _ => std::fs::write(&path, guest("echo")).unwrap(),
        }
        let reason = said_of(&path, &setup.write()).await;
        assert!(parts.iter().all(|part| reason.contains(part)), "{name}: {reason}");
    }
}
