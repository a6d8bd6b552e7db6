//! The journal, spoken to in its own protocol (systemd, "Native Journal Protocol"): a datagram for each line.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use super::Entry;

/// Where the journal listens.
const SOCKET: &str = "/run/systemd/journal/socket";

/// A socket to the journal.
#[derive(Debug)]
pub struct Journal(UnixDatagram);

impl Journal {
    /// The one of this machine.
    pub fn open() -> io::Result<Journal> {
        Journal::at(Path::new(SOCKET))
    }

    /// One that listens elsewhere.
    pub fn at(socket: &Path) -> io::Result<Journal> {
        let own = UnixDatagram::unbound()?;
        own.connect(socket)?;
        // A journal that is slow must not hold mail up.
        own.set_nonblocking(true)?;
        Ok(Journal(own))
    }

    /// Hands a line over. One that is not taken is counted.
    pub fn send(&self, entry: &Entry) {
        if self.0.send(&octets(entry)).is_err() {
            super::journal_dropped();
        }
    }
}

/// Is `stream` what `$JOURNAL_STREAM` says the journal reads (systemd.exec(5))?
pub fn is_journal(stream: impl AsFd, journal_stream: &str) -> bool {
    let Ok(stat) = rustix::fs::fstat(stream) else { return false };
    journal_stream == format!("{}:{}", stat.st_dev, stat.st_ino)
}

fn octets(entry: &Entry) -> Vec<u8> {
    let mut octets = Vec::new();
    let line = entry.line.to_string();
    let severity = entry.severity().to_string();
    for (name, value) in [
        ("MESSAGE", entry.message.as_str()),
        ("PRIORITY", &severity),
        ("SYSLOG_IDENTIFIER", "facteur"),
        ("CODE_FILE", entry.file),
        ("CODE_LINE", &line),
        ("FACTEUR_TARGET", entry.target),
    ] {
        put(&mut octets, name, value);
    }
    for (name, value) in &entry.fields {
        let name: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
        put(&mut octets, &format!("FACTEUR_{name}"), value);
    }
    octets
}

/// A value with a line end is given by its length.
fn put(octets: &mut Vec<u8>, name: &str, value: &str) {
    octets.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        octets.push(b'\n');
        octets.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        octets.push(b'=');
    }
    octets.extend_from_slice(value.as_bytes());
    octets.push(b'\n');
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tracing::Level;

    use super::*;

    fn entry() -> Entry {
        Entry {
            at: Timestamp::UNIX_EPOCH,
            level: Level::WARN,
            target: "server::listen",
            file: "listen.rs",
            line: 7,
            message: "one\ntwo".to_owned(),
            fields: vec![("queue_id", "0192".to_owned()), ("seen.as", "a=b".to_owned())],
        }
    }

    #[test]
    fn a_line_is_a_datagram_with_its_fields() {
        let mut expected = b"MESSAGE\n\x07\0\0\0\0\0\0\0one\ntwo\n".to_vec();
        expected.extend_from_slice(
            b"PRIORITY=4\nSYSLOG_IDENTIFIER=facteur\nCODE_FILE=listen.rs\nCODE_LINE=7\nFACTEUR_TARGET=server::listen\n\
              FACTEUR_QUEUE_ID=0192\nFACTEUR_SEEN_AS=a=b\n",
        );
        assert_eq!(octets(&entry()), expected);
    }

    #[test]
    fn a_journal_that_takes_nothing_holds_nobody_up_and_is_counted() {
        let path = std::env::temp_dir().join(format!("facteur-journal-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixDatagram::bind(&path).unwrap();
        let journal = Journal::at(&path).unwrap();
        let before = super::super::counts().journal_dropped;
        // The kernel keeps some datagrams for a reader that does not read, then no more.
        (0..100_000).for_each(|_| journal.send(&entry()));
        assert!(super::super::counts().journal_dropped > before);
        let mut buffer = [0; 4_096];
        let length = listener.recv(&mut buffer).unwrap();
        assert_eq!(buffer[..length], octets(&entry()));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn only_the_stream_that_is_named_is_the_journal() {
        let (one, other) = UnixDatagram::pair().unwrap();
        let stat = rustix::fs::fstat(&one).unwrap();
        let named = format!("{}:{}", stat.st_dev, stat.st_ino);
        assert!(is_journal(&one, &named) && !is_journal(&other, &named) && !is_journal(&one, ""));
    }
}
