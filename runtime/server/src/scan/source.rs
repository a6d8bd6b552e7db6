//! What an engine looks at: the content of a message, which every engine reads in pieces from where it is kept, or the
//! message of a probe.

use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

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

    /// A message nothing is wrong with, longer than previews usually are.
    pub fn harmless() -> Source {
        let line = "This message asks whether its reader is well, and has nothing else to say.\r\n";
        Source::Memory(format!("{PROBE}Content-Type: text/plain\r\n\r\n{}", line.repeat(100)).into_bytes().into())
    }

    /// A message with the EICAR test file attached: who does not find that finds nothing.
    pub fn test_file() -> Source {
        let attached = STANDARD.encode(EICAR_HALVES.concat());
        let message = format!(
            "{PROBE}Content-Type: multipart/mixed; boundary=\"probe\"\r\n\r\n--probe\r\n\
             Content-Type: application/octet-stream; name=\"eicar.com\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"eicar.com\"\r\n\r\n{attached}\r\n--probe--\r\n"
        );
        Source::Memory(message.into_bytes().into())
    }
}

/// How the messages of a probe begin.
const PROBE: &str =
    "From: <postmaster@mail.invalid>\r\nTo: <postmaster@mail.invalid>\r\nSubject: probe\r\nMIME-Version: 1.0\r\n";
/// The test file in two halves, so that this program is not taken for one.
const EICAR_HALVES: [&str; 2] = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

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
