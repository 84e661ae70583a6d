//! Drives [`dancu_fuzz::journal_entry`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::journal_entry::run(data));
