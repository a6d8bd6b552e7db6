//! A name server of a test: one signed root zone that holds every name, over UDP and TCP on a port the kernel chose.
//!
//! A zone is text, one record a line: `b.example MX 10 mx.b.example`, `mx.b.example A 127.0.0.1`,
//! `_25._tcp.mx.b.example TLSA 3 1 1 HEX`, `_mta-sts.b.example TXT v=STSv1; id=1`. Three more words make trouble:
//! `plain.example UNSIGNED` is a delegation without DS, `dead.example SERVFAIL` and `forged.example BOGUS` what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hickory_resolver::proto::dnssec::crypto::EcdsaSigningKey;
use hickory_resolver::proto::dnssec::rdata::sig::SigInput;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, NSEC, RRSIG};
use hickory_resolver::proto::dnssec::{Algorithm, DnssecSigner, PublicKey, SigningKey, TBS};
use hickory_resolver::proto::op::{Edns, Message, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, NS, SOA, TLSA, TXT};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType, SerialNumber};

use crate::smtp::base64;

const TTL_S: u32 = 60;
const SIGNED_FOR_S: u32 = 7 * 86_400;

type Rrsets = BTreeMap<(Name, RecordType), Vec<RData>>;

#[derive(Default)]
struct Zone {
    rrsets: Rrsets,
    unsigned: BTreeSet<Name>,
    dead: BTreeSet<Name>,
    bogus: BTreeSet<Name>,
}

struct Shared {
    zone: Mutex<Zone>,
    signer: DnssecSigner,
    asked: Mutex<Vec<String>>,
}

/// The running server; its threads end with the test's process.
pub struct Dns {
    pub address: SocketAddr,
    /// The trust anchor, for a file that `site.ron` names.
    pub anchors: String,
    shared: Arc<Shared>,
}

impl Dns {
    #[track_caller]
    pub fn start(zone: &str) -> Dns {
        Dns::serve(zone, sockets())
    }

    /// At an address of its own, where one is free.
    #[track_caller]
    pub fn start_at(address: &str, zone: &str) -> Dns {
        let udp = UdpSocket::bind(address).expect("the address is free");
        let tcp = TcpListener::bind(address).expect("the address is free");
        Dns::serve(zone, (udp, tcp))
    }

    #[track_caller]
    fn serve(zone: &str, (udp, tcp): (UdpSocket, TcpListener)) -> Dns {
        let pkcs8 = EcdsaSigningKey::generate_pkcs8(Algorithm::ECDSAP256SHA256).expect("a key can be made");
        let key = EcdsaSigningKey::from_pkcs8(&pkcs8, Algorithm::ECDSAP256SHA256).expect("the key is sound");
        let public = key.to_public_key().expect("the key has a public half");
        let anchors = format!(". {TTL_S} IN DNSKEY 257 3 13 {}\n", base64(public.public_bytes()));
        let dnskey = DNSKEY::from_key(&public);
        let signer = DnssecSigner::new(dnskey, Box::new(key), Name::root(), Duration::from_secs(SIGNED_FOR_S.into()));
        let shared = Arc::new(Shared { zone: Mutex::new(parse(zone, &signer)), signer, asked: Mutex::default() });
        let address = udp.local_addr().expect("a bound socket has an address");
        let over_udp = Arc::clone(&shared);
        std::thread::spawn(move || serve_udp(&udp, &over_udp));
        let over_tcp = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in tcp.incoming().flatten() {
                let shared = Arc::clone(&over_tcp);
                // A client that goes away ends its conversation with an error, as it should.
                std::thread::spawn(move || serve_tcp(stream, &shared));
            }
        });
        Dns { address, anchors, shared }
    }

    /// Another zone from now on; what a resolver remembers stays remembered.
    #[track_caller]
    pub fn set(&self, zone: &str) {
        *self.shared.zone.lock().unwrap_or_else(PoisonError::into_inner) = parse(zone, &self.shared.signer);
    }

    /// Questions so far, as `NAME TYPE`.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The same port for both.
fn sockets() -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let udp = UdpSocket::bind("127.0.0.1:0").expect("the kernel has a port");
        let address = udp.local_addr().expect("a bound socket has an address");
        if let Ok(tcp) = TcpListener::bind(address) {
            return (udp, tcp);
        }
    }
    panic!("no port is free for UDP and TCP");
}

fn serve_udp(socket: &UdpSocket, shared: &Shared) {
    let mut buffer = [0; 4_096];
    while let Ok((octets, from)) = socket.recv_from(&mut buffer) {
        if let Some(answer) = shared.answer(&buffer[..octets]) {
            // A client that has gone asks again.
            let _ = socket.send_to(&answer, from);
        }
    }
}

fn serve_tcp(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut question)?;
        let Some(answer) = shared.answer(&question) else { return Ok(()) };
        stream.write_all(&u16::try_from(answer.len()).unwrap_or(0).to_be_bytes())?;
        stream.write_all(&answer)?;
    }
}

#[track_caller]
fn name(text: &str) -> Name {
    Name::from_ascii(format!("{}.", text.trim_end_matches('.'))).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn parse(text: &str, signer: &DnssecSigner) -> Zone {
    let mut zone = Zone::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.splitn(3, ' ');
        let (owner, kind) = (name(words.next().unwrap_or_default()), words.next().unwrap_or_default());
        let rest = words.next().unwrap_or_default();
        let data = match kind {
            "UNSIGNED" => {
                zone.unsigned.insert(owner.clone());
                RData::NS(NS(name("ns.invalid-host.example")))
            }
            "SERVFAIL" => {
                zone.dead.insert(owner);
                continue;
            }
            "BOGUS" => {
                zone.bogus.insert(owner);
                continue;
            }
            "A" => RData::A(A(rest.parse().expect("an IPv4 address"))),
            "AAAA" => RData::AAAA(AAAA(rest.parse().expect("an IPv6 address"))),
            "CNAME" => RData::CNAME(CNAME(name(rest))),
            "TXT" => RData::TXT(TXT::new(vec![rest.to_owned()])),
            "MX" => {
                let (preference, host) = rest.split_once(' ').expect("preference and host");
                RData::MX(MX::new(preference.parse().expect("a number"), name(host)))
            }
            "TLSA" => tlsa(rest),
            other => panic!("a zone of tests has no {other}"),
        };
        zone.rrsets.entry((owner, data.record_type())).or_default().push(data);
    }
    let soa = SOA::new(name("ns.example"), name("hostmaster.example"), 1, 3_600, 600, 86_400, TTL_S);
    zone.rrsets.insert((Name::root(), RecordType::SOA), vec![RData::SOA(soa)]);
    zone.rrsets.insert((Name::root(), RecordType::NS), vec![RData::NS(NS(name("ns.example")))]);
    let dnskey = RData::DNSSEC(DNSSECRData::DNSKEY(signer.to_dnskey()));
    zone.rrsets.insert((Name::root(), RecordType::DNSKEY), vec![dnskey]);
    zone
}

#[track_caller]
fn tlsa(text: &str) -> RData {
    let words: Vec<&str> = text.split(' ').collect();
    let [usage, selector, matching, data] = words.as_slice() else { panic!("TLSA {text}") };
    let number = |word: &str| word.parse::<u8>().expect("a number");
    let octet = |at: usize| u8::from_str_radix(&data[at..at + 2], 16).expect("hexadecimal");
    let data = (0..data.len()).step_by(2).map(octet).collect();
    RData::TLSA(TLSA::new(number(usage).into(), number(selector).into(), number(matching).into(), data))
}

impl Zone {
    /// The unsigned zone a name is in.
    fn unsigned_above(&self, owner: &Name) -> Option<&Name> {
        self.unsigned.iter().find(|apex| apex.zone_of(owner))
    }

    fn types(&self, owner: &Name) -> Vec<RecordType> {
        self.rrsets.keys().filter(|(name, _)| name == owner).map(|(_, kind)| *kind).collect()
    }

    /// Names of the signed zone in canonical order: those under a delegation are not in it.
    fn signed_names(&self) -> Vec<&Name> {
        let inside = |owner: &Name| self.unsigned_above(owner).is_none_or(|apex| apex == owner);
        let mut names: Vec<&Name> = self.rrsets.keys().map(|(name, _)| name).filter(|name| inside(name)).collect();
        names.dedup();
        names
    }

    /// There is such a name, or one under it.
    fn has(&self, owner: &Name) -> bool {
        self.rrsets.keys().any(|(name, _)| owner.zone_of(name))
    }
}

impl Shared {
    fn answer(&self, question: &[u8]) -> Option<Vec<u8>> {
        let asked = Message::from_vec(question).ok()?;
        let query = asked.queries.first()?.clone();
        let line = format!("{} {}", query.name().to_ascii().trim_end_matches('.'), query.query_type());
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        let mut reply = Message::response(asked.metadata.id, OpCode::Query);
        reply.metadata.recursion_desired = asked.metadata.recursion_desired;
        reply.metadata.recursion_available = true;
        reply.add_query(query.clone());
        let zone = self.zone.lock().unwrap_or_else(PoisonError::into_inner);
        self.fill(&zone, &query, &mut reply);
        // For programs that let the name server validate, as Postfix does.
        let owner = query.name().to_lowercase();
        reply.metadata.authentic_data = zone.unsigned_above(&owner).is_none() && !zone.bogus.contains(&owner);
        if asked.edns.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(4_096).set_version(0).set_dnssec_ok(true);
            reply.set_edns(edns);
        }
        reply.to_vec().ok()
    }

    fn fill(&self, zone: &Zone, query: &Query, reply: &mut Message) {
        let (mut owner, kind) = (query.name().to_lowercase(), query.query_type());
        if zone.dead.iter().any(|dead| dead.zone_of(&owner)) {
            reply.metadata.response_code = ResponseCode::ServFail;
            return;
        }
        let delegated = |owner: &Name| {
            let apex = zone.unsigned_above(owner)?;
            (apex != owner || kind != RecordType::DS).then(|| apex.clone())
        };
        for _ in 0..8 {
            let signed = delegated(&owner).is_none();
            if let Some(data) = zone.rrsets.get(&(owner.clone(), kind)) {
                self.rrset(&owner, data, signed, zone.bogus.contains(&owner), &mut reply.answers);
                return;
            }
            let Some(alias) = zone.rrsets.get(&(owner.clone(), RecordType::CNAME)) else { break };
            self.rrset(&owner, alias, signed, false, &mut reply.answers);
            let [RData::CNAME(target)] = alias.as_slice() else { break };
            owner = target.0.to_lowercase();
        }
        let exists = zone.has(&owner);
        if !exists {
            reply.metadata.response_code = ResponseCode::NXDomain;
        }
        let apex = delegated(&owner);
        let soa = &zone.rrsets[&(Name::root(), RecordType::SOA)];
        self.rrset(apex.as_ref().unwrap_or(&Name::root()), soa, apex.is_none(), false, &mut reply.authorities);
        if apex.is_none() {
            let mut proofs = BTreeSet::from([self.covering(zone, &owner)]);
            if !exists {
                let mut encloser = owner.base_name();
                while !zone.has(&encloser) {
                    encloser = encloser.base_name();
                }
                let wildcard = encloser.prepend_label("*").expect("a label fits");
                proofs.insert(self.covering(zone, &wildcard));
            }
            for place in proofs {
                let names = zone.signed_names();
                let (at, next) = (names[place], names[(place + 1) % names.len()]);
                let nsec = RData::DNSSEC(DNSSECRData::NSEC(NSEC::new_cover_self(next.clone(), zone.types(at))));
                self.rrset(at, &[nsec], true, false, &mut reply.authorities);
            }
        }
    }

    /// The place of the name whose NSEC matches or covers `owner`.
    fn covering(&self, zone: &Zone, owner: &Name) -> usize {
        zone.signed_names().iter().rposition(|name| *name <= owner).unwrap_or(0)
    }

    fn rrset(&self, owner: &Name, data: &[RData], signed: bool, forged: bool, out: &mut Vec<Record>) {
        let records: Vec<Record> =
            data.iter().map(|data| Record::from_rdata(owner.clone(), TTL_S, data.clone())).collect();
        out.extend(records.iter().cloned());
        if !signed {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()) as u32;
        let input = SigInput {
            type_covered: data[0].record_type(),
            algorithm: Algorithm::ECDSAP256SHA256,
            num_labels: owner.num_labels(),
            original_ttl: TTL_S,
            sig_expiration: SerialNumber::new(now + SIGNED_FOR_S),
            sig_inception: SerialNumber::new(now - 3_600),
            key_tag: self.signer.calculate_key_tag().expect("the key has a tag"),
            signer_name: Name::root(),
        };
        let signed = TBS::from_input(owner, DNSClass::IN, &input, records.iter()).expect("records can be encoded");
        let mut signature = self.signer.sign(&signed).expect("the key signs");
        if forged {
            signature[7] ^= 1;
        }
        let rrsig = RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(input, signature)));
        out.push(Record::from_rdata(owner.clone(), TTL_S, rrsig));
    }
}
