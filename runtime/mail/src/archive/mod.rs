//! Mail as other programs keep it: Maildir and mbox, read and written. Pure: somebody else opens the files.
//!
//! What comes back after a way out and in again: the octets, the system flags, the keywords, the second of INTERNALDATE.
//! What cannot:
//! - a bare LF becomes CRLF, for both formats end their lines with LF ([`lines`] leaves everything else alone);
//! - the zone of INTERNALDATE: a time of a file and the line of an mbox have none, it comes back as UTC;
//! - more than 26 different keywords in one Maildir: it has letters for no more ([`maildir::Keywords`]).

mod fuzz;
pub mod lines;
pub mod maildir;
pub mod mbox;

pub use fuzz::fuzz;
