//! Fuzzing of what `sporegate_fuzz::router` says.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sporegate_fuzz::router::check(data));
