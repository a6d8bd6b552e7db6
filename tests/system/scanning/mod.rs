//! Antivirus engines: the real clamd, the real c-icap before another clamd, and engines that misbehave by a script.

mod caught;
mod house;
mod malicious;
mod program;
mod samples;
mod scripted;
mod site;
mod trouble;
