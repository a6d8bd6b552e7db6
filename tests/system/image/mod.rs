//! The appliance as a machine: built, started under QEMU, spoken to over its network, powered off, tampered with.

mod building;
mod disks;
mod power_cuts;
mod secure_boot;
mod trust;
mod updating;
mod vm;

use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tests::describe::Person;
use tests::scratch::Scratch;
use tests::smtp::{letter, read_reply};
use tests::wire::{self, Wire};
use tests::{Imap, Outcome, wait};

use crate::mail::{EICAR, inbox_subjects};
use disks::{House, Systems};
use vm::{BOOT_WITHIN, Parts, Vm};

const SMTP: u16 = 25;
const IMAPS: u16 = 993;
const METRICS: u16 = 9100;

/// The machine as one boot sees it.
struct Booted {
    vm: Vm,
    tls: Arc<ClientConfig>,
}

/// What stays the same from one boot to the next.
struct Machine {
    house: House,
    data: PathBuf,
    /// In the certificate that the machine showed first.
    tls: Arc<ClientConfig>,
    is_secure: bool,
    scratch: Scratch,
}

impl Machine {
    fn new(name: &str) -> Machine {
        let scratch = Scratch::new(name);
        let house = House::new(&scratch);
        Machine { house, data: disks::blank(&scratch), tls: trust::at_first_sight(), is_secure: false, scratch }
    }

    /// Starts it and waits for the banner of SMTP.
    fn boot(&self, system: &Path) -> Booted {
        let booted = self.start(system, None);
        wait::until(BOOT_WITHIN, "the machine greets on port 25", || booted.greets().then_some(()));
        booted
    }

    fn start(&self, system: &Path, more: Option<&Path>) -> Booted {
        let credentials = self.house.credentials();
        let vm = Vm::start(&Parts {
            system,
            data: &self.data,
            more,
            is_secure: self.is_secure,
            ports: &[SMTP, IMAPS, METRICS],
            credentials: &credentials,
            folder: self.scratch.path(),
        });
        Booted { vm, tls: Arc::clone(&self.tls) }
    }
}

impl Booted {
    /// QEMU takes a connection before anybody listens inside, so that only octets count.
    fn greets(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.vm.at(SMTP)) else { return false };
        let mut octets = [0; 4];
        stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
            && stream.read_exact(&mut octets).is_ok()
            && octets == *b"220 "
    }

    /// Delivers a message from a stranger; the reply's code.
    fn deliver(&self, to: &str, message: &str) -> std::io::Result<u16> {
        let mut wire = Wire::plain(wire::connect(self.vm.at(SMTP), Ipv4Addr::LOCALHOST)?);
        read_reply(&mut wire)?.expect(220)?;
        for (line, code) in [
            ("EHLO client.example", 250),
            ("MAIL FROM:<a@client.example>", 250),
            (&format!("RCPT TO:<{to}>"), 250),
            ("DATA", 354),
        ] {
            wire.send(format!("{line}\r\n").as_bytes())?;
            read_reply(&mut wire)?.expect(code)?;
        }
        wire.send(message.as_bytes())?;
        wire.send(b".\r\n")?;
        Ok(read_reply(&mut wire)?.code)
    }

    fn inbox(&self, who: &Person) -> std::io::Result<Vec<String>> {
        let wire = Wire::plain(wire::connect(self.vm.at(IMAPS), Ipv4Addr::LOCALHOST)?).tls(&self.tls)?;
        let mut imap = Imap::over(wire)?;
        imap.command(&format!("LOGIN {} {}", who.login, who.password))?.ok()?;
        inbox_subjects(&mut imap)
    }

    fn metrics(&self) -> std::io::Result<String> {
        use std::io::Write;
        let mut stream = wire::connect(self.vm.at(METRICS), Ipv4Addr::LOCALHOST)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: appliance\r\nConnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        Ok(page)
    }
}

#[test]
fn mail_survives_a_power_off_and_a_tampered_system_gives_way_to_the_other() -> Outcome {
    if !vm::found("mail_survives_a_power_off") {
        return Ok(());
    }
    let machine = Machine::new("image");
    let wanted = ["0.1.0", "0.1.1"].map(|version| (version, disks::SIGNATURES));
    let systems = Systems::build(&machine.scratch, &machine.house.plan, wanted);
    let who = &machine.house.person;

    // The newer system of the two starts, formats the blank disk, takes what it was given, finds itself healthy, takes mail.
    let first = machine.boot(&systems.disk);
    let said = first.vm.serial();
    for line in [&format!("Facteur {}", systems.newer), "formatted, label appliance-data", "imported: people, secret"] {
        assert!(said.contains(line), "no `{line}`\n{said}");
    }
    assert_eq!(first.deliver(&who.address, &letter("a@client.example", &who.address, "one"))?, 250);
    let virus = format!("Subject: virus\r\n\r\n{}\r\n", EICAR.concat());
    assert_eq!(first.deliver(&who.address, &virus)?, 250);
    assert_eq!(first.inbox(who)?, ["one"]);
    let page = first.metrics()?;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("\nfacteur_panics_total 0"), "{page}");
    let said = first.vm.power_off();
    assert!(said.contains("reboot: Power down"), "the system did not end in order\n{said}");

    let second = machine.boot(&systems.disk);
    assert_eq!(second.inbox(who)?, ["one"]);
    assert_eq!(second.deliver(&who.address, &letter("a@client.example", &who.address, "two"))?, 250);
    second.vm.power_off();

    // One octet otherwise in each MiB of the newer root: it does not run any more.
    systems.tamper()?;
    let third = machine.boot(&systems.disk);
    let said = third.vm.serial();
    assert!(said.contains(&format!("Facteur {}", systems.older)), "{said}");
    assert_eq!(third.inbox(who)?, ["one", "two"]);
    third.vm.power_off();
    Ok(())
}
