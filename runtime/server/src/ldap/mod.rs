//! People of a directory server (LDAP, RFC 4511).

mod connect;
mod entry;
mod facts;
mod frame;
mod guard;
mod read;
mod servers;
