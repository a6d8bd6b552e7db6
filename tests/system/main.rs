//! Whole runs of the real program: what it promises over the wire, what a crash leaves, what a flood costs, and the mail
//! programs people use.

mod antispam;
mod authenticate;
mod cells;
mod clients;
mod corpus;
mod crash;
mod desktop;
mod exchange;
mod floods;
mod guide;
mod imap_append;
mod imap_floods;
mod imap_model;
mod limits;
mod lists;
mod logins;
mod mail;
mod notify;
mod operating;
mod outbound;
mod pop3;
mod queue;
mod redirects;
mod room;
mod scanning;
mod sharing;
mod signing;
mod spread;
mod story;
mod wire;
mod world;
mod zones;
