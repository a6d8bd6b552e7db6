//! Scanners of tests that do what no scanner should: each does a list of acts on every connection, then closes it.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::place::Place;

#[derive(Clone, Debug)]
pub enum Act {
    /// Reads until what came ends with these octets.
    Take(&'static [u8]),
    Say(Vec<u8>),
    /// Says it again and again while anybody listens.
    Repeat(Vec<u8>),
    /// One octet now and then.
    Drip(u8),
    /// Neither reads nor says anything any more.
    Hang,
}

/// Starts one; it ends with the test's runtime.
pub async fn scanner(acts: Vec<Act>) -> Place {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has ports");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(play(stream, acts.clone()));
        }
    });
    Place::Address(address)
}

async fn play(stream: TcpStream, acts: Vec<Act>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    for act in acts {
        match act {
            Act::Take(end) => {
                let mut taken = Vec::new();
                while !taken.ends_with(end) {
                    taken.push(stream.read_u8().await?);
                }
            }
            Act::Say(octets) => stream.write_all(&octets).await?,
            Act::Repeat(octets) => loop {
                stream.write_all(&octets).await?;
            },
            Act::Drip(octet) => loop {
                stream.write_all(&[octet]).await?;
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            },
            Act::Hang => std::future::pending().await,
        }
    }
    Ok(())
}
