//! How to connect, once everything listens.

use std::path::Path;

use decide::Block;
use server::Running;

use super::certificate;
use super::stage::Stage;

/// Prints doors, people and commands to copy.
pub fn how_to_connect(stage: &Stage, running: &Running, data: &Path) {
    println!("Serving plan {} of {} on loopback.", stage.plan, stage.tables.plan().institution.domain);
    println!(
        "Stand-ins: virus engines know EICAR only; mail for other domains ends in a sink; nothing leaves this machine.\n"
    );
    println!("listeners");
    for (name, address) in &stage.addresses {
        let Some(rules) = stage.tables.plan().listeners.get(name) else { continue };
        println!("  {name:<8} {address:<21} {:?}, TLS {:?}, login {:?}", rules.speaks, rules.tls, rules.auth);
    }
    println!("networks, by the address a client binds to");
    for network in &stage.networks {
        println!("  {:<15} {:<12} seen as {}", network.name, network.source, network.seen_as);
    }
    println!("people");
    for person in stage.people.iter().take(40) {
        println!("  {:<16} {:<22} {} ({})", person.login, person.password, person.address, person.profile);
    }
    if stage.people.len() > 40 {
        println!("  and {} more", stage.people.len() - 40);
    }
    commands(stage, running, data);
}

fn commands(stage: &Stage, running: &Running, data: &Path) {
    let Some(person) = stage.people.first() else { return };
    let source = stage.source().map(|source| source.to_string()).unwrap_or_default();
    println!("\ntry it from another terminal");
    if let Some(mx) = stage.door(|block| matches!(block, Block::Receive(_))) {
        println!(
            "  swaks --server {} --port {} --local-interface {source} --from ami@elsewhere.example --to {}",
            mx.door.address.ip(),
            mx.door.address.port(),
            person.address
        );
    }
    if let Some(subm) = stage.door(|block| matches!(block, Block::Send(_))) {
        let tls = if subm.door.implicit_tls { "--tls-on-connect" } else { "--tls" };
        println!(
            "  swaks --server {} --port {} --local-interface {source} {tls} --auth PLAIN --auth-user {} --auth-password {} --from {} --to friend@elsewhere.example",
            subm.door.address.ip(),
            subm.door.address.port(),
            person.login,
            person.password,
            person.address
        );
    }
    if let Some(imap) = stage.door(|block| matches!(block, Block::Read(_))) {
        let (ip, port) = (imap.door.address.ip(), imap.door.address.port());
        println!("  mutt -f imaps://{}@{ip}:{port}/INBOX      # password {}", person.login, person.password);
        println!("  Thunderbird: incoming IMAP {ip} port {port} SSL/TLS, normal password; accept the certificate");
    }
    println!("  certificate to trust: {}", data.join(certificate::FILE).display());
    if let Some(http) = running.http {
        println!("  browser: http://{http}/metrics and http://{http}/healthz");
    }
    println!("\nCtrl-C ends it.");
}
