#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| proto::scan::rspamd::fuzz(octets));
