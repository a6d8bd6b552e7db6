//! Raw DEFLATE (RFC 1951) for connections under COMPRESS (RFC 4978).
//!
//! INVARIANT (bounded): inflating fills the reader's buffer and no more, whatever the ratio; a connection keeps the window
//! RFC 1951 gives the client, some 43 KiB, and nothing of what it sends. What is sent is deflated piece by piece, each
//! ending at an octet and looking back at no other, so that a deflater is needed for a moment only.

use std::io;
use std::sync::{Mutex, PoisonError};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Deflaters kept for the next piece, some 300 KiB each: as many as there may be processors at work.
const DEFLATERS_KEPT: usize = 8;

static DEFLATERS: Mutex<Vec<Compress>> = Mutex::new(Vec::new());

/// `octets` compressed, whole for a client that inflates what it has (a sync flush).
pub fn deflated(octets: &[u8]) -> io::Result<Vec<u8>> {
    let kept = DEFLATERS.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut deflater = kept.unwrap_or_else(|| Compress::new(Compression::fast(), false));
    // Room for the worst there is: a deflater that runs out of room under a sync flush loses what it had not written yet.
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 8 + 256);
    deflater.compress_vec(octets, &mut out, FlushCompress::Sync).map_err(io::Error::other)?;
    if deflater.total_in() != octets.len() as u64 || out.len() == out.capacity() {
        return Err(io::Error::other("the deflater did not take a piece whole"));
    }
    deflater.reset();
    let mut kept = DEFLATERS.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < DEFLATERS_KEPT {
        kept.push(deflater);
    }
    Ok(out)
}

/// What a client sends, inflated as it is read.
pub struct Inflater {
    inflater: Decompress,
    /// Compressed octets from `start` on.
    waiting: Vec<u8>,
    start: usize,
    /// Nothing more comes of what is there.
    hungry: bool,
}

/// What inflating gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Inflated {
    Octets(usize),
    /// More octets are needed.
    Hungry,
    /// The client ended its stream.
    End,
}

impl Inflater {
    /// `waiting`: compressed octets that came already.
    pub fn new(waiting: Vec<u8>) -> Inflater {
        Inflater { inflater: Decompress::new(false), hungry: waiting.is_empty(), waiting, start: 0 }
    }

    /// Takes more compressed octets, once it is hungry.
    pub fn feed(&mut self, octets: &[u8]) {
        self.waiting.drain(..self.start);
        self.start = 0;
        self.waiting.extend_from_slice(octets);
        self.hungry = false;
    }

    pub fn is_hungry(&self) -> bool {
        self.hungry
    }

    /// Fills as much of `buffer` as what waits gives.
    ///
    /// # Errors
    /// It is no DEFLATE.
    pub fn inflate(&mut self, buffer: &mut [u8]) -> io::Result<Inflated> {
        loop {
            let (before_in, before_out) = (self.inflater.total_in(), self.inflater.total_out());
            let waiting = &self.waiting[self.start..];
            let status = self.inflater.decompress(waiting, buffer, FlushDecompress::None).map_err(io::Error::other)?;
            let taken = usize::try_from(self.inflater.total_in() - before_in).map_err(io::Error::other)?;
            let given = usize::try_from(self.inflater.total_out() - before_out).map_err(io::Error::other)?;
            self.start += taken;
            if self.start == self.waiting.len() {
                (self.waiting, self.start) = (Vec::new(), 0);
            }
            match status {
                _ if given > 0 => {
                    // Room was left, so that nothing is held back: whoever waits now need not look again.
                    self.hungry = given < buffer.len() && self.waiting.is_empty() && status != Status::StreamEnd;
                    return Ok(Inflated::Octets(given));
                }
                Status::StreamEnd => return Ok(Inflated::End),
                _ if taken == 0 || self.waiting.is_empty() => {
                    self.hungry = true;
                    return Ok(Inflated::Hungry);
                }
                Status::Ok | Status::BufError => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of `pieces`, read `step` octets at a time.
    fn inflated(pieces: &[&[u8]], step: usize) -> io::Result<Vec<u8>> {
        let mut inflater = Inflater::new(Vec::new());
        let (mut buffer, mut all) = (vec![0; step], Vec::new());
        for piece in pieces {
            inflater.feed(piece);
            while let Inflated::Octets(octets) = inflater.inflate(&mut buffer)? {
                all.extend_from_slice(&buffer[..octets]);
            }
        }
        Ok(all)
    }

    #[test]
    fn pieces_sent_one_after_the_other_are_one_stream_in_any_split() {
        let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let pieces: [&[u8]; 5] = [b"* OK ready\r\n", b"a OK done\r\n", &noise, &[b'x'; 70_000], b"b OK done\r\n"];
        let wire: Vec<u8> = pieces.iter().flat_map(|piece| deflated(piece).unwrap()).collect();
        let expected = pieces.concat();
        for step in [1, 7, 1_024, 200_000] {
            assert!(inflated(&[&wire], step).unwrap() == expected, "read {step} at a time");
            let split: Vec<&[u8]> = wire.chunks(step).collect();
            assert!(inflated(&split, 1_024).unwrap() == expected, "in pieces of {step}");
        }
    }

    #[test]
    fn a_piece_of_any_size_comes_out_whole() {
        let noise: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 19) as u8 % 48).collect();
        for size in (1..noise.len()).step_by(6_997) {
            let pieces = [&noise[..size], b"a OK done\r\n"];
            let wire: Vec<u8> = pieces.iter().flat_map(|piece| deflated(piece).unwrap()).collect();
            assert!(inflated(&[&wire], 4_096).unwrap() == pieces.concat(), "{size} octets");
        }
    }

    #[test]
    fn each_piece_is_whole_by_itself_and_small_text_gets_smaller() {
        let text = "* 1 FETCH (FLAGS (\\Seen) UID 1)\r\n".repeat(100);
        let wire = deflated(text.as_bytes()).unwrap();
        assert!(wire.len() < text.len() / 5, "{} octets", wire.len());
        assert_eq!(inflated(&[&wire], 1_024).unwrap(), text.as_bytes());
        let again = deflated(text.as_bytes()).unwrap();
        assert_eq!(again, wire, "nothing is remembered between two pieces");
    }

    #[test]
    fn what_gave_all_it_has_is_hungry_at_once() {
        let wire = deflated(b"a NOOP\r\n").unwrap();
        for (room, hungry) in [(9, true), (8, false), (3, false)] {
            let mut inflater = Inflater::new(wire.clone());
            assert_eq!(inflater.inflate(&mut vec![0; room]).unwrap(), Inflated::Octets(room.min(8)));
            assert_eq!(inflater.is_hungry(), hungry, "room for {room}");
        }
    }

    #[test]
    fn a_bomb_fills_the_buffer_and_no_more() {
        let mut bomb = Vec::new();
        for _ in 0..100 {
            bomb.extend(deflated(&[0; 1_000_000]).unwrap());
        }
        assert!(bomb.len() < 1_000_000, "{} octets", bomb.len());
        let mut inflater = Inflater::new(bomb.clone());
        let (mut buffer, mut given) = ([1; 1_024], 0_u64);
        while let Inflated::Octets(octets) = inflater.inflate(&mut buffer).unwrap() {
            given += octets as u64;
            assert!(inflater.waiting.len() <= bomb.len());
        }
        assert_eq!(given, 100_000_000);
    }

    #[test]
    fn octets_that_are_no_deflate_are_an_error_and_an_ended_stream_is_an_end() {
        assert!(inflated(&[b"a NOOP\r\nb NOOP\r\n"], 1_024).is_err());
        let mut ended = Inflater::new(vec![0x03, 0x00]);
        assert_eq!(ended.inflate(&mut [0; 16]).unwrap(), Inflated::End);
        // Empty stored blocks say nothing for ever.
        let mut silent = Inflater::new([0x00, 0x00, 0x00, 0xff, 0xff].repeat(1_000));
        assert_eq!(silent.inflate(&mut [0; 16]).unwrap(), Inflated::Hungry);
        assert!(silent.waiting.is_empty());
    }
}
