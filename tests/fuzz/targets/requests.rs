//! Fuzzing of what `sporegate_fuzz::requests` says.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sporegate_fuzz::requests::check(data));
