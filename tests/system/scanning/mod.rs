//! Scanners: the real clamd, the real c-icap before another clamd, clamav-milter, spamd and Rspamd, and engines that misbehave
//! by a script.

mod again;
mod caught;
pub mod house;
mod malicious;
mod milters;
mod program;
mod samples;
mod scorers;
mod scripted;
mod site;
mod trouble;
