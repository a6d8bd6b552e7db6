#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| server::fuzzing::fuzz_cas(octets));
