//! The disks of the machine: systems in both slots, and data of a house with people.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Description, Layout, Order, Slot, Sources};
use tests::describe::Person;
use tests::scratch::Scratch;
use tests::{Facteur, Options, policy_copy, program};

use crate::mail::EICAR;

/// As `image.ron` has them.
const FACTEUR: u32 = 900;
const CLAMAV: u32 = 901;
const DATA_OCTETS: u64 = 1 << 30;

/// What `/var` is in the machine.
pub struct DataDisk {
    pub disk: PathBuf,
    /// Of the machine.
    pub certificate: PathBuf,
    /// Canonical text of the plan.
    pub plan: String,
    /// Somebody with a mailbox.
    pub person: Person,
}

impl DataDisk {
    /// An office with one engine, whose signatures are the test file alone.
    pub fn new(scratch: &Scratch) -> DataDisk {
        let engine = "scanners: { \"clamav\": (does: Antivirus, at: Clamd(\"unix:/run/clamav/clamd.ctl\"), updates: AtLeast(\"2 / 1 day\")) },\n\
             antivirus: (\n engines: [\"clamav\"], on: [Inbound, Outbound], infected_when: AnyEngine,\n\
             inbound: (infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody), suspect: (keep: Deliver, reply: Accept, tell: Nobody)),\n\
             outbound_from_person: (infected: (keep: Nothing, reply: Refuse, tell: Sender), suspect: (keep: Nothing, reply: Refuse, tell: Sender)),\n\
             outbound_from_machine: (infected: (keep: Quarantine, reply: AcceptSilently, tell: Nobody), suspect: (keep: Quarantine, reply: AcceptSilently, tell: Managers)),\n\
             engine_down: TryLater(for: \"4 h\"),\n),\n    listeners: {";
        let folder = policy_copy::changed(scratch, "office", &[("listeners: {", engine)]);
        let out = scratch.path().display().to_string();
        program::run(Command::new(program::facteur()).arg("compile").arg(&folder).args(["--out", &out])).ends(0);
        let plan = fs::read_to_string(scratch.join("office.plan.ron")).expect("it was compiled");
        let var = scratch.join("var");
        let (ours, signatures) = (var.join("lib/facteur"), var.join("lib/clamav"));
        fs::create_dir_all(&signatures).expect("the scratch folder is ours");
        let server = Facteur::start_with(&folder, Options { data: Some(ours.clone()), ..Options::default() });
        let person = server.describe.person("martin-c").clone();
        server.stop();
        let hex: String = EICAR.concat().bytes().map(|octet| format!("{octet:02x}")).collect();
        fs::write(signatures.join("test.ndb"), format!("Test.Eicar:0:*:{hex}\n")).expect("the scratch folder is ours");
        let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_string()]).expect("a certificate can be made");
        let certificate = scratch.join("chain.pem");
        fs::write(&certificate, key.cert.pem()).expect("the scratch folder is ours");
        fs::copy(&certificate, ours.join("chain.pem")).expect("the scratch folder is ours");
        fs::write(ours.join("key.pem"), key.signing_key.serialize_pem()).expect("the scratch folder is ours");
        fs::write(ours.join("site.ron"), SITE).expect("the scratch folder is ours");
        let disk = scratch.join("data.raw");
        owned(&ours, FACTEUR);
        owned(&signatures, CLAMAV);
        fs::File::create(&disk).and_then(|file| file.set_len(DATA_OCTETS)).expect("the scratch folder is ours");
        let mkfs = program::find("mkfs.ext4").expect("looked for before");
        program::run(Command::new(mkfs).args(["-q", "-L", Layout::DATA_LABEL, "-d"]).arg(&var).arg(&disk)).ends(0);
        fs::remove_dir_all(&var).expect("ours");
        DataDisk { disk, certificate, plan, person }
    }
}

const SITE: &str = "Site(
    data: \"/var/lib/facteur\",
    listeners: {\"mx\": [\"0.0.0.0:25\"], \"subs\": [\"0.0.0.0:465\"], \"imaps\": [\"0.0.0.0:993\"]},
    outbound: Sink,
    metrics: \"0.0.0.0:9100\",
    certificates: {\"default\": File(chain: \"/var/lib/facteur/chain.pem\", key: \"/var/lib/facteur/key.pem\")},
)
";

/// Gives a folder and all in it to a user of the machine. Sockets of a server that ended do not come along.
fn owned(path: &Path, id: u32) {
    let found = fs::symlink_metadata(path).expect("it was made");
    if found.is_dir() {
        for entry in fs::read_dir(path).expect("ours").flatten() {
            owned(&entry.path(), id);
        }
    } else if !found.is_file() {
        fs::remove_file(path).expect("ours");
        return;
    }
    chown(path, Some(id), Some(id)).expect("root may");
}

/// A disk with two systems that differ in their version alone.
pub struct Systems {
    pub disk: PathBuf,
    pub older: String,
    pub newer: String,
    layout: Layout,
}

/// Where base trees are kept from one run to the next.
pub fn cache() -> PathBuf {
    let cache = match std::env::var_os("FACTEUR_IMAGE_CACHE") {
        Some(cache) => PathBuf::from(cache),
        None => program::top().join("target/image-cache"),
    };
    fs::create_dir_all(&cache).unwrap_or_else(|error| panic!("{}: {error}", cache.display()));
    cache
}

/// Our own description, with a version of the test's.
pub fn description(version: &str) -> Description {
    let path = program::top().join("appliance/image/image.ron");
    let mut description = Description::read(&path).unwrap_or_else(|fault| panic!("{fault}"));
    description.version = version.to_owned();
    description
}

impl Systems {
    pub fn build(scratch: &Scratch, plan: &str) -> Systems {
        let (older, newer) = ("0.1.0", "0.1.1");
        let cache = cache();
        let mut built = Vec::new();
        for version in [older, newer] {
            let out = scratch.join(version);
            let order = Order {
                // What Debian has today: the lock is for what is published.
                sources: Sources { cache: &cache, mirrors: None, lock: None },
                daemon: &program::facteur(),
                plan,
                overlay: None,
                out: &out,
            };
            built.push(image::build(&description(version), &order).unwrap_or_else(|fault| panic!("{fault}")));
        }
        let (order_out, disk) = (scratch.join("both"), scratch.join("system.raw"));
        fs::create_dir_all(&order_out).expect("the scratch folder is ours");
        let order = Order {
            sources: Sources { cache: &cache, mirrors: None, lock: None },
            daemon: &program::facteur(),
            plan,
            overlay: None,
            out: &order_out,
        };
        let description = description(older);
        image::with_both(&description, &order, &built[0].system, &built[1].system, &disk)
            .unwrap_or_else(|fault| panic!("{fault}"));
        Systems { disk, older: older.into(), newer: newer.into(), layout: description.layout }
    }

    /// Changes octets all over the root in slot B.
    pub fn tamper(&self) -> std::io::Result<()> {
        const EVERY: u64 = 64 << 10;
        let (root, _) = self.layout.of(Slot::B);
        let mut disk = OpenOptions::new().read(true).write(true).open(&self.disk)?;
        let mut octet = [0];
        for at in (root.at..root.at + root.octets).step_by(EVERY as usize) {
            disk.seek(SeekFrom::Start(at + 17))?;
            disk.read_exact(&mut octet)?;
            disk.seek(SeekFrom::Start(at + 17))?;
            disk.write_all(&[!octet[0]])?;
        }
        disk.sync_all()
    }
}
