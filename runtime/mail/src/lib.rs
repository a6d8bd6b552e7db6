//! The words of mail, as values that cannot be wrong: domains, addresses, replies, mailbox names, flags, people, headers
//! and the structure of a message. Pure: nothing here reads a clock, a file or a socket.

pub mod address;
pub mod archive;
pub mod date;
mod delivery;
pub mod domain;
pub mod flag;
mod fold;
pub mod header;
mod holder;
pub mod index;
pub mod mailbox_name;
pub mod mime;
pub mod order;
pub mod original;
pub mod person;
mod punycode;
pub mod reply;
pub mod rights;
pub mod tag;
pub mod thread;

pub use address::{Address, BadAddress, ReversePath};
pub use delivery::{Body, Notify, Return};
pub use domain::{BadDomain, Domain};
pub use flag::{Flags, Keyword, SystemFlags};
pub use fold::{fold, fold_onto};
pub use holder::holder;
pub use mailbox_name::{BadMailboxName, MailboxName, SpecialUse};
pub use person::{Alias, AliasKind, Login, Person};
pub use reply::{Code, EnhancedCode, Reply};
pub use rights::{Grant, Grantee, Identifier, Rights, RightsChange};
