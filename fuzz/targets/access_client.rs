//! Drives [`dancu_fuzz::access_client`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::access_client::run(data));
