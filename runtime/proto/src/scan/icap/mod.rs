//! ICAP (RFC 3507): how content is given to scanners of other makers, and to c-icap.
//!
//! A message goes inside a made-up HTTP response (RESPMOD), or a request where a service knows REQMOD only, with the
//! Content-Type `message/rfc822`. The client's side is `Request` for what is written and `ResponseReader` for what
//! comes back; `verdict` says what a response is worth. The server's side is for the stand-in of `facteur try`.
//! Nobody here modifies content: an answer is a verdict or it is none.

mod chunked;
mod fields;
mod law;
mod request;
mod response;
mod server;
mod service;
mod verdict;

pub use chunked::{END, END_OF_ALL, chunk};
pub use fields::{Fields, SECTION_OCTETS_MAX};
pub use law::fuzz;
pub use request::{Method, Request, options};
pub use response::{BadResponse, Event, Inner, Response, ResponseReader};
pub use server::{Server, ServerEvent};
pub use service::{Service, place};
pub use verdict::{Body, Verdict, verdict};

#[cfg(test)]
mod tests;
