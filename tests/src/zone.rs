//! A name server for tests: answers what it was told to, on loopback, over UDP and TCP.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const A: u16 = 1;
const CNAME: u16 = 5;
const SOA: u16 = 6;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;
const AAAA: u16 = 28;
/// Longest answer over UDP.
const UDP_OCTETS_MAX: usize = 1_232;

/// What a name has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Mx(u16, String),
    /// The strings of one record.
    Txt(Vec<Vec<u8>>),
    Ptr(String),
    Cname(String),
    /// Questions for what the name does not have are answered SERVFAIL.
    Failing,
    /// They are not answered at all.
    Silent,
}

impl Data {
    fn kind(&self) -> u16 {
        match self {
            Data::A(_) => A,
            Data::Aaaa(_) => AAAA,
            Data::Mx(..) => MX,
            Data::Txt(_) => TXT,
            Data::Ptr(_) => PTR,
            Data::Cname(_) => CNAME,
            Data::Failing | Data::Silent => 0,
        }
    }

    fn write(&self, into: &mut Vec<u8>) {
        match self {
            Data::A(address) => into.extend(address.octets()),
            Data::Aaaa(address) => into.extend(address.octets()),
            Data::Mx(preference, host) => {
                into.extend(preference.to_be_bytes());
                write_name(host, into);
            }
            Data::Txt(strings) => {
                for string in strings.iter().flat_map(|string| string.chunks(255)) {
                    into.push(string.len() as u8);
                    into.extend(string);
                }
            }
            Data::Ptr(name) | Data::Cname(name) => write_name(name, into),
            Data::Failing | Data::Silent => {}
        }
    }
}

/// Names and what they have.
#[derive(Clone, Debug, Default)]
pub struct Zone(BTreeMap<String, Vec<Data>>);

impl Zone {
    /// Reads lines `NAME TYPE VALUE`; a TXT value is the rest of the line. Panics on any other.
    #[track_caller]
    pub fn read(text: &str) -> Zone {
        let mut zone = Zone::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no record: {line}"));
            let (kind, value) = rest.split_once(' ').unwrap_or((rest, ""));
            let data = match kind {
                "A" => Data::A(value.parse().unwrap_or_else(|_| panic!("{line}"))),
                "AAAA" => Data::Aaaa(value.parse().unwrap_or_else(|_| panic!("{line}"))),
                "MX" => {
                    let (preference, host) = value.split_once(' ').unwrap_or_else(|| panic!("{line}"));
                    Data::Mx(preference.parse().unwrap_or_else(|_| panic!("{line}")), host.to_owned())
                }
                "TXT" => Data::Txt(vec![value.as_bytes().to_vec()]),
                "PTR" => Data::Ptr(value.to_owned()),
                "CNAME" => Data::Cname(value.to_owned()),
                "SILENT" => Data::Silent,
                "FAILING" => Data::Failing,
                _ => panic!("no record: {line}"),
            };
            zone.add(name, data);
        }
        zone
    }

    pub fn add(&mut self, name: &str, data: Data) {
        self.0.entry(fold(name)).or_default().push(data);
    }

    /// Is there such a name, with records or with names under it?
    fn has(&self, name: &str) -> bool {
        let under = format!(".{name}");
        self.0.contains_key(name) || self.0.keys().any(|known| known.ends_with(&under))
    }
}

/// A name server; it ends with the process.
pub struct NameServer {
    pub address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl NameServer {
    pub fn start(zone: Zone) -> io::Result<NameServer> {
        let (udp, tcp) = both()?;
        let server = NameServer { address: tcp.local_addr()?, zone: Arc::new(Mutex::new(zone)), asked: Arc::default() };
        let (zone, asked) = (server.zone.clone(), server.asked.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok((octets, from)) = udp.recv_from(&mut buffer) {
                if let Some(mut answer) = answer(&zone, &asked, &buffer[..octets]) {
                    if answer.len() > UDP_OCTETS_MAX {
                        // TC, and nothing but the question's header: asked again over TCP.
                        answer.truncate(12);
                        answer[2] |= 2;
                        answer[4..12].fill(0);
                    }
                    let _ = udp.send_to(&answer, from);
                }
            }
        });
        let (zone, asked) = (server.zone.clone(), server.asked.clone());
        std::thread::spawn(move || {
            for stream in tcp.incoming().flatten() {
                let (zone, asked) = (zone.clone(), asked.clone());
                std::thread::spawn(move || stream_answers(&zone, &asked, stream));
            }
        });
        Ok(server)
    }

    /// Answers from another zone from now on.
    pub fn replace(&self, zone: Zone) {
        *self.zone.lock().unwrap_or_else(PoisonError::into_inner) = zone;
    }

    /// Names that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The same port for UDP and TCP.
fn both() -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = io::Error::other("no port");
    for _ in 0..20 {
        let tcp = TcpListener::bind("127.0.0.1:0")?;
        match UdpSocket::bind(tcp.local_addr()?) {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn stream_answers(zone: &Mutex<Zone>, asked: &Mutex<Vec<String>>, mut stream: TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    loop {
        let mut length = [0; 2];
        if stream.read_exact(&mut length).is_err() {
            return;
        }
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut query).is_err() {
            return;
        }
        let Some(answer) = answer(zone, asked, &query) else { return };
        let length = (answer.len() as u16).to_be_bytes();
        if stream.write_all(&[&length[..], &answer].concat()).is_err() {
            return;
        }
    }
}

/// The answer to a query (RFC 1035 4); `None` for silence.
fn answer(zone: &Mutex<Zone>, asked: &Mutex<Vec<String>>, query: &[u8]) -> Option<Vec<u8>> {
    let (name, end) = read_name(query, 12)?;
    let kind = u16::from_be_bytes([*query.get(end)?, *query.get(end + 1)?]);
    asked.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
    let zone = zone.lock().unwrap_or_else(PoisonError::into_inner);
    let mut owner = name.clone();
    let mut records: Vec<(String, Data)> = Vec::new();
    let mut failed = false;
    for _ in 0..8 {
        let known = zone.0.get(&owner).map(Vec::as_slice).unwrap_or_default();
        let before = records.len();
        records.extend(known.iter().filter(|data| data.kind() == kind).map(|data| (owner.clone(), data.clone())));
        if records.len() > before {
            break;
        }
        if known.contains(&Data::Silent) {
            return None;
        }
        failed |= known.contains(&Data::Failing);
        let Some(Data::Cname(target)) = known.iter().find(|data| data.kind() == CNAME) else { break };
        records.push((owner.clone(), Data::Cname(target.clone())));
        owner = fold(target);
    }
    let code = match (failed, zone.has(&owner)) {
        (true, _) => 2,
        (false, true) => 0,
        (false, false) => 3,
    };
    let empty = !records.iter().any(|(_, data)| data.kind() == kind);
    let mut out = query[..2].to_vec();
    // QR, AA, RD as asked; RA and the code.
    out.extend([0x84 | query[2] & 1, 0x80 | code]);
    let authorities = u16::from(empty && code != 2);
    for count in [1, records.len() as u16, authorities, 0] {
        out.extend(count.to_be_bytes());
    }
    out.extend(&query[12..end + 4]);
    for (owner, data) in &records {
        write_name(owner, &mut out);
        let mut octets = Vec::new();
        data.write(&mut octets);
        write_record(data.kind(), &octets, &mut out);
    }
    if authorities == 1 {
        out.push(0);
        // Root as the names of the server and its keeper; serial, times, and a negative answer for 60 s.
        let soa: Vec<u8> =
            [vec![0, 0], [1_u32, 60, 60, 60, 60].iter().flat_map(|n| n.to_be_bytes()).collect()].concat();
        write_record(SOA, &soa, &mut out);
    }
    Some(out)
}

fn write_record(kind: u16, octets: &[u8], out: &mut Vec<u8>) {
    out.extend(kind.to_be_bytes());
    out.extend(1_u16.to_be_bytes());
    out.extend(60_u32.to_be_bytes());
    out.extend((octets.len() as u16).to_be_bytes());
    out.extend(octets);
}

fn fold(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

fn write_name(name: &str, out: &mut Vec<u8>) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        let label = &label.as_bytes()[..label.len().min(63)];
        out.push(label.len() as u8);
        out.extend(label);
    }
    out.push(0);
}

/// A name of a question, which is never compressed, and where it ends.
fn read_name(query: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join(".").to_ascii_lowercase(), at));
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).into_owned());
        at += length;
    }
}
