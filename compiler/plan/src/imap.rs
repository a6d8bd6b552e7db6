//! What some mail programs are not told of.

use serde::{Deserialize, Serialize};

/// Words of CAPABILITY a policy may mask: those of the served language that no session depends on. What a build does not
/// announce is masked without effect.
pub const MASKABLE: &[&str] = &[
    "ACL",
    "APPENDLIMIT",
    "BINARY",
    "CATENATE",
    "CHILDREN",
    "COMPRESS=DEFLATE",
    "CONDSTORE",
    "CONTEXT=SEARCH",
    "CONTEXT=SORT",
    "CREATE-SPECIAL-USE",
    "ENABLE",
    "ESEARCH",
    "ESORT",
    "IDLE",
    "IMAP4rev2",
    "INPROGRESS",
    "LIST-EXTENDED",
    "LIST-METADATA",
    "LIST-MYRIGHTS",
    "LIST-STATUS",
    "LITERAL+",
    "LITERAL-",
    "MESSAGELIMIT",
    "METADATA",
    "METADATA-SERVER",
    "MOVE",
    "MULTIAPPEND",
    "MULTISEARCH",
    "NAMESPACE",
    "NOTIFY",
    "OBJECTID",
    "PARTIAL",
    "PREVIEW",
    "QRESYNC",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "REPLACE",
    "RIGHTS=kxte",
    "SAVEDATE",
    "SEARCH=FUZZY",
    "SEARCHRES",
    "SORT",
    "SORT=DISPLAY",
    "SPECIAL-USE",
    "STATUS=SIZE",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "THREAD=REFS",
    "UIDBATCHES",
    "UIDONLY",
    "UIDPLUS",
    "UNSELECT",
    "URL-PARTIAL",
    "URLAUTH",
    "UTF8=ACCEPT",
    "WITHIN",
];

/// How mailboxes are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImapRules {
    /// In the order written.
    pub mask: Vec<CapabilityMask>,
}

impl ImapRules {
    /// A plan that says nothing of it has the text it had before there was such a thing.
    pub(crate) fn is_silent(&self) -> bool {
        self.mask.is_empty()
    }
}

/// Capabilities a mail program is not told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityMask {
    /// Its name in ID (RFC 2971 3.3) in any case, `*` for anything.
    pub client: String,
    /// Words of [`MASKABLE`], sorted, never empty.
    pub without: Vec<String>,
}
