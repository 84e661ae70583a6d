//! Drives [`dancu_fuzz::store_request_item`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::store_request_item::run(data));
