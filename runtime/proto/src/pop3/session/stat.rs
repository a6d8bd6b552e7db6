//! STAT (RFC 1939 5).

use super::state::{Transaction, Turn};
use crate::pop3::response::Out;

pub fn stat(state: Transaction, out: &mut Out) -> Turn {
    out.ok(&format!("{} {}", state.maildrop.messages(), state.maildrop.octets()));
    state.ready()
}

#[cfg(test)]
mod tests {
    use super::super::tests::Client;

    #[test]
    fn stat_counts_what_is_not_marked() {
        Client::with(&[]).check("STAT", "+OK 0 0\n");
        let mut client = Client::with(&["a: 1\n\n", "b: 1\n\nc\n"]);
        client.check("STAT", "+OK 2 19\n");
        client.say("DELE 1");
        client.check("STAT", "+OK 1 11\n");
        client.say("RSET");
        client.check("STAT", "+OK 2 19\n");
    }
}
