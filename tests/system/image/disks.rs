//! The disks of the machine: systems in both slots, a blank one for data, and what a first boot is given.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Built, Description, Layout, Order, SecureBoot, Slot, Sources};
use tests::describe::Person;
use tests::scratch::Scratch;
use tests::{policy_copy, program};

use crate::mail::EICAR;

/// Sparse.
const DATA_OCTETS: u64 = 2 << 30;
/// What the image is made with in tests: the real one, and signatures that know the test file alone. The machine reaches no network.
pub const SIGNATURES: &str = "signatures";
/// The same, with an engine that is not where the plan looks for it.
pub const BROKEN: &str = "broken";

/// A house, and the machine's credentials for it.
pub struct House {
    /// Canonical text of the plan.
    pub plan: String,
    /// Somebody with a mailbox.
    pub person: Person,
    /// Names of credentials, and the files with what they say.
    credentials: Vec<(String, PathBuf)>,
}

impl House {
    /// An office with one engine.
    pub fn new(scratch: &Scratch) -> House {
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
        let person = Person {
            login: "martin-c".into(),
            address: "Claire.Martin@cabinet-martin.example".into(),
            password: "trois-petits-chats-7".into(),
            profile: String::new(),
        };
        let mut house = House { plan, person, credentials: Vec::new() };
        let people = fs::read_to_string(folder.join("people.ron")).expect("the office has people");
        let password = house.person.password.clone();
        for (name, text) in [("site", SITE), ("people", &people), ("secret.password.martin-c", &password)] {
            house.give(scratch, name, text);
        }
        house
    }

    /// One credential more: `facteur.NAME`.
    pub fn give(&mut self, scratch: &Scratch, name: &str, text: &str) {
        let path = scratch.join(&format!("credential-{name}"));
        fs::write(&path, text).expect("the scratch folder is ours");
        self.credentials.push((format!("facteur.{name}"), path));
    }

    pub fn credentials(&self) -> Vec<(&str, &Path)> {
        self.credentials.iter().map(|(name, path)| (name.as_str(), path.as_path())).collect()
    }
}

const SITE: &str = "Site(
    data: \"/var/lib/facteur\",
    listeners: {\"mx\": [\"0.0.0.0:25\"], \"subs\": [\"0.0.0.0:465\"], \"imaps\": [\"0.0.0.0:993\"]},
    outbound: Sink,
    metrics: \"0.0.0.0:9100\",
    secrets: Sealed,
)
";

/// Three starts end with this.
const SOON: &str = "[Service]\nExecStart=\nExecStart=/usr/bin/facteur health --site /var/lib/facteur/site.ron --confirm-boot --within 60\n";

/// A disk of zeros.
pub fn blank(scratch: &Scratch) -> PathBuf {
    let disk = scratch.join("data.raw");
    fs::File::create(&disk).and_then(|file| file.set_len(DATA_OCTETS)).expect("the scratch folder is ours");
    disk
}

/// A disk labelled `cidata` with one file.
pub fn cidata(scratch: &Scratch, name: &str, file: &Path) -> PathBuf {
    let (folder, disk) = (scratch.join(&format!("{name}.files")), scratch.join(name));
    fs::create_dir_all(&folder).expect("the scratch folder is ours");
    fs::rename(file, folder.join("facteur.update")).expect("the scratch folder is ours");
    fs::File::create(&disk).and_then(|disk| disk.set_len(512 << 20)).expect("the scratch folder is ours");
    let mkfs = program::find("mkfs.ext4").expect("looked for before");
    program::run(Command::new(mkfs).args(["-q", "-L", "cidata", "-d"]).arg(&folder).arg(&disk)).ends(0);
    disk
}

/// A copy of our own description with the overlays of tests.
pub struct Recipe {
    folder: PathBuf,
}

impl Recipe {
    pub fn new(scratch: &Scratch) -> Recipe {
        let folder = scratch.join("recipe");
        let ours = program::top().join("appliance/image");
        fs::create_dir_all(folder.join("overlays")).expect("the scratch folder is ours");
        fs::copy(ours.join("image.ron"), folder.join("image.ron")).expect("the scratch folder is ours");
        program::run(Command::new("cp").arg("-a").arg(ours.join("tree")).arg(&folder)).ends(0);
        let hex: String = EICAR.concat().bytes().map(|octet| format!("{octet:02x}")).collect();
        let signatures = format!("Test.Eicar:0:*:{hex}\n");
        let copied = "C /var/lib/clamav/test.ndb 0644 clamav clamav - /usr/share/facteur/test.ndb\n";
        let clamd = fs::read_to_string(ours.join("tree/etc/clamav/clamd.conf")).expect("it is in the tree");
        for overlay in [SIGNATURES, BROKEN] {
            let put = |path: &str, text: &str| {
                let path = folder.join("overlays").join(overlay).join(path);
                fs::create_dir_all(path.parent().expect("it has a folder")).expect("the scratch folder is ours");
                fs::write(path, text).expect("the scratch folder is ours");
            };
            put("usr/share/facteur/test.ndb", &signatures);
            put("usr/lib/tmpfiles.d/test-signatures.conf", copied);
            if overlay == BROKEN {
                put("etc/clamav/clamd.conf", &clamd.replace("/run/clamav/clamd.ctl", "/run/clamav/elsewhere.ctl"));
                put("etc/systemd/system/facteur-health.service.d/soon.conf", SOON);
            }
        }
        Recipe { folder }
    }

    fn description(&self, version: &str) -> Description {
        description_of(&self.folder.join("image.ron"), version)
    }

    /// Builds a version into a folder of its name.
    pub fn build(&self, scratch: &Scratch, plan: &str, version: &str, overlay: &str) -> Built {
        self.build_signed(scratch, plan, (version, overlay), None)
    }

    pub fn build_signed(
        &self,
        scratch: &Scratch,
        plan: &str,
        (version, overlay): (&str, &str),
        secure_boot: Option<SecureBoot<'_>>,
    ) -> Built {
        let (cache, out) = (cache(), scratch.join(version));
        let order = Order {
            // What Debian has today: the lock is for what is published.
            sources: Sources { cache: &cache, mirrors: None, lock: None },
            daemon: &program::facteur(),
            plan,
            overlay: Some(overlay),
            secure_boot,
            out: &out,
        };
        image::build(&self.description(version), &order).unwrap_or_else(|fault| panic!("{fault}"))
    }
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
    description_of(&program::top().join("appliance/image/image.ron"), version)
}

fn description_of(path: &Path, version: &str) -> Description {
    let mut description = Description::read(path).unwrap_or_else(|fault| panic!("{fault}"));
    description.version = version.to_owned();
    description
}

impl Systems {
    /// Each a version and the overlay it is built with; the older one first.
    pub fn build(scratch: &Scratch, plan: &str, wanted: [(&str, &str); 2]) -> Systems {
        let [older, newer] = wanted.map(|(version, _)| version);
        let (recipe, cache) = (Recipe::new(scratch), cache());
        let built = wanted.map(|(version, overlay)| recipe.build(scratch, plan, version, overlay));
        let (order_out, disk) = (scratch.join("both"), scratch.join("system.raw"));
        fs::create_dir_all(&order_out).expect("the scratch folder is ours");
        let order = Order {
            sources: Sources { cache: &cache, mirrors: None, lock: None },
            daemon: &program::facteur(),
            plan,
            overlay: None,
            secure_boot: None,
            out: &order_out,
        };
        let description = recipe.description(older);
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
