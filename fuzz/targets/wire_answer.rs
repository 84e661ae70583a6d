//! Drives [`dancu_fuzz::wire_answer`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::wire_answer::run(data));
