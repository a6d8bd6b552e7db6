#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| proto::imap::utf7::fuzz(octets));
