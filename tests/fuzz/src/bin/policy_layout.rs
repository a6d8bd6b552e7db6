#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| policy::layout::fuzz(octets));
