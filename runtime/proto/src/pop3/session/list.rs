//! LIST (RFC 1939 5).

use super::maildrop::{Found, Numbered};
use super::state::{Transaction, Turn};
use crate::pop3::response::Out;

/// Messages told in one step.
const SLICE: usize = 1_024;

pub fn list(state: Transaction, number: Option<u32>, out: &mut Out) -> Turn {
    let line = |_: &Numbered, found: Found| format!("{} {}", found.number, found.size_octets);
    each(state, number, line, out)
}

/// One message in the first line, or all of them in lines of their own, as fast as the client takes them.
pub fn each(
    state: Transaction,
    number: Option<u32>,
    line: impl Fn(&Numbered, Found) -> String + Send + 'static,
    out: &mut Out,
) -> Turn {
    let Some(number) = number else {
        out.ok(&state.maildrop.in_words());
        return from(state, 1, line, out);
    };
    match state.maildrop.get(number) {
        Ok(found) => {
            let text = line(&state.maildrop, found);
            state.done(&text, out)
        }
        Err(refusal) => state.refuse(&refusal, out),
    }
}

fn from(
    state: Transaction,
    number: u32,
    line: impl Fn(&Numbered, Found) -> String + Send + 'static,
    out: &mut Out,
) -> Turn {
    let (found, more) = state.maildrop.slice(number, SLICE);
    found.for_each(|found| out.line(format_args!("{}", line(&state.maildrop, found))));
    match more {
        Some(next) => Turn::More(Box::new(move |out| from(state, next, line, out))),
        None => {
            out.end();
            state.ready()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Client;

    #[test]
    fn list_tells_exact_sizes_and_passes_over_what_is_marked() {
        let mut client = Client::with(&["a: 1\n\n", "b: 1\n\nc", "d: 1\n\n.\n"]);
        client.check("LIST", "+OK 3 messages (28 octets)\n1 8\n2 9\n3 11\n.\n");
        client.check("LIST 2", "+OK 2 9\n");
        client.check("LIST 4", "-ERR no such message\n");
        client.check("LIST 0", "-ERR no such message\n");
        client.say("DELE 2");
        client.check("LIST", "+OK 2 messages (19 octets)\n1 8\n3 11\n.\n");
        client.check("LIST 2", "-ERR message 2 is deleted\n");
        Client::with(&[]).check("LIST", "+OK 0 messages (0 octets)\n.\n");
    }

    #[test]
    fn a_large_maildrop_is_told_in_small_pieces() {
        let mut client = Client::with_many(100_000);
        let said = client.say("LIST");
        assert_eq!(said.lines().count(), 100_002);
        assert!(said.ends_with("\n99999 8\n100000 8\n.\n"));
        let said = client.say("UIDL");
        assert!(said.ends_with("\n100000 9.100000\n.\n"));
        assert!(client.largest_send < 64 * 1024, "{} octets at once", client.largest_send);
    }
}
