#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| proto::pop3::fuzz(octets));
