//! UTF8 (RFC 6856 2): the client takes headers in UTF-8. It may say so before its login only; logins and passwords are read
//! as UTF-8 in any case.

use super::state::{Authorization, Turn};
use crate::pop3::response::Out;

/// Messages are sent as they were stored, to clients that did not say this as well: such a header would be lost otherwise.
pub fn utf8(state: Authorization, out: &mut Out) -> Turn {
    out.ok("headers may come in UTF-8");
    state.ready()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Client, config};

    #[test]
    fn utf8_is_said_before_the_login_and_headers_come_as_they_are() {
        let mut client = Client::stranger(config());
        client.check("UTF8", "+OK headers may come in UTF-8\n");
        client.deliver("Subject: é\n\n");
        client.log_in();
        client.check("RETR 1", "+OK 15 octets\nSubject: é\n\n.\n");
        client.check("UTF8", "-ERR somebody is logged in already\n");
    }
}
