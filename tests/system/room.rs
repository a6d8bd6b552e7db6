//! Mailboxes that fill up, and a device that does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tests::policy_copy::changed;
use tests::scratch::Scratch;
use tests::skip::{Missing, skip};
use tests::smtp::letter;
use tests::{Facteur, Imap, Options, Outcome, Smtp, wait};

/// Warnings are written behind the reply.
const TOLD_WITHIN: Duration = Duration::from_secs(20);

fn large(who: &str, octets: usize) -> String {
    let line = format!("{}\r\n", "x".repeat(70));
    format!("{}{}", letter("a@client.example", who, "large"), line.repeat(octets / line.len()))
}

#[test]
fn the_owner_of_a_filling_mailbox_is_told_once_for_each_level() -> Outcome {
    let scratch = Scratch::new("warned");
    let policy = changed(&scratch, "nantes", &[("quota: Fixed(\"1 GB\")", "quota: Fixed(\"100 kB\")")]);
    let data = scratch.join("data");
    // The proof of the story does not matter here, and lints of the small quota neither.
    let options = || Options { data: Some(data.clone()), arguments: vec!["--unproved".into()], ..Options::default() };
    let server = Facteur::start_with(&policy, options());
    let who = server.describe.person("toto-jp").clone();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let mut imap = Imap::person(&server, "outside", &who)?;
    let warnings = |imap: &mut Imap, percent: u32| -> std::io::Result<usize> {
        imap.command("EXAMINE INBOX")?.ok()?;
        let found = imap.command(&format!("SEARCH SUBJECT \"Mailbox {percent} % full\""))?.ok()?;
        Ok(found
            .lines()
            .iter()
            .map(|line| line.split_whitespace().filter(|word| word.parse::<u32>().is_ok()).count())
            .sum())
    };
    let mut send = |octets: usize| smtp.message("a@client.example", &[&who.address], &large(&who.address, octets));
    send(70_000)?.expect(250)?;
    assert_eq!((warnings(&mut imap, 80)?, warnings(&mut imap, 95)?), (0, 0));
    send(12_000)?.expect(250)?;
    wait::until(TOLD_WITHIN, "the owner hears of 80 %", || (warnings(&mut imap, 80).ok()? == 1).then_some(()));
    send(1_000)?.expect(250)?;
    send(12_000)?.expect(250)?;
    wait::until(TOLD_WITHIN, "the owner hears of 95 %", || (warnings(&mut imap, 95).ok()? == 1).then_some(()));
    assert_eq!(warnings(&mut imap, 80)?, 1, "the lower level was told");
    // A server that starts again tells nobody twice, and a second crossing is told again.
    server.stop();
    let server = Facteur::start_with(&policy, options());
    let who = server.describe.person("toto-jp").clone();
    let mut imap = Imap::person(&server, "outside", &who)?;
    imap.command("SELECT INBOX")?.ok()?;
    imap.command("STORE 1 +FLAGS.SILENT (\\Deleted)")?.ok()?;
    imap.command("EXPUNGE")?.ok()?;
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    smtp.message("a@client.example", &[&who.address], &large(&who.address, 60_000))?.expect(250)?;
    wait::until(TOLD_WITHIN, "the second crossing is told", || (warnings(&mut imap, 80).ok()? == 2).then_some(()));
    assert_eq!(warnings(&mut imap, 95)?, 1);
    let body = imap.command("FETCH 2 (BODY.PEEK[])")?.ok()?;
    let body = String::from_utf8_lossy(&body.untagged[0]).into_owned();
    assert!(body.contains("Auto-Submitted: auto-generated\r\n"), "{body}");
    Ok(())
}

/// A small file system of its own; it is taken away with the value.
struct SmallDisk {
    mounted: PathBuf,
}

impl SmallDisk {
    /// `None` where nothing can be mounted.
    fn mount(scratch: &Scratch, megabytes: u32) -> Option<SmallDisk> {
        let (image, mounted) = (scratch.join("image"), scratch.join("disk"));
        std::fs::create_dir_all(&mounted).ok()?;
        let run = |program: &str, arguments: &[&str]| {
            Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
        };
        let (image, at) = (image.to_str()?, mounted.to_str()?);
        let made = run("truncate", &["-s", &format!("{megabytes}M"), image])
            && run("mkfs.ext4", &["-q", "-F", "-m", "0", image])
            && run("mount", &["-o", "loop", image, at]);
        made.then_some(SmallDisk { mounted })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A server that was killed a moment ago may hold it for another.
        for _ in 0..50 {
            if Command::new("umount").arg(&self.mounted).status().is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        eprintln!("{} stays mounted", self.mounted.display());
    }
}

/// Takes all room there is.
fn fill(disk: &Path) {
    let wrote = Command::new("dd")
        .args(["if=/dev/zero", "bs=1M", "status=none"])
        .arg(format!("of={}", disk.join("filler").display()))
        .status();
    assert!(wrote.is_ok_and(|status| !status.success()), "the disk was not filled");
}

#[test]
fn a_full_disk_is_a_452_and_a_no_until_there_is_room_again() -> Outcome {
    let scratch = Scratch::new("full");
    let Some(disk) = SmallDisk::mount(&scratch, 400) else {
        skip("a full disk", Missing::Program("mount -o loop"));
        return Ok(());
    };
    let data = disk.mounted.join("data");
    let policy = tests::program::top().join("policies/office");
    let server = Facteur::start_with(&policy, Options { data: Some(data.clone()), ..Options::default() });
    let who = server.describe.person("martin-c").clone();
    let mut smtp = Smtp::stranger(&server, "mx", "outside")?;
    let mut imap = Imap::person(&server, "outside", &who)?;
    let message = letter("a@client.example", &who.address, "before");
    smtp.message("a@client.example", &[&who.address], &message)?.expect(250)?;
    fill(&disk.mounted);
    // The room a file has already may take some more.
    let long = large(&who.address, 300_000);
    let refused = wait::until(Duration::from_secs(60), "the disk is full", || {
        let reply = smtp.message("a@client.example", &[&who.address], &long).expect("the server answers");
        (reply.code != 250).then_some(reply)
    });
    assert_eq!(refused.codes(), "452 4.3.1", "{refused:?}");
    let appended = imap.append("INBOX", long.as_bytes())?;
    assert_eq!(appended.status, "NO", "{appended:?}");
    // What is there can be read, and thrown away.
    let before = imap.count("INBOX")?;
    assert!(before >= 1);
    imap.command("SELECT INBOX")?.ok()?;
    imap.command("STORE 1:* +FLAGS.SILENT (\\Deleted)")?.ok()?;
    imap.command("EXPUNGE")?.ok()?;
    assert_eq!(imap.count("INBOX")?, 0);
    // Room comes back; the same server goes on.
    std::fs::remove_file(disk.mounted.join("filler"))?;
    wait::until(Duration::from_secs(60), "the server takes mail again", || {
        let reply = smtp.message("a@client.example", &[&who.address], &message).expect("the server answers");
        (reply.code == 250).then_some(())
    });
    imap.append("INBOX", message.as_bytes())?.ok()?;
    assert_eq!(imap.count("INBOX")?, 2);
    assert_eq!(server.metric("facteur_panics_total"), 0.0);
    server.kill();
    let server = Facteur::start_with(&policy, Options { data: Some(data), ..Options::default() });
    let who = server.describe.person("martin-c").clone();
    assert_eq!(Imap::person(&server, "outside", &who)?.count("INBOX")?, 2);
    server.stop();
    Ok(())
}
