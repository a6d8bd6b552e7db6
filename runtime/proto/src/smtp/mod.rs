//! SMTP (RFC 5321): the grammar of commands, the content of a message on the wire, the server's session and the client's
//! conversation. All without I/O: a driver feeds octets and does what the steps say.

pub mod client;
pub mod command;
pub mod content;
mod parameter;
mod path;
pub mod session;
pub mod xclient;

pub use command::{BadCommand, Command, HelloName};
pub use content::{BodyFault, Stuffer, Unstuffer};
pub use parameter::{MailParameters, RcptParameters};
pub use path::ForwardPath;
pub use session::{
    Abandoned, AuthMode, Config, ContentFault, EndedBy, Hello, Question, Refusals, Session, Step, TlsMode, Transport,
};
pub use xclient::Told;
