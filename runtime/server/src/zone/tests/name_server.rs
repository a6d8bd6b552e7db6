//! A name server of one process: answers over UDP from records it is given, as far as `Data` goes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::zone::{Data, Kind};

type Records = BTreeMap<(String, u16), Vec<Data>>;

pub struct NameServer {
    pub address: SocketAddr,
    records: Arc<Mutex<Records>>,
    task: JoinHandle<()>,
}

impl NameServer {
    pub async fn start() -> NameServer {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let records = Arc::new(Mutex::new(Records::new()));
        let answering = records.clone();
        let task = tokio::spawn(async move {
            let mut question = vec![0; 4_096];
            while let Ok((octets, from)) = socket.recv_from(&mut question).await {
                let answer = answer(&question[..octets], &answering.lock().unwrap());
                let _ = socket.send_to(&answer, from).await;
            }
        });
        NameServer { address, records, task }
    }

    pub fn add(&self, name: &str, data: Data) {
        let mut records = self.records.lock().unwrap();
        records.entry((name.to_ascii_lowercase(), number(data.kind()))).or_default().push(data);
    }

    pub fn remove(&self, name: &str, kind: Kind) {
        self.records.lock().unwrap().remove(&(name.to_ascii_lowercase(), number(kind)));
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn number(kind: Kind) -> u16 {
    match kind {
        Kind::A => 1,
        Kind::Ptr => 12,
        Kind::Mx => 15,
        Kind::Txt => 16,
        Kind::Aaaa => 28,
        Kind::Srv => 33,
        Kind::Tlsa => 52,
    }
}

/// RFC 1035 4.1: the header, the question, the answers with a pointer to the name in the question.
fn answer(question: &[u8], records: &Records) -> Vec<u8> {
    let (mut at, mut labels) = (12, Vec::new());
    while question[at] != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..at + 1 + length]).to_ascii_lowercase());
        at += 1 + length;
    }
    let asked = u16::from_be_bytes([question[at + 1], question[at + 2]]);
    let name = labels.join(".");
    let found = records.get(&(name.clone(), asked)).map(Vec::as_slice).unwrap_or_default();
    let known = records.keys().any(|(known, _)| *known == name);
    let code = if known { 0 } else { 3 };
    let mut answer = vec![question[0], question[1], 0x85, 0x80 | code, 0, 1, 0, found.len() as u8, 0, 0, 0, 0];
    answer.extend_from_slice(&question[12..at + 5]);
    for data in found {
        let octets = rdata(data);
        answer.extend_from_slice(&[0xc0, 12]);
        answer.extend_from_slice(&asked.to_be_bytes());
        answer.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
        answer.extend_from_slice(&(octets.len() as u16).to_be_bytes());
        answer.extend_from_slice(&octets);
    }
    answer
}

fn rdata(data: &Data) -> Vec<u8> {
    let host = |name: &str| -> Vec<u8> {
        let labels = name.split('.').filter(|label| !label.is_empty());
        let octets = labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat());
        octets.chain([0]).collect()
    };
    match data {
        Data::A(v4) => v4.octets().to_vec(),
        Data::Aaaa(v6) => v6.octets().to_vec(),
        Data::Mx { preference, host: name } => [&preference.to_be_bytes(), host(name).as_slice()].concat(),
        Data::Txt(text) => text.as_bytes().chunks(255).flat_map(|one| [&[one.len() as u8], one].concat()).collect(),
        Data::Tlsa { usage, selector, matching, octets } => {
            [&[*usage, *selector, *matching], octets.as_slice()].concat()
        }
        Data::Srv { priority, weight, port, target } => {
            let numbers = [priority, weight, port].map(|number| number.to_be_bytes());
            [numbers.concat(), host(target)].concat()
        }
        Data::Ptr(name) => host(name),
    }
}
