//! How to connect, once everything listens.

use std::path::Path;

use decide::Block;
use plan::Speaks;
use server::Running;

use super::certificate;
use super::stage::Stage;

/// Prints doors, people and commands to copy.
pub fn how_to_connect(stage: &Stage, running: &Running, data: &Path) {
    say!("Serving plan {} of {} on loopback.", stage.plan, stage.tables.plan().institution.domain);
    say!(
        "Stand-ins: virus engines know EICAR only; mail for other domains ends in a sink; nothing leaves this machine.\n"
    );
    say!("listeners");
    for (name, address) in &stage.addresses {
        let Some(rules) = stage.tables.plan().listeners.get(name) else { continue };
        say!("  {name:<8} {address:<21} {:?}, TLS {:?}, login {:?}", rules.speaks, rules.tls, rules.auth);
    }
    say!("networks, by the address a client binds to");
    for network in &stage.networks {
        say!("  {:<15} {:<12} seen as {}", network.name, network.source, network.seen_as);
    }
    if !running.portal.is_empty() {
        say!("portal, by the network a browser seems to be in; accept the certificate");
        for (network, address) in stage.portal_networks().zip(&running.portal) {
            say!("  {:<15} https://{address}/", network.name);
        }
    }
    say!("people");
    for person in stage.people.iter().take(40) {
        say!("  {:<16} {:<22} {} ({})", person.login, person.password, person.address, person.profile);
    }
    if stage.people.len() > 40 {
        say!("  and {} more", stage.people.len() - 40);
    }
    commands(stage, running, data);
}

fn commands(stage: &Stage, running: &Running, data: &Path) {
    let Some(person) = stage.people.first() else { return };
    let source = stage.source().map(|source| source.to_string()).unwrap_or_default();
    say!("\ntry it from another terminal");
    if let Some(mx) = stage.door(|block, _| matches!(block, Block::Receive(_))) {
        say!(
            "  swaks --server {} --port {} --local-interface {source} --from ami@elsewhere.example --to {}",
            mx.door.address.ip(),
            mx.door.address.port(),
            person.address
        );
    }
    if let Some(subm) = stage.door(|block, _| matches!(block, Block::Send(_))) {
        let tls = if subm.door.implicit_tls { "--tls-on-connect" } else { "--tls" };
        say!(
            "  swaks --server {} --port {} --local-interface {source} {tls} --auth PLAIN --auth-user {} --auth-password {} --from {} --to friend@elsewhere.example",
            subm.door.address.ip(),
            subm.door.address.port(),
            person.login,
            person.password,
            person.address
        );
    }
    if let Some(imap) = stage.door(|_, speaks| speaks == Speaks::Imap) {
        let (ip, port) = (imap.door.address.ip(), imap.door.address.port());
        say!("  mutt -f imaps://{}@{ip}:{port}/INBOX      # password {}", person.login, person.password);
        say!("  Thunderbird: incoming IMAP {ip} port {port} SSL/TLS, normal password; accept the certificate");
    }
    if let Some(pop) = stage.door(|_, speaks| speaks == Speaks::Pop) {
        let (ip, port, person) = (pop.door.address.ip(), pop.door.address.port(), &person.login);
        let scheme = if pop.door.implicit_tls { "pop3s" } else { "pop3" };
        say!("  curl --ssl-reqd --insecure --user {person} {scheme}://{ip}:{port}/");
    }
    say!("  certificate to trust: {}", data.join(certificate::FILE).display());
    if let Some(http) = running.http {
        say!("  browser: http://{http}/metrics and http://{http}/healthz");
    }
    say!("\nCtrl-C ends it.");
}
