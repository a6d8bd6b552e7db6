//! The address of a client somebody speaks for: by PROXY v2 in front of the connection, or in a Received field. Whom to
//! believe is `decide::Tells`. What is told changes limits, logs and trace lines, never the class.
//!
//! INVARIANT (told-first): only the very first octets of a connection can be a PROXY header; nothing of the client's own
//! was heard before them.

use std::net::IpAddr;
use std::time::Duration;

use decide::Tells;
use mail::header;
use proto::proxy::{self, HEADER_OCTETS_MAX, Header};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};

use super::Connection;
use crate::stream::{Read, Stream};

/// A header that has begun, or that must come, is there within this.
const HEADER_MAX: Duration = Duration::from_secs(5);
/// Wait for more of a header that came in part: the kernel wakes nobody for octets it has shown.
const AGAIN: Duration = Duration::from_millis(10);

/// The connection ends: what had to be told was not, or not in its form.
#[derive(Debug, PartialEq, Eq)]
pub struct Untold;

impl Connection {
    /// The client speaks for another.
    pub fn speaks_for(&mut self, address: IpAddr) {
        self.peer.seen_as = address;
        self.told_address = Some(address);
    }
}

/// Before greeting and TLS: the header a gateway must send. Under implicit TLS also the one a front may send, since there
/// the client speaks first.
pub async fn before(connection: &mut Connection, implicit_tls: bool, limit: Duration) -> Result<(), Untold> {
    let (must, wait) = match connection.tells {
        Tells::Proxy2 => (true, HEADER_MAX),
        Tells::Either if implicit_tls => (false, limit),
        Tells::Either | Tells::Nothing | Tells::Xclient | Tells::Received { .. } => return Ok(()),
    };
    connection.unheard = false;
    let Stream::Plain(stream) = &mut connection.stream else { return Err(Untold) };
    match peeked(stream, Instant::now() + wait).await? {
        Header::Whole { source, .. } => {
            source.into_iter().for_each(|source| connection.speaks_for(source));
            Ok(())
        }
        Header::Absent if !must => Ok(()),
        Header::Absent | Header::Bad | Header::Incomplete => Err(Untold),
    }
}

/// Looks at what stands first without taking it, unless it is a header: that is taken.
async fn peeked(stream: &mut TcpStream, until: Instant) -> Result<Header, Untold> {
    let mut seen = vec![0; HEADER_OCTETS_MAX];
    loop {
        let peeked = timeout_at(until, stream.peek(&mut seen)).await;
        let count = peeked.ok().and_then(Result::ok).filter(|count| *count > 0).ok_or(Untold)?;
        match proxy::header(&seen[..count]) {
            Header::Incomplete if Instant::now() >= until => return Err(Untold),
            Header::Incomplete => sleep(AGAIN).await,
            Header::Whole { source, octets } => {
                stream.read_exact(&mut seen[..octets]).await.map_err(|_| Untold)?;
                return Ok(Header::Whole { source, octets });
            }
            header => return Ok(header),
        }
    }
}

/// The first octets a session that has greeted already gets, `count` of them in `buffer`: gives those that are the client's
/// own. A header from whoever may not say it is no conversation.
pub async fn first<'b>(
    connection: &mut Connection,
    buffer: &'b mut [u8],
    mut count: usize,
) -> Result<&'b [u8], Untold> {
    if !std::mem::take(&mut connection.unheard) {
        return Ok(&buffer[..count]);
    }
    if connection.tells != Tells::Either {
        let said = &buffer[..count];
        return if said.starts_with(proxy::SIGNATURE) { Err(Untold) } else { Ok(said) };
    }
    let until = Instant::now() + HEADER_MAX;
    loop {
        match proxy::header(&buffer[..count]) {
            Header::Absent => return Ok(&buffer[..count]),
            Header::Bad => return Err(Untold),
            Header::Whole { source, octets } => {
                source.into_iter().for_each(|source| connection.speaks_for(source));
                return Ok(&buffer[octets..count]);
            }
            Header::Incomplete => {
                let left = until.saturating_duration_since(Instant::now());
                match connection.stream.read(&mut buffer[count..], left).await {
                    Read::Octets(more) => count += more,
                    Read::End | Read::TimedOut => return Err(Untold),
                }
            }
        }
    }
}

/// The address in the Received field at `depth`, 1 the newest: the first literal behind `from` (RFC 5321 4.4).
pub fn received(start: &[u8], depth: u32) -> Option<IpAddr> {
    let before = usize::try_from(depth).ok()?.checked_sub(1)?;
    let text = header::fields(start).filter(|field| field.is("received")).nth(before)?.text();
    let text = text.trim_start();
    let from = text.get(..5).filter(|word| word.eq_ignore_ascii_case("from ")).map(|_| &text[5..])?;
    let from = from.split_once(" by ").map_or(from, |(from, _)| from);
    // The name a client gives itself may be a literal too; what the server saw stands in the comment.
    let seen = from.split_once('(').map_or(from, |(_, comment)| comment);
    let literal = seen.split_once('[')?.1.split_once(']')?.0;
    let literal = literal.strip_prefix("IPv6:").unwrap_or(literal);
    literal.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// The law of told addresses: they stand in the field at their depth, and a field in front makes the depth one more. The first
/// octet is the depth.
pub fn fuzz_received(octets: &[u8]) {
    let [depth, start @ ..] = octets else { return };
    let depth = u32::from(*depth % 8);
    let told = received(start, depth);
    assert!(depth > 0 || told.is_none(), "nothing stands at no depth");
    assert!(told.is_none_or(|address| address == address.to_canonical()), "{told:?}");
    let relayed = |from: &str| [format!("Received: {from} by mx.example; today\r\n").as_bytes(), start].concat();
    if !start.starts_with(b" ") && !start.starts_with(b"\t") {
        for from in ["from a ([192.0.2.7])", "from", ""].into_iter().filter(|_| depth > 0) {
            assert_eq!(received(&relayed(from), depth + 1), told, "{depth} behind one more");
        }
        let seen = Some(IpAddr::from([192, 0, 2, 7]));
        assert_eq!(received(&relayed("from [192.0.2.9] (a [192.0.2.7])"), 1), seen, "what the server saw");
    }
    if let Some(address) = told {
        let fields = header::fields(start).filter(|field| field.is("received")).count();
        assert!(fields >= depth as usize && start.contains(&b'['), "{address} came from nowhere");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_received_field_at_its_depth_tells_the_client() {
        let start = b"Received: from mail.example (host.example [192.0.2.7])\r\n\tby filter.example with ESMTP\r\n\
            Received: from [198.51.100.1] (unknown [IPv6:2001:db8::9]) by a.example; today\r\n\
            Received: by b.example with HTTP\r\nReceived: from x (y [not an address]) by z\r\n\
            Received: from [198.51.100.2] by c.example [203.0.113.1]\r\n\r\nReceived: from x ([192.0.2.99]) by y\r\n";
        let address = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let expected = [address("192.0.2.7"), address("2001:db8::9"), None, None, address("198.51.100.2"), None];
        for (depth, expected) in (1..).zip(expected) {
            assert_eq!(received(start, depth), expected, "depth {depth}");
        }
        assert_eq!(received(start, 0), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_header_breaks_the_law(
            depth in any::<u8>(),
            fields in prop::collection::vec(
                "(Received|received|X): ?(from|FROM|by)?(( |\r\n )?(from |by |\\(|\\)|\\[|\\]|IPv6:|192\\.0\\.2\\.7|2001:db8::9|::ffff:192\\.0\\.2\\.7|é|\"|;)){0,9}",
                0..4,
            ),
            noise in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            fuzz_received(&[&[depth], fields.join("\r\n").as_bytes(), &noise].concat());
            fuzz_received(&noise);
        }
    }
}
