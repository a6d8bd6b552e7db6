//! RETR (RFC 1939 5). It sets no flag: a message a program fetched is not one a person read.

use super::maildrop::Found;
use super::state::{Transaction, Turn, ask};
use crate::pop3::question::Question;
use crate::pop3::response::Out;
use crate::smtp::Stuffer;

/// Octets of a message read at a time.
pub const SLICE_OCTETS: usize = 64 * 1024;

pub fn retr(state: Transaction, number: u32, out: &mut Out) -> Turn {
    match state.maildrop.get(number) {
        Ok(found) => read(Sending { state, found, from: 0, stuffer: Stuffer::default() }, out),
        Err(refusal) => state.refuse(&refusal, out),
    }
}

/// A message on its way. Its lines end with CRLF whatever was stored, the last one too, and begin with two dots where they
/// begin with one, so that no content ends its own response (RFC 1939 3).
struct Sending {
    state: Transaction,
    found: Found,
    /// The next octet to be read.
    from: u64,
    stuffer: Stuffer,
}

fn read(sending: Sending, out: &mut Out) -> Turn {
    let Sending { found, from, .. } = sending;
    let left = found.size_octets.saturating_sub(from);
    if left == 0 && from > 0 {
        sending.stuffer.finish(out.octets());
        return sending.state.ready();
    }
    let octets = usize::try_from(left).unwrap_or(usize::MAX).min(SLICE_OCTETS);
    ask(Question::Read { uid: found.uid, from, octets, whole: true }, move |answer, out| {
        send(sending, answer.octets(octets), out)
    })
}

fn send(mut sending: Sending, octets: Result<Vec<u8>, crate::pop3::question::Trouble>, out: &mut Out) -> Turn {
    let octets = match octets {
        Ok(octets) => octets,
        Err(trouble) if sending.from == 0 => return sending.state.refuse(&trouble.into(), out),
        // Half a message must not look whole: without its end the client knows.
        Err(_) => return Turn::Close,
    };
    if sending.from == 0 {
        out.ok(&format!("{} octets", sending.found.size_octets));
    }
    sending.stuffer.encode(&octets, out.octets());
    sending.from += octets.len() as u64;
    if sending.found.size_octets == 0 {
        sending.stuffer.finish(out.octets());
        return sending.state.ready();
    }
    read(sending, out)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Client;
    use super::*;
    use crate::pop3::question::Trouble;

    #[test]
    fn a_message_comes_as_it_is_with_its_dots_doubled() {
        for (stored, sent) in [
            ("a: 1\n\nb\n", "a: 1\n\nb\n.\n"),
            ("a: 1\n\nb", "a: 1\n\nb\n.\n"),
            ("a: 1\n\n.\n..\n.b", "a: 1\n\n..\n...\n..b\n.\n"),
            (".a: 1\n", "..a: 1\n.\n"),
            ("\n", "\n.\n"),
            ("", ".\n"),
        ] {
            let mut client = Client::with(&[stored]);
            let octets = stored.replace('\n', "\r\n").len();
            client.check("RETR 1", &format!("+OK {octets} octets\n{sent}"));
            client.check("STAT", &format!("+OK 1 {octets}\n"));
        }
    }

    #[test]
    fn a_bare_line_end_ends_no_response() {
        let mut client = Client::with(&[]).and_stored(b"a: 1\r\n\r\nb\n.\n-ERR x\r.\rc\r\n");
        client.check("RETR 1", "+OK 24 octets\na: 1\n\nb\n..\n-ERR x\n..\nc\n.\n");
    }

    #[test]
    fn a_long_message_is_read_and_sent_in_slices() {
        let text = format!("a: 1\n\n{}", ".\n".repeat(100_000));
        let mut client = Client::with(&[&text]);
        let said = client.say("RETR 1");
        assert_eq!(said, format!("+OK 300008 octets\na: 1\n\n{}.\n", "..\n".repeat(100_000)));
        assert_eq!(client.asked.iter().filter(|kind| *kind == "Read").count(), 300_008_usize.div_ceil(SLICE_OCTETS));
        assert!(client.largest_send <= 32 * 1024 + 2 * SLICE_OCTETS, "{} octets at once", client.largest_send);
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_half_a_message_has_no_end() {
        let text = format!("a: 1\n\n{}", "b\n".repeat(100_000));
        let mut client = Client::with(&[&text, "c: 1\n\n"]);
        client.check("RETR 3", "-ERR no such message\n");
        client.remove(2);
        client.check("RETR 2", "-ERR the message was removed by another session\n");
        client.broken = Some((Trouble::Unavailable, 0));
        client.check("RETR 1", "-ERR [SYS/TEMP] the mail store is not available, try again later\n");
        client.broken = Some((Trouble::Unavailable, 2));
        let said = client.say("RETR 1");
        assert!(said.starts_with("+OK 300008 octets\n") && said.ends_with('\n') || said.ends_with('b'), "{said:?}");
        assert!(client.closed && !said.ends_with("\n.\n"));
    }
}
