//! Drives [`dancu_fuzz::domain_profile`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::domain_profile::run(data));
