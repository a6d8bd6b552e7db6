//! UIDL (RFC 1939 7): `uidvalidity.uid`, so that an id stays with its message through sessions, restarts and restored
//! backups, and is never given again.

use super::list::each;
use super::maildrop::{Found, Numbered};
use super::state::{Transaction, Turn};
use crate::pop3::response::Out;

pub fn uidl(state: Transaction, number: Option<u32>, out: &mut Out) -> Turn {
    let line = |maildrop: &Numbered, found: Found| format!("{} {}", found.number, maildrop.unique_id(found));
    each(state, number, line, out)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Client;

    #[test]
    fn ids_stay_with_their_messages() {
        let mut client = Client::with(&["a: 1\n\n", "b: 1\n\n", "c: 1\n\n"]);
        client.check("UIDL", "+OK 3 messages (24 octets)\n1 9.1\n2 9.2\n3 9.3\n.\n");
        client.check("UIDL 3", "+OK 3 9.3\n");
        client.check("UIDL 4", "-ERR no such message\n");
        client.say("DELE 1");
        client.check("UIDL", "+OK 2 messages (16 octets)\n2 9.2\n3 9.3\n.\n");
        client.say("QUIT");
        let mut again = client.again();
        again.check("UIDL", "+OK 2 messages (16 octets)\n1 9.2\n2 9.3\n.\n");
    }
}
