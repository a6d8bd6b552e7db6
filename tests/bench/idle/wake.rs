//! How long a message takes from our 250 to those who wait for it.

use std::io;
use std::time::Instant;

use tests::describe::Person;
use tests::smtp::letter;
use tests::{Facteur, Smtp};

use crate::clients::Clients;

/// Delivers `wakes` messages, one after the other, and prints when the clients of each mailbox heard of it.
pub fn measure(server: &Facteur, people: &[Person], clients: &mut Clients, wakes: usize) -> io::Result<()> {
    let mut latencies_ms = Vec::new();
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    for wake in 0..wakes {
        let person = wake % people.len();
        let to = &people[person].address;
        let heard = std::thread::scope(|scope| {
            let hearing: Vec<_> = clients.of(person).map(|imap| scope.spawn(move || heard(imap))).collect();
            let text = letter("a@client.example", to, "wake up");
            smtp.message("a@client.example", &[to], &text)?.expect(250)?;
            let delivered = Instant::now();
            let each = |hearing: std::thread::ScopedJoinHandle<'_, io::Result<Instant>>| {
                let heard = hearing.join().expect("hearing does not panic")?;
                Ok(heard.saturating_duration_since(delivered).as_secs_f64() * 1000.0)
            };
            hearing.into_iter().map(each).collect::<io::Result<Vec<f64>>>()
        })?;
        latencies_ms.extend(heard);
    }
    latencies_ms.sort_by(f64::total_cmp);
    let at =
        |part: f64| latencies_ms.get(((latencies_ms.len() - 1) as f64 * part) as usize).copied().unwrap_or_default();
    println!(
        "{} of {} woken       median {:.1} ms   p99 {:.1} ms   most {:.1} ms after the 250",
        latencies_ms.len(),
        clients.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

fn heard(imap: &mut tests::Imap) -> io::Result<Instant> {
    loop {
        if imap.read()?.ends_with(b" EXISTS") {
            return Ok(Instant::now());
        }
    }
}
