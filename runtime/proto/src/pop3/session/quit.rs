//! QUIT (RFC 1939 4 to 6): behind a login it removes what is marked, in one step.

use super::state::{Transaction, Turn, Update, ask};
use crate::pop3::question::{Question, Trouble};
use crate::pop3::response::{Out, Refusal};

/// Nobody is logged in.
pub fn unknown(out: &mut Out) -> Turn {
    out.ok("until next time");
    Turn::Close
}

pub fn quit(state: Transaction) -> Turn {
    Update { removed: state.maildrop.marked() }.run()
}

impl Update {
    fn run(self) -> Turn {
        ask(Question::Update { removed: self.removed }, |answer, out| {
            match answer.done() {
                Ok(()) => out.ok("until next time"),
                Err(trouble) => out.refuse(&kept(trouble)),
            }
            Turn::Close
        })
    }
}

fn kept(trouble: Trouble) -> Refusal {
    let Refusal { code, text } = trouble.into();
    Refusal { code, text: format!("the messages were not removed: {text}") }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Client, config};
    use crate::pop3::question::Trouble;

    #[test]
    fn quit_removes_what_is_marked_in_one_step() {
        let mut client = Client::with(&["a: 1\n\n", "b: 1\n\n", "c: 1\n\n"]);
        client.say_octets(b"DELE 1\r\nDELE 3\r\n");
        client.check("QUIT", "+OK until next time\n");
        assert!(client.closed);
        assert_eq!(client.uids(), [2]);
        assert_eq!(client.asked.iter().filter(|kind| *kind == "Update").count(), 1);
    }

    #[test]
    fn without_marks_nothing_is_removed_and_without_a_login_nothing_is_asked() {
        let mut client = Client::with(&["a: 1\n\n"]);
        client.check("QUIT", "+OK until next time\n");
        assert_eq!((client.closed, client.uids()), (true, vec![1]));
        let mut client = Client::stranger(config());
        client.check("QUIT", "+OK until next time\n");
        assert!(client.closed && client.asked.is_empty());
    }

    #[test]
    fn a_connection_that_ends_otherwise_removes_nothing() {
        let mut client = Client::with(&["a: 1\n\n"]);
        client.say("DELE 1");
        client.end();
        assert!(client.closed);
        assert_eq!(client.uids(), [1]);
    }

    #[test]
    fn a_removal_that_fails_is_told() {
        let mut client = Client::with(&["a: 1\n\n"]);
        client.say("DELE 1");
        client.broken = Some((Trouble::Unavailable, 0));
        client.check(
            "QUIT",
            "-ERR [SYS/TEMP] the messages were not removed: the mail store is not available, try again later\n",
        );
        assert!(client.closed);
        assert_eq!(client.uids(), [1]);
    }

    #[test]
    fn what_another_session_removed_meanwhile_is_no_trouble() {
        let mut client = Client::with(&["a: 1\n\n", "b: 1\n\n"]);
        client.say_octets(b"DELE 1\r\nDELE 2\r\n");
        client.remove(1);
        client.check("QUIT", "+OK until next time\n");
        assert!(client.uids().is_empty());
    }
}
