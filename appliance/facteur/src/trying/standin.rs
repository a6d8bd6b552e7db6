//! Stand-ins for antivirus engines: they speak clamd's protocol or ICAP on loopback and know the EICAR test file, nothing
//! else. What they say of themselves tells so. Nothing they are given leaves this process.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use plan::At;
use proto::scan::clamd::{Command, Daemon, Event, ScanReply};
use proto::scan::icap;
use server::StandIn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The EICAR test string in two halves, so that this source is not taken for one.
const EICAR_HALVES: [&str; 2] = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

/// The whole test string.
pub fn eicar() -> String {
    EICAR_HALVES.concat()
}

/// Starts a stand-in on a port the kernel chooses; it lives as long as the runtime. An engine the plan reaches by ICAP is
/// one that speaks ICAP, any other speaks clamd's protocol.
pub async fn start(engine: &str, at: &At) -> io::Result<StandIn> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let name = format!("stand-in for {engine}, knows EICAR only");
    let icap = matches!(at, At::Icap(_));
    let stand_in = if icap { StandIn::Icap(address) } else { StandIn::Clamd(address) };
    tokio::spawn(async move {
        loop {
            let Ok((socket, _)) = listener.accept().await else { continue };
            let name = name.clone();
            tokio::spawn(async move {
                // A client that goes away early is its own affair.
                let _ = if icap { talk_icap(socket, &name).await } else { talk(socket, &name).await };
            });
        }
    });
    Ok(stand_in)
}

async fn talk(mut socket: TcpStream, name: &str) -> io::Result<()> {
    let mut daemon = Daemon::default();
    let mut search = Search::new();
    let mut octets = vec![0; 64 * 1024];
    loop {
        match daemon.next() {
            Event::NeedInput => {
                let count = socket.read(&mut octets).await?;
                if count == 0 {
                    return Ok(());
                }
                daemon.feed(&octets[..count]);
            }
            Event::Command(Command::Ping) => socket.write_all(b"PONG\0").await?,
            Event::Command(Command::Version) => {
                socket.write_all(format!("ClamAV {name}\0").as_bytes()).await?;
            }
            Event::Command(Command::Instream) => search = Search::new(),
            Event::Content(content) => search.feed(&content),
            Event::EndOfStream => socket.write_all(&search.reply().wire()).await?,
            Event::Bad => {
                socket.write_all(b"UNKNOWN COMMAND\0").await?;
                return Ok(());
            }
        }
    }
}

async fn talk_icap(mut socket: TcpStream, name: &str) -> io::Result<()> {
    let mut server = icap::Server::default();
    let mut search = Search::new();
    let mut octets = vec![0; 64 * 1024];
    loop {
        match server.next() {
            icap::ServerEvent::NeedInput => {
                let count = socket.read(&mut octets).await?;
                if count == 0 {
                    return Ok(());
                }
                server.feed(&octets[..count]);
            }
            icap::ServerEvent::Options => socket.write_all(&icap::Server::service(name)).await?,
            icap::ServerEvent::Begin(_) => search = Search::new(),
            icap::ServerEvent::Content(content) => search.feed(&content),
            icap::ServerEvent::EndOfPreview => socket.write_all(icap::Server::carry_on()).await?,
            icap::ServerEvent::EndOfContent => match search.reply() {
                ScanReply::Found(signature) => socket.write_all(&icap::Server::infected(&signature)).await?,
                _ => socket.write_all(icap::Server::clean()).await?,
            },
            icap::ServerEvent::Bad => {
                socket.write_all(icap::Server::bad()).await?;
                return Ok(());
            }
        }
    }
}

/// Looks for the test string across chunks, as it is or at the beginning of a part in base64.
struct Search {
    needles: [Vec<u8>; 2],
    tail: Vec<u8>,
    found: bool,
}

impl Search {
    fn new() -> Search {
        let coded = STANDARD_NO_PAD.encode(&eicar()[..66]);
        Search { needles: [eicar().into_bytes(), coded.into_bytes()], tail: Vec::new(), found: false }
    }

    fn feed(&mut self, content: &[u8]) {
        if self.found {
            return;
        }
        self.tail.extend_from_slice(content);
        let holds = |needle: &Vec<u8>| self.tail.windows(needle.len()).any(|window| window == needle);
        self.found = self.needles.iter().any(holds);
        let longest = self.needles.iter().map(Vec::len).max().unwrap_or(1);
        let keep = self.tail.len().min(longest - 1);
        self.tail.drain(..self.tail.len() - keep);
    }

    fn reply(&self) -> ScanReply {
        if self.found { ScanReply::Found("Eicar-Test-Signature".to_owned()) } else { ScanReply::Clean }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_string_is_found_across_any_split() {
        for written in [eicar(), STANDARD_NO_PAD.encode(eicar())] {
            let content = format!("Subject: x\r\n\r\n{written}\r\n");
            for split in 0..content.len() {
                let mut search = Search::new();
                search.feed(&content.as_bytes()[..split]);
                search.feed(&content.as_bytes()[split..]);
                assert!(search.found, "split at {split}");
            }
        }
        let mut search = Search::new();
        search.feed(EICAR_HALVES[0].as_bytes());
        assert_eq!(search.reply(), ScanReply::Clean);
    }
}
