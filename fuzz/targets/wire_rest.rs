//! Drives [`dancu_fuzz::wire_rest`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::wire_rest::run(data));
