//! Fuzzing of what `sporegate_fuzz::config` says.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sporegate_fuzz::config::check(data));
