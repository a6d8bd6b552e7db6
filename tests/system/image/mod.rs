//! The appliance as a machine: built, started under QEMU, spoken to over its network, powered off, tampered with.

mod building;
mod disks;
mod vm;

use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tests::describe::Person;
use tests::scratch::Scratch;
use tests::smtp::{letter, read_reply};
use tests::wire::{self, Wire};
use tests::{Imap, Outcome, wait};

use crate::mail::{EICAR, inbox_subjects};
use disks::{DataDisk, Systems};
use vm::{BOOT_WITHIN, Parts, Vm};

const SMTP: u16 = 25;
const IMAPS: u16 = 993;
const METRICS: u16 = 9100;

/// The machine as one boot sees it.
struct Booted {
    vm: Vm,
    tls: Arc<ClientConfig>,
}

impl Booted {
    /// Starts it and waits for the banner of SMTP.
    fn start(system: &Path, data: &DataDisk, folder: &Path) -> Booted {
        let vm =
            Vm::start(&Parts { system, data: &data.disk, ports: &[SMTP, IMAPS, METRICS], credentials: &[], folder });
        let booted = Booted { vm, tls: wire::trusting(&data.certificate) };
        wait::until(BOOT_WITHIN, "the machine greets on port 25", || booted.greets().then_some(()));
        booted
    }

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
    let scratch = Scratch::new("image");
    let data = DataDisk::new(&scratch);
    let systems = Systems::build(&scratch, &data.plan);
    let who = &data.person;

    // The newer system of the two starts, takes mail and finds the virus.
    let first = Booted::start(&systems.disk, &data, scratch.path());
    let said = first.vm.serial();
    assert!(said.contains(&format!("Facteur {}", systems.newer)), "{said}");
    // A message that finds no engine is put off, and the metric says so until the engine answers.
    wait::until(BOOT_WITHIN, "the engine of the machine answers", || {
        let page = first.metrics().ok()?;
        let is_up = page.lines().any(|line| line.starts_with("facteur_scanner_up{") && line.ends_with(" 1"));
        let code =
            is_up.then(|| first.deliver(&who.address, &letter("a@client.example", &who.address, "one")))?.ok()?;
        assert!(matches!(code, 250 | 450 | 451), "the reply to a clean message: {code}");
        (code == 250).then_some(())
    });
    let virus = format!("Subject: virus\r\n\r\n{}\r\n", EICAR.concat());
    assert_eq!(first.deliver(&who.address, &virus)?, 250);
    assert_eq!(first.inbox(who)?, ["one"]);
    let page = first.metrics()?;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("\nfacteur_panics_total 0"), "{page}");
    let said = first.vm.power_off();
    assert!(said.contains("reboot: Power down"), "the system did not end in order\n{said}");

    let second = Booted::start(&systems.disk, &data, scratch.path());
    assert_eq!(second.inbox(who)?, ["one"]);
    assert_eq!(second.deliver(&who.address, &letter("a@client.example", &who.address, "two"))?, 250);
    second.vm.power_off();

    // One octet otherwise in each MiB of the newer root: it does not run any more.
    systems.tamper()?;
    let third = Booted::start(&systems.disk, &data, scratch.path());
    let said = third.vm.serial();
    assert!(said.contains(&format!("Facteur {}", systems.older)), "{said}");
    assert_eq!(third.inbox(who)?, ["one", "two"]);
    third.vm.power_off();
    Ok(())
}
