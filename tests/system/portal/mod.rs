//! The portal over real sockets: what OWASP calls the basics, and what its pages do.

mod bounds;
mod malformed;
mod manage;
mod names;
mod pages;
mod secrets;
mod sessions;
mod walk;

use tests::describe::Person;
use tests::{Facteur, Smtp};

/// The policy whose people and rules these tests use.
fn serve() -> Facteur {
    Facteur::start("nantes")
}

fn person(server: &Facteur, at: usize) -> Person {
    server.describe.people[at].clone()
}

/// Puts a message into the INBOX of `to`.
fn deliver(server: &Facteur, from: &str, to: &Person, subject: &str) -> std::io::Result<()> {
    let mut mx = Smtp::stranger(server, "mx", "outside")?;
    mx.ehlo()?;
    mx.message(from, &[&to.address], &tests::smtp::letter(from, &to.address, subject))?.expect(250)?;
    Ok(())
}
