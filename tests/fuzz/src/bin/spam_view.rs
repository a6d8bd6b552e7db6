#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| spam::fuzz_view(octets));
