//! Drives [`dancu_fuzz::store_record`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::store_record::run(data));
