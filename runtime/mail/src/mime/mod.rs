//! MIME: the structure of a message with offsets into it (RFC 2045, 2046), the envelope (RFC 9051 7.5.2), sections
//! (RFC 9051 6.4.5.1), and what a store keeps beside a message.
//!
//! Everything here is total and linear: any octets give a structure, never an error. Line ends are CRLF or bare LF; a bare
//! CR is an ordinary octet.

mod address_list;
mod content;
mod envelope;
mod fuzz;
pub mod imap;
mod lexer;
mod params;
mod parse;
mod part;
mod report;
mod searched;
mod section;
mod summary;
pub mod text;
pub mod transfer;

pub use address_list::{ADDRESSES_MAX, Addr, parse_addresses};
pub use content::{Content, Disposition, MediaType};
pub use envelope::{Envelope, message_ids};
pub use fuzz::{fuzz, fuzz_addresses};
pub use params::{Param, Params};
pub use parse::{DEPTH_MAX, PARTS_MAX};
pub use part::{Kind, Leaves, Part, Structure};
pub use report::is_report;
pub use searched::{Searched, folded_body, folded_header, folded_value, searched_fields};
pub use section::SectionKind;
pub use summary::{Parsed, SummaryParts, summarize};
