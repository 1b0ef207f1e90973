//! The process that compiles: however it ends, its module is refused with the reason, and nothing
//! else happens.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sporegate::sandbox::{
    CompileCache, CompileLimits, Compiler, Granted, Revision, Sandbox, SandboxSettings, inspect,
};

use crate::support::{compiler, guest};

const LIMITS: CompileLimits = CompileLimits {
    module_bytes: 1 << 20,
    memory_bytes: 1 << 30,
    cpu_time: Duration::from_secs(1),
};

fn sandbox(compiler: Compiler, cache: CompileCache) -> Arc<Sandbox> {
    let settings =
        SandboxSettings { memory_bytes: 64 << 20, cache, compiler, compile_limits: LIMITS };
    Arc::new(Sandbox::new(&settings).unwrap())
}

/// A program that does what the file says.
fn stand_in() -> Compiler {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tests");
    Compiler::Child(tests.join("fixtures/compiler"))
}

/// What is said of a file when the compiler does this.
async fn refusal(what: &str) -> String {
    let sandbox = sandbox(stand_in(), CompileCache::Off);
    let refused = Revision::compile(&sandbox, format!("{what}\n").into()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(!refused.contains('\n'), "{refused}");
    refused
}

#[tokio::test]
async fn each_end_of_the_compiler_has_its_reason() {
    for (what, parts) in [
        ("crash", &["the compiler crashed", "SIGSEGV", "build it again"][..]),
        ("full-stack", &["the compiler crashed", "SIGABRT", "overflowed its stack"]),
        ("no-memory", &["more than 1GiB of memory", "sandbox.compile_memory"]),
        ("no-time", &["more than 1s of processor time", "sandbox.compile_time"]),
        ("fail", &["the compiler failed", "exit status: 3", "it does not work"]),
        ("nothing", &["the compiler failed", "exit status: 0"]),
        ("garbage", &["the compiler failed"]),
        ("half", &["the compiler failed"]),
        ("endless", &["more than 16MiB", "sandbox.max_module_size"]),
    ] {
        let said = refusal(what).await;
        assert!(parts.iter().all(|part| said.contains(part)), "{what}: {said}");
    }
}

#[tokio::test]
async fn a_compiler_that_does_nothing_is_killed_in_time_with_all_that_it_started() {
    for what in ["hang", "hang-below"] {
        let begun = Instant::now();
        let said = refusal(what).await;
        assert!(said.contains("sandbox.compile_time"), "{said}");
        let took = begun.elapsed();
        assert!(took >= Duration::from_secs(10) && took < Duration::from_secs(60), "{took:?}");
    }
}

#[tokio::test]
async fn of_a_long_complaint_only_the_beginning_is_kept() {
    let said = refusal("chatter").await;
    assert!(said.contains("xxxx") && said.len() < 2_000, "{}", said.len());
}

#[tokio::test]
async fn the_compiler_knows_nothing_of_its_surroundings() {
    let said = refusal("surroundings").await;
    assert!(said.contains("PWD=/"), "{said}");
    for variable in ["HOME", "CARGO", "XDG", "RUST"] {
        assert!(!said.contains(variable), "{said}");
    }
}

#[tokio::test]
async fn a_compiler_that_is_not_there_is_named() {
    let sandbox = sandbox(Compiler::Child("/nowhere/at/all".into()), CompileCache::Off);
    let refused = Revision::compile(&sandbox, guest("echo")).await.unwrap_err().to_string();
    for part in ["the compiler failed", "/nowhere/at/all", "No such file"] {
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn inspecting_has_the_same_limits_and_reasons() {
    let refused = inspect(b"full-stack\n", &stand_in(), &LIMITS).unwrap_err().to_string();
    assert!(refused.contains("overflowed its stack"), "{refused}");
    let echo = inspect(&guest("echo"), &compiler(), &LIMITS).unwrap();
    assert!(echo.is_listener(Granted::default()));
}

#[test]
fn what_is_for_other_commands_is_refused_on_the_command_line() {
    for arguments in
        [&["compile-module"][..], &["compile-module", "usual", "compile", "1", "1", "x"]]
    {
        let ended = crate::support::sporegate().args(arguments).output().unwrap();
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    }
    // Of another process than the one that started it.
    let orphan = ["compile-module", "usual", "compile", "1000000000", "9", "1"];
    let ended = crate::support::sporegate().args(orphan).output().unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(String::from_utf8_lossy(&ended.stderr).contains("is gone"), "{ended:?}");
}

fn cache(directory: &tempfile::TempDir) -> CompileCache {
    CompileCache::Directory(directory.path().join("compiled"))
}

/// The one entry of a cache.
fn entry(directory: &tempfile::TempDir) -> PathBuf {
    let files = std::fs::read_dir(directory.path().join("compiled")).unwrap();
    let mut paths = files.map(|file| file.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|extension| extension == "code")).unwrap()
}

#[tokio::test]
async fn what_was_compiled_once_needs_no_compiler_any_more() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["echo", "core-echo"] {
        let compiling = sandbox(compiler(), cache(&directory));
        let first = Revision::compile(&compiling, guest(name)).await.unwrap();
        let without = sandbox(Compiler::Child("/nowhere".into()), cache(&directory));
        let second = Revision::compile(&without, guest(name)).await.unwrap();
        assert_eq!(first.digest(), second.digest());
        assert_eq!(second.file_bytes(), guest(name).len());
        let refused = Revision::compile(&without, guest("chat")).await.unwrap_err();
        assert!(refused.to_string().contains("/nowhere"), "{refused}");
    }
}

#[tokio::test]
async fn damaged_foreign_and_precompiled_entries_are_compiled_anew() {
    let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for place in [&directory, &other] {
        let compiling = sandbox(compiler(), cache(place));
        Revision::compile(&compiling, guest("echo")).await.unwrap();
    }
    let path = entry(&directory);
    let whole = std::fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    let foreign = std::fs::read(entry(&other)).unwrap();
    let precompiled = whole[32..].to_vec();
    for bytes in [damaged, whole[..whole.len() / 2].to_vec(), Vec::new(), foreign, precompiled] {
        std::fs::write(&path, &bytes).unwrap();
        let without = sandbox(Compiler::Child("/nowhere".into()), cache(&directory));
        let refused = Revision::compile(&without, guest("echo")).await.unwrap_err();
        assert!(refused.to_string().contains("/nowhere"), "it was used: {refused}");
        assert!(!path.exists(), "it is still there");
        let compiling = sandbox(compiler(), cache(&directory));
        Revision::compile(&compiling, guest("echo")).await.unwrap();
        assert!(path.exists(), "it was not compiled anew");
    }
}
