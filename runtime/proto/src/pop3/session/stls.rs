//! STLS (RFC 2595 4).

use super::state::{Authorization, Turn};
use crate::pop3::response::{Out, Refusal};

pub fn stls(state: Authorization, out: &mut Out) -> Turn {
    if !state.shared.config.stls {
        return state.refuse(&Refusal::new("there is no TLS to be had here, or it is there already"), out);
    }
    out.ok("begin TLS");
    Turn::Secure(state.shared)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Client, clear, config};

    #[test]
    fn stls_begins_the_session_again() {
        let mut client = Client::stranger(clear());
        client.check("USER toto-j", "-ERR TLS first: say STLS\n");
        client.check("STLS", "+OK begin TLS\n");
        assert!(client.securing);
        client.secured(config());
        client.check("PASS secret", "-ERR USER first\n");
        client.check("STLS", "-ERR there is no TLS to be had here, or it is there already\n");
        client.check("USER toto-j", "+OK the password, please\n");
        assert!(client.say("PASS secret").starts_with("+OK "));
        client.check("STLS", "-ERR somebody is logged in already\n");
    }

    #[test]
    fn nothing_that_came_in_the_clear_is_answered_under_tls() {
        let mut client = Client::stranger(clear());
        assert_eq!(client.say_octets(b"STLS\r\nUSER toto-j\r\nPASS secret\r\n"), "+OK begin TLS\n");
        assert!(client.securing);
        assert_eq!(client.say_octets(b"CAPA\r\n"), "", "this came before TLS as well");
        client.secured(config());
        assert_eq!(client.say_octets(b""), "");
        client.check("STAT", "-ERR log in first\n");
        assert!(client.asked.is_empty());
    }
}
