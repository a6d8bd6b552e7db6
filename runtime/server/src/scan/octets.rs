//! A message as scanners read it: in pieces, from any place in it, never copied whole.

use std::io;

use super::source::Source;
use crate::content::Content;

pub trait Octets: Send + Sync {
    fn len(&self) -> u64;

    /// Fills `buffer` from `offset`: the number of octets, 0 at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

impl Octets for Content {
    fn len(&self) -> u64 {
        Content::len(self)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Content::read_at(self, buffer, offset)
    }
}

impl Octets for Source {
    fn len(&self) -> u64 {
        Source::len(self)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        Source::read_at(self, buffer, offset)
    }
}

#[cfg(test)]
impl Octets for Vec<u8> {
    fn len(&self) -> u64 {
        Vec::len(self) as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(Vec::len(self));
        let octets = buffer.len().min(Vec::len(self) - from);
        buffer[..octets].copy_from_slice(&self[from..from + octets]);
        Ok(octets)
    }
}
