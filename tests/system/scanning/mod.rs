//! Scanners from Debian, and ones that misbehave.

mod milters;
mod scorers;
