//! How much of a message is looked at. Ordinary mail is far below all of these.

/// Octets of decoded text read of a whole message; also the longest piece of one body that is decoded as text.
pub const TEXT_OCTETS_MAX: usize = 512 * 1024;
/// Leaves looked at.
pub const PARTS_MAX: usize = 1_000;
/// Fields of the header looked at, and octets of it.
pub const FIELDS_MAX: usize = 1_000;
pub const HEADER_OCTETS_MAX: usize = 256 * 1024;
/// Octets of one value that are decoded.
pub const VALUE_OCTETS_MAX: usize = 8 * 1024;
/// Mailboxes kept of one field.
pub const MAILBOXES_MAX: usize = 50;
/// Links kept.
pub const LINKS_MAX: usize = 2_000;
/// Octets of a link's address, and of its visible text.
pub const HREF_OCTETS_MAX: usize = 2_048;
pub const LINK_TEXT_OCTETS_MAX: usize = 256;
/// Elements that are open at once; deeper ones change nothing that is seen.
pub const HTML_DEPTH_MAX: usize = 128;
/// Octets at the beginning and at the end of an attachment that are decoded to tell what it is.
pub const SNIFF_OCTETS: usize = 8 * 1024;
pub const TAIL_OCTETS: usize = 96 * 1024;
/// Names read of an archive.
pub const ARCHIVE_NAMES_MAX: usize = 200;
/// Octets of a file name.
pub const FILE_NAME_OCTETS_MAX: usize = 512;
