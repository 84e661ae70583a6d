//! Drives [`dancu_fuzz::domain_ids`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::domain_ids::run(data));
