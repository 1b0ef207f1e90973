//! A good file, cut short or with a wrong byte: refused or loaded, never a panic.

use std::sync::Arc;
use std::time::Duration;

use sporegate::sandbox::{
    CompileCache, CompileLimits, Compiler, Revision, Sandbox, SandboxSettings, inspect,
};

use super::{reason, serving};
use crate::support::{TestGateway, guest, hostile};

const LIMITS: CompileLimits = CompileLimits {
    module_bytes: 16 << 20,
    memory_bytes: 2 << 30,
    cpu_time: Duration::from_secs(60),
};

/// What compiles here, in the process of the test: a crash would end it.
fn sandbox() -> Arc<Sandbox> {
    let settings = SandboxSettings {
        memory_bytes: 64 << 20,
        cache: CompileCache::Off,
        compiler: Compiler::InProcess,
        compile_limits: LIMITS,
    };
    Arc::new(Sandbox::new(&settings).unwrap())
}

/// Inspects and compiles; returns whether it was taken.
async fn try_file(sandbox: &Arc<Sandbox>, file: &[u8], what: &str) -> bool {
    try_to_inspect(file, what);
    Revision::compile(sandbox, file.to_vec()).await.is_ok()
}

fn try_to_inspect(file: &[u8], what: &str) {
    if let Err(error) = inspect(file, &Compiler::InProcess, &LIMITS) {
        assert!(!error.to_string().contains("panicked"), "{what}: {error}");
    }
}

/// Every length near both ends, and many between.
fn cuts(length: usize) -> impl Iterator<Item = usize> {
    (0..length).filter(move |cut| *cut < 200 || length - cut < 100 || cut % 131 == 0)
}

#[tokio::test]
async fn a_file_cut_short_anywhere_is_refused() {
    let sandbox = sandbox();
    for name in ["echo", "core-echo", "preview1", "greedy"] {
        let whole = guest(name);
        for cut in cuts(whole.len()) {
            let what = format!("{name} cut to {cut} of {} bytes", whole.len());
            let taken = try_file(&sandbox, &whole[..cut], &what).await;
            // Only the custom sections at the end can be missing without harm.
            assert!(!taken || whole.len() - cut < 1_000, "{what}: it was taken");
        }
    }
}

#[tokio::test]
async fn a_file_with_a_wrong_byte_does_no_harm() {
    let sandbox = sandbox();
    for name in ["echo", "core-echo", "preview1", "start-fails"] {
        let whole = guest(name);
        let mut random = 0x9E37_79B9_u32;
        for round in 0..120 {
            let mut damaged = whole.clone();
            // xorshift: the same damage in every run.
            for shift in [13, 17, 5] {
                random ^= if shift == 17 { random >> shift } else { random << shift };
            }
            let at = match round % 2 {
                0 => random as usize % whole.len(),
                // The structure is more interesting than the code.
                _ => random as usize % whole.len().min(2_000),
            };
            damaged[at] ^= 1 << (random >> 29);
            let what = format!("{name} with a wrong byte at {at}");
            match round % 8 {
                0 => drop(try_file(&sandbox, &damaged, &what).await),
                _ => try_to_inspect(&damaged, &what),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_file_is_refused_and_says_so() {
    let echo = guest("echo");
    let gateway = TestGateway::with()
        .file("half.wasm", &echo[..echo.len() / 2])
        .module("echo", "echo")
        .start()
        .await;
    assert_eq!(serving(&gateway), ["echo"]);
    let said = reason(&gateway, "half.wasm");
    assert!(said.contains("damaged") && said.contains("copy it whole"), "{said}");
}

/// A good core module, with this in the description of its world for that.
fn described(name: &str, with: &str) -> Vec<u8> {
    let mut file = guest("preview1");
    assert_eq!(name.len(), with.len());
    let places = file.windows(name.len()).enumerate();
    let mut places = places.filter(|(_, bytes)| *bytes == name.as_bytes());
    // The first places are its imports.
    let (at, _) = places.next_back().unwrap();
    file[at..at + name.len()].copy_from_slice(with.as_bytes());
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_that_use_each_other_in_a_circle_are_refused() {
    let listeners = "sporegate:gateway/listeners@1.0.0";
    let gateway = TestGateway::with()
        .file("versions.wasm", &described(listeners, "sporegate:gateway/listeners@1.2.0"))
        .file("names.wasm", &described(listeners, "sporegate:gatewax/listeners@1.0.0"))
        .module("echo", "echo")
        .start()
        .await;
    assert_eq!(serving(&gateway), ["echo"]);
    let said = reason(&gateway, "versions.wasm");
    assert!(said.contains("mixes versions of sporegate:gateway"), "{said}");
    let said = reason(&gateway, "names.wasm");
    assert!(said.contains("use each other: sporegate:gatewax, sporegate:gateway"), "{said}");
}

#[tokio::test]
async fn types_within_types_without_end_do_no_harm() {
    let sandbox = sandbox();
    for levels in [1, 50, 1_000, 30_000, 5_000_000] {
        let file = hostile::nested_types(levels);
        assert!(!try_file(&sandbox, &file, "nested types").await, "{levels}");
    }
}

#[tokio::test]
async fn components_within_components_without_end_do_no_harm() {
    let sandbox = sandbox();
    for levels in [1, 50, 1_000, 30_000, 1_000_000] {
        let file = hostile::nested_components(levels);
        assert!(!try_file(&sandbox, &file, "nested components").await, "{levels}");
    }
}
