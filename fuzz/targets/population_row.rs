//! Drives [`dancu_fuzz::population_row`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::population_row::run(data));
