//! Drives [`dancu_fuzz::domain_name`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::domain_name::run(data));
