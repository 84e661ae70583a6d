//! Drives [`dancu_fuzz::access_soap`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::access_soap::run(data));
