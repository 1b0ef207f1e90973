//! Lines in the gateway's log. The interface has no log of its own: a line goes to WASI's standard
//! error, which is the module's log. Only a module that calls one of these imports WASI.

use std::panic;

use crate::bindings::wasi::wasi::cli::stderr::get_stderr;

/// What one write to a WASI stream may hold.
const WRITE_BYTES: usize = 4096;

/// Writes one line to the module's log. It is lost where the gateway takes no more lines.
pub fn log(line: &str) {
    let stderr = get_stderr();
    for part in format!("{line}\n").as_bytes().chunks(WRITE_BYTES) {
        if stderr.blocking_write_and_flush(part).is_err() {
            return;
        }
    }
}

/// From now on a panic writes its message and place to the module's log before it traps.
pub fn log_panics() {
    panic::set_hook(Box::new(|info| log(&info.to_string())));
}
