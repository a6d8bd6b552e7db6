//! DELE and RSET (RFC 1939 5): marks of this session, which come true at QUIT.

use super::state::{Transaction, Turn};
use crate::pop3::response::Out;

pub fn dele(mut state: Transaction, number: u32, out: &mut Out) -> Turn {
    match state.maildrop.get(number) {
        Ok(found) => {
            state.maildrop.mark(found);
            state.done(&format!("message {number} goes at QUIT"), out)
        }
        Err(refusal) => state.refuse(&refusal, out),
    }
}

pub fn rset(mut state: Transaction, out: &mut Out) -> Turn {
    state.maildrop.unmark_all();
    let text = state.maildrop.in_words();
    state.done(&text, out)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Client;

    #[test]
    fn a_mark_is_set_once_and_hides_the_message() {
        let mut client = Client::with(&["a: 1\n\n", "b: 1\n\n"]);
        client.check("DELE 1", "+OK message 1 goes at QUIT\n");
        client.check("DELE 1", "-ERR message 1 is deleted\n");
        client.check("RETR 1", "-ERR message 1 is deleted\n");
        client.check("TOP 1 0", "-ERR message 1 is deleted\n");
        client.check("DELE 3", "-ERR no such message\n");
        client.check("RSET", "+OK 2 messages (16 octets)\n");
        client.check("DELE 1", "+OK message 1 goes at QUIT\n");
        assert_eq!(client.uids(), [1, 2], "nothing is removed before QUIT");
    }
}
