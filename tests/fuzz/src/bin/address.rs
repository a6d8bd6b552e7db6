#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| mail::address::fuzz(octets));
