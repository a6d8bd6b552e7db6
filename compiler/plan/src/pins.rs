//! Lists linked into compiler and runtime that decisions rest on, and what a plan pins of them (E1002).

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    pub public_providers: Pin,
    pub public_suffixes: Pin,
}

/// One pinned list: full BLAKE3 in hexadecimal and the day it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    pub blake3: String,
    pub date: String,
}

/// Our list of public mailbox providers, one domain a line.
pub const PUBLIC_PROVIDERS: &str = include_str!("../lists/public-providers.txt");

/// The public suffix list as <https://publicsuffix.org/list/> writes it (MPL-2.0), unchanged.
pub const PUBLIC_SUFFIXES: &str = include_str!("../lists/public-suffixes.dat");
/// The day of that list, which has none in its text. Changed together with the file.
const PUBLIC_SUFFIXES_DATE: &str = "2023-02-09";

impl Pins {
    /// The pins of the lists this build has.
    pub fn of_this_build() -> Pins {
        let providers_date = PUBLIC_PROVIDERS.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or("");
        Pins {
            public_providers: Pin::of(PUBLIC_PROVIDERS, providers_date),
            public_suffixes: Pin::of(PUBLIC_SUFFIXES, PUBLIC_SUFFIXES_DATE),
        }
    }
}

impl Pin {
    fn of(list: &str, date: &str) -> Pin {
        Pin { blake3: blake3::hash(list.as_bytes()).to_hex().to_string(), date: date.to_owned() }
    }
}
