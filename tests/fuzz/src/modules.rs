//! Files in the directory of modules. Whatever is in one, it is read, joined and compiled without
//! an overflow of the stack, a panic or a wait without end; what it asks for and offers is the same
//! whoever asks; a refusal is one line.
//!
//! This is the work that the gateway leaves to a process of its own, done here, without its limits.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sporegate::sandbox::{
    CompileCache, CompileLimits, Compiler, Granted, LoadError, Revision, Sandbox, SandboxSettings,
    inspect,
};
use tokio::runtime::{Builder, Runtime};

use super::lines::assert_line;

const LIMITS: CompileLimits = CompileLimits {
    module_bytes: 16 << 20,
    memory_bytes: 1 << 30,
    cpu_time: Duration::from_secs(60),
};

/// What is granted by a sidecar is not looked at when a file is compiled.
const ALL: Granted = Granted { http: true, keyvalue: true };

static SANDBOX: LazyLock<(Runtime, Arc<Sandbox>)> = LazyLock::new(|| {
    let settings = SandboxSettings {
        memory_bytes: 1 << 30,
        cache: CompileCache::Off,
        compiler: Compiler::InProcess,
        compile_limits: LIMITS,
    };
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    (runtime, Arc::new(Sandbox::new(&settings).unwrap()))
});

pub fn check(data: &[u8]) {
    let (runtime, sandbox) = &*SANDBOX;
    let inspected = inspect(data, &Compiler::InProcess, &LIMITS);
    let compiled = runtime.block_on(Revision::compile(sandbox, data.to_vec()));
    for error in inspected.as_ref().err().into_iter().chain(compiled.as_ref().err()) {
        let message = error.to_string();
        assert_line(&message);
        assert!(message.len() < 16 << 10, "{message}");
        assert!(!message.contains("the compiler panicked"), "{message}");
    }
    match (&inspected, &compiled) {
        (Ok(seen), Ok(revision)) => {
            assert!(seen.is_listener(ALL), "{seen:?}");
            assert_eq!(seen.digest, revision.digest().to_string());
            assert_eq!(seen.hands_over_state, revision.hands_over_state(), "{seen:?}");
        }
        (Ok(seen), Err(LoadError::Import { .. })) => assert!(!seen.is_listener(ALL), "{seen:?}"),
        (Ok(seen), Err(LoadError::World { missing })) => {
            let (interface, _) = missing.split_once('#').unwrap();
            let there = seen.exports.iter().any(|export| export == interface);
            // Else only what is in the interface is not as it must be: inspecting sees names.
            assert!(there || !seen.is_listener(ALL), "{seen:?}");
        }
        // Its names are right and its types are wrong, or the compiler cannot do what the tools can.
        (Ok(_), Err(LoadError::Mismatch(_) | LoadError::Invalid(_))) => {}
        (Ok(seen), Err(error)) => panic!("{seen:?}: {error}"),
        (Err(error), Ok(_)) => panic!("compiled, and cannot be inspected: {error}"),
        (Err(_), Err(_)) => {}
    }
}
