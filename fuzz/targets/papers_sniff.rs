//! Drives [`dancu_fuzz::papers_sniff`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dancu_fuzz::papers_sniff::run(data));
