//! Lines in the gateway's log. The interface has no log of its own: a line goes to WASI's standard
//! error, which is the module's log. Only a module that calls one of these imports WASI.

use std::panic;

/// Writes a text to the module's log, one entry for each line. It is lost where the gateway takes
/// no more lines.
pub fn log(text: &str) {
    write(&format!("{text}\n"));
}

/// From now on a panic writes its message and place to the module's log before it traps.
pub fn log_panics() {
    panic::set_hook(Box::new(|info| log(&info.to_string())));
}

/// Here the standard library's output goes nowhere.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
fn write(text: &str) {
    use crate::bindings::wasi::wasi::cli::stderr::get_stderr;

    /// What one write to a WASI stream may hold.
    const WRITE_BYTES: usize = 4096;

    let stderr = get_stderr();
    for part in text.as_bytes().chunks(WRITE_BYTES) {
        if stderr.blocking_write_and_flush(part).is_err() {
            return;
        }
    }
}

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn write(text: &str) {
    use std::io::Write as _;

    // Nobody could be told.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
