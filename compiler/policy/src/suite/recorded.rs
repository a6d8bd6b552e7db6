//! `NAME.test.expected.ron`: what cases with `expect: Recorded` got when somebody looked and agreed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Sources};
use crate::syntax::{Entries, Items, read};

/// Case name to what each of its events gave, written as an expectation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recorded {
    pub cases: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Recorded")]
struct Written {
    cases: Entries<Items<String>>,
}

impl Recorded {
    /// Reads the file beside a file of tests. Mistakes go to the sink.
    pub fn read(sources: &mut Sources, name: &str, text: &str, sink: &mut Vec<Diagnostic>) -> Recorded {
        let file = sources.add(name, text);
        let document = read(file, sources.text(file), sink);
        let written: Option<Written> = document.decode(sink).best();
        let cases = written.into_iter().flat_map(|written| written.cases);
        Recorded { cases: cases.map(|(name, got)| (name.value, got.value.values().cloned().collect())).collect() }
    }

    /// The text of the file; the same cases give the same octets.
    pub fn text(&self) -> String {
        plan::emit(self)
    }
}
