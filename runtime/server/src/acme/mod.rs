//! Certificates ordered by ACME (RFC 8555): the client is a library's, its HTTP, its keys and its answers to challenges are
//! ours. `course` says when, and is pure; `order` does it; `certificates` shows what comes of it.

mod answer;
mod course;
mod order;
mod web;

pub(crate) use course::{Course, Failure, renewal_s};
pub(crate) use order::order;
