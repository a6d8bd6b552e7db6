//! Many clients that wait.

use std::io;

use tests::describe::Person;
use tests::imap::quoted;
use tests::{Facteur, Imap};

/// Threads that open connections: enough to keep the server busy.
const OPENERS: usize = 4;

/// Connections in IDLE with the number of the person each belongs to.
pub struct Clients(Vec<(usize, Imap)>);

/// The first `count` people.
pub fn people(server: &Facteur, count: usize) -> Vec<Person> {
    let found: Vec<Person> = server.describe.people.iter().filter(|it| it.login.starts_with("user")).cloned().collect();
    assert!(found.len() >= count, "{} people of {count}", found.len());
    found.into_iter().take(count).collect()
}

impl Clients {
    /// Opens `count` connections, spread over people and networks.
    pub fn open(server: &Facteur, people: &[Person], networks: &[&str], count: usize) -> io::Result<Clients> {
        let part = |opener: usize| -> io::Result<Vec<(usize, Imap)>> {
            let mine = (0..count).filter(|number| number % OPENERS == opener);
            mine.map(|number| {
                let person = number % people.len();
                Ok((person, waiting(server, networks[number % networks.len()], &people[person])?))
            })
            .collect()
        };
        std::thread::scope(|scope| {
            let openers: Vec<_> = (0..OPENERS).map(|opener| scope.spawn(move || part(opener))).collect();
            let mut all = Vec::with_capacity(count);
            for opener in openers {
                all.extend(opener.join().expect("opening does not panic")?);
            }
            Ok(Clients(all))
        })
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Those of one person.
    pub fn of(&mut self, person: usize) -> impl Iterator<Item = &mut Imap> {
        self.0.iter_mut().filter(move |(of, _)| *of == person).map(|(_, imap)| imap)
    }
}

fn waiting(server: &Facteur, network: &str, who: &Person) -> io::Result<Imap> {
    let mut imap = Imap::connect(server, "imaps", network)?;
    imap.command(&format!("LOGIN {} {}", quoted(&who.login), quoted(&who.password)))?.ok()?;
    imap.command("SELECT INBOX")?.ok()?;
    imap.send(b"w IDLE\r\n")?;
    let answer = imap.read()?;
    if !answer.starts_with(b"+ ") {
        return Err(io::Error::other(format!("no IDLE: {}", String::from_utf8_lossy(&answer))));
    }
    Ok(imap)
}
