//! Fuzzing of what `sporegate_fuzz::paths` says.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sporegate_fuzz::paths::check(data));
