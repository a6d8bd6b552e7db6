//! The users' pages, made from a Plan: what the guide of an institution says by hand, said by what is deployed.
//!
//! A page is a tree of content (`content`) that two renderers draw: one self-contained, accessible HTML file and
//! Markdown. Every number and name on a page is read from the Plan, so a page cannot disagree with the service; a
//! published folder that does is found by `differences`, cell by cell.
//!
//! Pure: a Plan and its short hash go in, text comes out, always the same.

mod access;
mod autoconfig;
mod autodiscover;
mod compare;
mod content;
mod facts;
mod html;
mod markdown;
mod mobileconfig;
mod published;
mod refusals;
mod services;
mod site;
mod topics;
mod typography;
mod words;
mod writer;

pub use autoconfig::{NoAutoconfig, autoconfig};
pub use autodiscover::{OUTLOOK, autodiscover, no_autodiscover};
pub use compare::{Difference, differences};
pub use content::{Block, Page, Row, Section, Span, Table, Text};
pub use mobileconfig::{Holder, mobileconfig};
pub use published::{Item, Published};
pub use refusals::of as refusal;
pub use site::{Site, folder};
