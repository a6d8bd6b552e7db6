//! What `check` says a stranger could do, read from its output and typed against a server running that plan.

use std::net::SocketAddr;

use tests::wire::{self, Wire};
use tests::{Facteur, smtp};

/// A dialogue as E0501 prints it.
#[derive(Debug, PartialEq, Eq)]
pub struct Counterexample {
    pub client: String,
    pub host: String,
    pub port: u16,
    /// Command and the code it is said to get.
    pub commands: Vec<(String, u16)>,
}

/// The first dialogue in what `check` printed.
pub fn read(said: &str) -> Option<Counterexample> {
    let mut lines = said.lines().skip_while(|line| !line.contains("connect "));
    let (_, connect) = lines.next()?.split_once("connect ")?;
    let (client, rest) = connect.split_once(" → ").or_else(|| connect.split_once(" -> "))?;
    let (host, port) = rest.split(',').next()?.rsplit_once(':')?;
    let mut commands = Vec::new();
    for line in lines {
        let line = line.trim().trim_start_matches(['|', '=']).trim();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(at) = words.iter().rposition(|word| word.len() == 3 && word.parse::<u16>().is_ok()) else { break };
        let code = words[at].parse().ok()?;
        commands.push((words[..at].join(" "), code));
    }
    Some(Counterexample { client: client.into(), host: host.into(), port: port.trim().parse().ok()?, commands })
}

/// Types the dialogue; each command must get the code the compiler predicted.
pub fn type_against(server: &Facteur, it: &Counterexample) -> Result<(), Box<dyn std::error::Error>> {
    let network = server.describe.networks.values().find(|network| network.seen_as == it.client);
    let network = network.ok_or_else(|| format!("no network is seen as {}", it.client))?;
    let listener = server.describe.listeners.values().find(|listener| listener.host == it.host);
    let to: SocketAddr = listener.ok_or_else(|| format!("no listener is {}", it.host))?.addr;
    let mut wire = Wire::plain(wire::connect(to, network.source)?);
    let mut codes = vec![smtp::read_reply(&mut wire)?.code];
    wire.send(b"EHLO stranger.example\r\n")?;
    codes.push(smtp::read_reply(&mut wire)?.code);
    assert_eq!(codes, [220, 250]);
    for (command, code) in &it.commands {
        wire.send(format!("{command}\r\n").as_bytes())?;
        let reply = smtp::read_reply(&mut wire)?;
        assert_eq!(reply.code, *code, "`{command}` was predicted to get {code}: {reply:?}");
    }
    Ok(())
}

#[test]
fn the_dialogue_of_the_description_is_read() {
    let said = "error[E0501]: open relay\n   = a stranger can do this (24 of 4 800 cases):\n\
        \x20      connect 198.18.4.7 → mx.univ-nantes.fr:25, no TLS, no login\n       MAIL FROM:<>                    250\n\
        \x20      RCPT TO:<someone@elsewhere.example>  250   ← must be refused\n   = help: write `to: OurAddresses`\n";
    let expected = Counterexample {
        client: "198.18.4.7".into(),
        host: "mx.univ-nantes.fr".into(),
        port: 25,
        commands: vec![("MAIL FROM:<>".into(), 250), ("RCPT TO:<someone@elsewhere.example>".into(), 250)],
    };
    assert_eq!(read(said), Some(expected));
}
