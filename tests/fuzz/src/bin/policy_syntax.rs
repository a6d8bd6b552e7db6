//! The law of the reader, and the `ron` crate as oracle: what we accept it accepts.
#![no_main]

use policy::syntax::{FileId, read};
use ron::extensions::Extensions;
use serde::de::IgnoredAny;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    policy::syntax::fuzz(octets);
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let mut found = Vec::new();
    read(FileId(0), text, &mut found);
    if found.is_empty() {
        let ron = ron::Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
        assert!(ron.from_str::<IgnoredAny>(text).is_ok(), "{:?}", ron.from_str::<IgnoredAny>(text).err());
        assert!(ron.from_str::<ron::Value>(text).is_ok(), "{:?}", ron.from_str::<ron::Value>(text).err());
    }
});
