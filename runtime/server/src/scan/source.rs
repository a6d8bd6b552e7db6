//! What an engine looks at: the content of a message, which every engine reads in pieces from where it is kept, or the
//! message of a probe.

use std::io;
use std::sync::Arc;

use crate::content::Content;

/// Octets on their way to an engine at a time.
pub const PIECE_OCTETS: usize = 64 * 1024;

/// A line in front of every message. Engines look into mail where they take it for mail, and some go by its first field:
/// whoever writes the message must not choose that one.
const HEAD: &[u8] = b"Return-Path: <>\r\n";

#[derive(Clone)]
pub enum Source {
    Content(Arc<Content>),
    Memory(Arc<[u8]>),
}

impl Source {
    /// Octets engines are given.
    pub fn len(&self) -> u64 {
        let octets = match self {
            Source::Content(content) => content.len(),
            Source::Memory(octets) => octets.len() as u64,
        };
        HEAD.len() as u64 + octets
    }

    /// Fills `buffer` from `offset`: the number of octets, 0 at the end.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let head = HEAD.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        if !head.is_empty() {
            let count = buffer.len().min(head.len());
            buffer[..count].copy_from_slice(&head[..count]);
            return Ok(count);
        }
        let offset = offset - HEAD.len() as u64;
        match self {
            Source::Content(content) => content.read_at(buffer, offset),
            Source::Memory(octets) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(octets.len());
                let count = buffer.len().min(octets.len() - from);
                buffer[..count].copy_from_slice(&octets[from..from + count]);
                Ok(count)
            }
        }
    }

    /// Do `octets` stand at `offset`?
    pub fn has(&self, octets: &[u8], offset: u64) -> bool {
        let mut here = vec![0; octets.len()];
        let mut filled = 0;
        while filled < here.len() {
            match self.read_at(&mut here[filled..], offset + filled as u64) {
                Ok(0) | Err(_) => return false,
                Ok(read) => filled += read,
            }
        }
        here == octets
    }

    /// A harmless message, longer than a preview usually is: an engine that does not find it clean gives no verdicts.
    pub fn probe() -> Source {
        let mut message = String::from(
            "From: <postmaster@mail.invalid>\r\nTo: <postmaster@mail.invalid>\r\nSubject: probe\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=us-ascii\r\n\r\n",
        );
        for line in 0..100 {
            message.push_str(&format!("Line {line} of a message that only asks whether its reader is well.\r\n"));
        }
        Source::Memory(message.into_bytes().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_compared_octet_by_octet() {
        let source = Source::Memory(b"abcdef"[..].into());
        let all = [HEAD, b"abcdef"].concat();
        assert!(source.has(&all, 0) && source.len() == all.len() as u64);
        let behind = HEAD.len() as u64;
        for (octets, offset, same) in [
            (&b"abc"[..], 0, true),
            (b"def", 3, true),
            (b"", 6, true),
            (b"defg", 3, false),
            (b"x", 9, false),
            (b"abd", 0, false),
        ] {
            assert_eq!(source.has(octets, behind + offset), same, "{octets:?} at {offset}");
        }
    }
}
