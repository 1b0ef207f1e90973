//! Fuzzing of what `sporegate_fuzz::modules` says.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sporegate_fuzz::modules::check(data));
