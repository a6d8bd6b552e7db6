//! TOP (RFC 1939 7): the header, the blank line behind it, and so many lines of the body.

use super::maildrop::Found;
use super::retr::SLICE_OCTETS;
use super::state::{Transaction, Turn, ask};
use crate::pop3::question::{Question, Trouble};
use crate::pop3::response::Out;
use crate::smtp::Stuffer;

/// Octets read first: most headers are shorter.
const FIRST_OCTETS: usize = 8 * 1024;

pub fn top(state: Transaction, number: u32, lines: u32, out: &mut Out) -> Turn {
    match state.maildrop.get(number) {
        Ok(found) => read(Sending { state, found, from: 0, stuffer: Stuffer::default(), cut: Cut::behind(lines) }),
        Err(refusal) => state.refuse(&refusal, out),
    }
}

struct Sending {
    state: Transaction,
    found: Found,
    from: u64,
    stuffer: Stuffer,
    cut: Cut,
}

fn read(sending: Sending) -> Turn {
    let Sending { found, from, .. } = sending;
    let most = if from == 0 { FIRST_OCTETS } else { SLICE_OCTETS };
    let octets = usize::try_from(found.size_octets.saturating_sub(from)).unwrap_or(usize::MAX).min(most);
    ask(Question::Read { uid: found.uid, from, octets, whole: false }, move |answer, out| {
        send(sending, answer.octets(octets), out)
    })
}

fn send(mut sending: Sending, octets: Result<Vec<u8>, Trouble>, out: &mut Out) -> Turn {
    let octets = match octets {
        Ok(octets) => octets,
        Err(trouble) if sending.from == 0 => return sending.state.refuse(&trouble.into(), out),
        // As in RETR.
        Err(_) => return Turn::Close,
    };
    if sending.from == 0 {
        out.ok("the top of the message");
    }
    let end = sending.cut.end(&octets);
    sending.stuffer.encode(&octets[..end.unwrap_or(octets.len())], out.octets());
    sending.from += octets.len() as u64;
    if end.is_none() && sending.from < sending.found.size_octets {
        return read(sending);
    }
    sending.stuffer.finish(out.octets());
    sending.state.ready()
}

/// Finds the end of the last line wanted, in pieces of any size. A line ends where `Stuffer` ends it: at CR, LF or both.
#[derive(Debug)]
struct Cut {
    in_body: bool,
    line_empty: bool,
    after_cr: bool,
    lines_left: u32,
}

impl Cut {
    fn behind(lines: u32) -> Cut {
        Cut { in_body: false, line_empty: true, after_cr: false, lines_left: lines }
    }

    /// How much of the piece still belongs to what is wanted; `None` while all of it does.
    fn end(&mut self, piece: &[u8]) -> Option<usize> {
        for (at, octet) in piece.iter().enumerate() {
            let second_half = std::mem::take(&mut self.after_cr) && *octet == b'\n';
            match octet {
                b'\n' if second_half => {}
                b'\r' | b'\n' => {
                    self.after_cr = *octet == b'\r';
                    if self.line_ended() {
                        return Some(at + 1);
                    }
                }
                _ => self.line_empty = false,
            }
        }
        None
    }

    /// Was that the last line wanted?
    fn line_ended(&mut self) -> bool {
        if self.in_body {
            self.lines_left -= 1;
        } else {
            self.in_body = std::mem::replace(&mut self.line_empty, true);
        }
        self.in_body && self.lines_left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Client;
    use super::*;

    #[test]
    fn top_gives_the_header_and_so_many_lines() {
        let mut client = Client::with(&["a: 1\nb: 2\n\n.one\n\nthree\nfour", "c: 1\n", "\nbody\n", ""]);
        let header = "+OK the top of the message\na: 1\nb: 2\n\n";
        client.check("TOP 1 0", &format!("{header}.\n"));
        client.check("TOP 1 1", &format!("{header}..one\n.\n"));
        client.check("TOP 1 2", &format!("{header}..one\n\n.\n"));
        client.check("TOP 1 3", &format!("{header}..one\n\nthree\n.\n"));
        for lines in [4, 5, u32::MAX] {
            client.check(&format!("TOP 1 {lines}"), &format!("{header}..one\n\nthree\nfour\n.\n"));
        }
        client.check("TOP 2 1", "+OK the top of the message\nc: 1\n.\n");
        client.check("TOP 3 0", "+OK the top of the message\n\n.\n");
        client.check("TOP 3 1", "+OK the top of the message\n\nbody\n.\n");
        client.check("TOP 4 1", "+OK the top of the message\n.\n");
        client.check("TOP 5 1", "-ERR no such message\n");
    }

    #[test]
    fn the_cut_is_the_same_in_pieces_of_any_size() {
        let text = b"a: 1\r\n\r\none\r\n\rtwo\n\nthree\r\n.\r\nfour";
        for lines in 0..10 {
            let whole = Cut::behind(lines).end(text);
            for size in 1..text.len() {
                let (mut cut, mut found) = (Cut::behind(lines), None);
                for (number, piece) in text.chunks(size).enumerate() {
                    found = cut.end(piece).map(|end| number * size + end);
                    if found.is_some() {
                        break;
                    }
                }
                assert_eq!(found, whole, "{lines} lines in pieces of {size}");
            }
        }
    }

    #[test]
    fn little_is_read_of_a_long_message() {
        let text = format!("a: 1\n\n{}", "b\n".repeat(100_000));
        let mut client = Client::with(&[&text]);
        client.say("TOP 1 10");
        assert_eq!(client.asked.iter().filter(|kind| *kind == "Read").count(), 1);
        let said = client.say("TOP 1 5000");
        assert_eq!(said.lines().count(), 5_004);
    }
}
