//! Drives [`dancu_fuzz::population_header`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::population_header::run(data));
