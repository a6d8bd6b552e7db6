use std::collections::BTreeMap;
use std::io::Cursor;

use super::choice::{EntryName, choice};
use super::simulated::Simulated;
use super::*;
use crate::bundle::tests::{Made, STORE, key, made, of_parts};
use crate::bundle::{Header, Reader, SigningKey, StoreFormats, Trusted};
use crate::layout::Layout;

const ROOT_SECTORS: u64 = 3_000;
const VERITY_SECTORS: u64 = 80;

/// A machine that runs 1.0 in slot A, confirmed, with nothing in slot B; and what is known of versions.
struct World {
    machine: Simulated,
    known: BTreeMap<String, Made>,
    running: Made,
    trusted: Trusted,
    signing: Vec<SigningKey>,
}

impl World {
    fn new() -> World {
        let running = made("1.0", 1_300_000, &[]);
        let mut machine = Simulated::new((ROOT_SECTORS + VERITY_SECTORS) as usize * 2 * 512 + 200 * 512);
        let slots = [("root-A", ROOT_SECTORS), ("verity-A", VERITY_SECTORS)];
        let others = [("root-B", ROOT_SECTORS), ("verity-B", VERITY_SECTORS)];
        let partitions = [&[("esp", 20)][..], &slots, &others].concat();
        let mut table = gpt::made_of(&mut machine.disk, &partitions);
        let identities = Layout::identities(&running.header.root_hash).unwrap();
        let found = table.partitions();
        assert!(table.identify(&found[1], &identities.0) && table.identify(&found[2], &identities.1));
        table.write(&mut machine).unwrap();
        let file = |machine: &mut Simulated, at: u64, octets: &[u8]| machine.write(at, octets).unwrap();
        file(&mut machine, found[1].at, &running.root);
        file(&mut machine, found[2].at, &running.verity);
        machine.files.insert(name(&running, 3), running.kernel.clone());
        machine.keep();
        machine.changes = 0;
        let (signing, public) = key("anne");
        let known = BTreeMap::from([(running.header.root_hash.clone(), running.clone())]);
        World { machine, known, running, trusted: Trusted { needed: 1, keys: vec![public] }, signing: vec![signing] }
    }

    /// An update this world's key signed.
    fn update(&mut self, version: &str) -> Made {
        let update = made(version, 1_300_000, &self.signing);
        self.known.insert(update.header.root_hash.clone(), update.clone());
        update
    }

    /// This machine with another version, confirmed, in slot B.
    fn with_fallback(&self, former: &Made) -> Simulated {
        let mut machine = self.machine.clone();
        let mut table = Table::read(&machine).unwrap();
        let partitions = table.partitions();
        let identities = Layout::identities(&former.header.root_hash).unwrap();
        assert!(table.identify(&partitions[3], &identities.0) && table.identify(&partitions[4], &identities.1));
        table.write(&mut machine).unwrap();
        machine.write(partitions[3].at, &former.root).unwrap();
        machine.write(partitions[4].at, &former.verity).unwrap();
        machine.files.insert(name(former, 3), former.kernel.clone());
        machine.keep();
        machine.changes = 0;
        machine
    }

    /// The same with another header.
    fn altered(&self, update: &Made, change: impl FnOnce(&mut Header)) -> Made {
        let mut header = update.header.clone();
        change(&mut header);
        of_parts(header, update.root.clone(), update.verity.clone(), update.kernel.clone(), &self.signing)
    }

    fn apply(&self, machine: &mut Simulated, update: &Made, running: &Made) -> Result<Applied, SlotError> {
        let running = Running { root_hash: &running.header.root_hash, plan_format: Some(1), store: STORE };
        let mut reader = Reader::open(Cursor::new(&update.octets))?;
        apply(machine, &mut reader, &self.trusted, &running, &mut |_, _| ())
    }

    /// Starts the machine until something runs: the loader's choice, the slot by its identities, every octet of it.
    fn boot(&self, machine: &mut Simulated) -> Option<String> {
        for _ in 0..8 {
            let entry = choice(machine.files.keys().map(String::as_str))?;
            let image = machine.files.remove(&entry.to_string())?;
            machine.files.insert(entry.tried().to_string(), image.clone());
            let hash = kernel::root_hash(&image).unwrap_or_default();
            if let Some(version) = self.known.get(&hash).filter(|known| known.kernel == image)
                && is_whole(machine, version)
            {
                return Some(version.header.version.clone());
            }
            if entry.counter.is_none_or(|counter| counter.left == 0) {
                return None;
            }
        }
        None
    }
}

fn name(made: &Made, tries: u32) -> String {
    Layout::kernel_name(&made.header.version, &made.header.root_hash, tries)
}

/// Does a kernel find this version on the disk, and no octet of it changed?
fn is_whole(machine: &Simulated, version: &Made) -> bool {
    let Ok(table) = Table::read(machine) else { return false };
    let identities = Layout::identities(&version.header.root_hash).unwrap();
    let whole = |identity: &str, content: &[u8]| {
        let partitions = table.partitions();
        let mut found = partitions.iter().filter(|it| it.identity == identity);
        let (Some(partition), None) = (found.next(), found.next()) else { return false };
        machine.disk[partition.at as usize..].starts_with(content)
    };
    whole(&identities.0, &version.root) && whole(&identities.1, &version.verity)
}

#[test]
fn an_update_is_started_next_and_confirmed() {
    let mut world = World::new();
    let update = world.update("1.1");
    let mut machine = world.machine.clone();
    let applied = world.apply(&mut machine, &update, &world.running).unwrap();
    assert_eq!((applied.slot, applied.entry.to_string()), (Slot::B, name(&update, 3)));
    assert_eq!(applied.signed_by, ["anne"]);
    assert_eq!(world.boot(&mut machine).as_deref(), Some("1.1"));
    let hash = &update.header.root_hash;
    let standing = look(&machine, hash).unwrap();
    assert!(!standing.running.is_confirmed() && standing.other.is_confirmed());
    assert_eq!(confirm(&mut machine, hash).unwrap().to_string(), name(&update, 3));
    assert_eq!(confirm(&mut machine, hash).unwrap().to_string(), name(&update, 3), "twice is once");
    assert!(look(&machine, hash).unwrap().running.is_confirmed());
    // The next one goes where the first was.
    let next = world.update("1.2");
    assert_eq!(world.apply(&mut machine, &next, &update).unwrap().slot, Slot::A);
    assert_eq!(world.boot(&mut machine).as_deref(), Some("1.2"));
    assert_eq!(machine.files.len(), 2);
}

#[test]
fn one_that_never_becomes_healthy_is_tried_three_times() {
    let mut world = World::new();
    let update = world.update("1.1");
    let mut machine = world.machine.clone();
    world.apply(&mut machine, &update, &world.running).unwrap();
    let boots: Vec<_> = (0..5).map(|_| world.boot(&mut machine).unwrap()).collect();
    assert_eq!(boots, ["1.1", "1.1", "1.1", "1.0", "1.0"]);
    assert!(!look(&machine, &world.running.header.root_hash).unwrap().other.can_start());
    assert!(look(&machine, &update.header.root_hash).unwrap().other.can_start());
    confirm(&mut machine, &world.running.header.root_hash).unwrap();
    let again = world.apply(&mut machine, &update, &world.running);
    let there = Refusal::There { slot: Slot::B, runs: false };
    assert!(matches!(again, Err(SlotError::Refused(why)) if why == there));
    // A later one takes its place.
    let next = world.update("1.2");
    world.apply(&mut machine, &next, &world.running).unwrap();
    assert_eq!(world.boot(&mut machine).as_deref(), Some("1.2"));
}

#[test]
fn who_rolls_back_starts_the_other_slot_and_can_return_only_by_update() {
    let mut world = World::new();
    let mut machine = world.machine.clone();
    let hash = world.running.header.root_hash.clone();
    assert!(matches!(roll_back(&mut machine, &hash), Err(SlotError::NothingToGoBackTo)));
    let update = world.update("1.1");
    world.apply(&mut machine, &update, &world.running).unwrap();
    assert_eq!(world.boot(&mut machine).as_deref(), Some("1.1"));
    let to = roll_back(&mut machine, &update.header.root_hash).unwrap();
    assert_eq!(to.version(), Some("1.0"));
    assert_eq!(world.boot(&mut machine).as_deref(), Some("1.0"));
    assert!(matches!(roll_back(&mut machine, &hash), Err(SlotError::NothingToGoBackTo)));
}

/// The power goes after each change and each flush, and of what was not flushed some is kept, all, or none.
#[test]
fn a_power_cut_at_any_moment_leaves_something_that_starts_and_the_update_can_be_tried_again() {
    let mut world = World::new();
    let update = world.update("1.1");
    // Slot B has a former version, so that there is something to take away.
    let former = world.update("0.9");
    let machine = world.with_fallback(&former);
    let whole = {
        let mut machine = machine.clone();
        world.apply(&mut machine, &update, &world.running).unwrap();
        machine.changes
    };
    assert!(whole > 15, "{whole} changes");
    let mut began = BTreeMap::new();
    for after in 0..whole {
        let mut cut = machine.clone();
        cut.cut_after = Some(after);
        assert!(world.apply(&mut cut, &update, &world.running).is_err(), "cut after {after}");
        for mut found in cut.after_a_cut() {
            assert!(is_whole(&found, &world.running), "cut after {after}: the running slot is touched");
            let version = world.boot(&mut found).unwrap_or_else(|| panic!("cut after {after}: nothing starts"));
            *began.entry(version.clone()).or_insert(0) += 1;
            let expected = if version == "1.1" { &update } else { &world.running };
            assert_eq!(version, expected.header.version, "cut after {after}");
            confirm(&mut found, &expected.header.root_hash).unwrap();
            if version == "1.0" {
                world.apply(&mut found, &update, &world.running).unwrap_or_else(|error| {
                    panic!("cut after {after}: the update cannot be tried again: {error}");
                });
                assert_eq!(world.boot(&mut found).as_deref(), Some("1.1"), "cut after {after}");
            }
        }
    }
    assert!(began["1.0"] > 20 && began["1.1"] >= 1, "{began:?}");
}

#[test]
fn what_does_not_suit_is_refused_before_anything_is_written() {
    let mut world = World::new();
    let update = world.update("1.1");
    let older = world.update("0.9");
    let store = |change: fn(&mut StoreFormats)| {
        let mut store = STORE;
        change(&mut store);
        store
    };
    let with_store = |world: &World, store: StoreFormats| world.altered(&update, |header| header.store = store);
    let newer = store(|store| store.writes = 7);
    let same = world.altered(&world.running.clone(), |header| header.version = "1.1".into());
    let refused = [
        (older, Refusal::NotNewer { version: "0.9".into(), running: "1.0".into() }),
        (same, Refusal::There { slot: Slot::A, runs: true }),
        (
            with_store(&world, StoreFormats { served_by: 7, ..newer }),
            Refusal::Floor { writes: 7, served_by: 7, running: 6 },
        ),
        (
            with_store(&world, StoreFormats { writes: 8, served_by: 6, leads_from: 7 }),
            Refusal::CannotLead { from: 7, to: 8, running: 6 },
        ),
        (
            with_store(&world, StoreFormats { writes: 5, served_by: 5, leads_from: 2 }),
            Refusal::CannotLead { from: 2, to: 5, running: 6 },
        ),
        (
            world.altered(&update, |header| header.variant = "staging".into()),
            Refusal::Variant { variant: "staging".into(), running: String::new() },
        ),
        (world.altered(&update, |header| header.plan = (2, 3)), Refusal::Plan { from: 2, to: 3, running: 1 }),
        (
            world.altered(&update, |header| header.verity.octets = VERITY_SECTORS * 512 + 1),
            Refusal::TooLarge {
                partition: "verity-B".into(),
                octets: VERITY_SECTORS * 512 + 1,
                room: VERITY_SECTORS * 512,
            },
        ),
    ];
    for (update, expected) in refused {
        let mut machine = world.machine.clone();
        match world.apply(&mut machine, &update, &world.running) {
            Err(SlotError::Refused(why)) => assert_eq!(why, expected),
            other => panic!("{expected}: {other:?}"),
        }
        assert_eq!(machine.changes, 0, "{expected}");
    }
    let floor = world.apply(&mut world.machine.clone(), &with_store(&world, newer), &world.running);
    assert!(floor.is_ok(), "what an older version serves is taken: {floor:?}");
    let mut machine = world.machine.clone();
    let unsigned = made("1.1", 1_000, &[]);
    assert!(matches!(world.apply(&mut machine, &unsigned, &world.running), Err(SlotError::Bundle(_))));
    let kernel = machine.files.remove(&name(&world.running, 3)).unwrap();
    let trying = EntryName::parse(&name(&world.running, 3)).unwrap().tried();
    machine.files.insert(trying.to_string(), kernel);
    let unconfirmed = world.apply(&mut machine, &update, &world.running);
    assert!(matches!(unconfirmed, Err(SlotError::Refused(Refusal::Unconfirmed))));
    assert_eq!(machine.changes, 0);
}

/// The other slot is what the machine would fall back to.
#[test]
fn a_bundle_that_is_not_whole_or_does_not_fit_costs_no_fallback() {
    let mut world = World::new();
    let (update, former) = (world.update("1.1"), world.update("0.9"));
    let before = world.with_fallback(&former);
    let whole = update.octets.len();
    let parts = update.root.len() + update.verity.len() + update.kernel.len();
    let with_octets = |octets: Vec<u8>| Made { octets, ..update.clone() };
    let flipped = |at: usize| {
        let mut octets = update.octets.clone();
        octets[at] ^= 1;
        with_octets(octets)
    };
    let mut bad = vec![with_octets([&update.octets[..], b"x"].concat())];
    let begin = whole - parts;
    let ends = [begin, begin + update.root.len(), whole - update.kernel.len(), whole - 1];
    bad.extend(ends.map(|end| with_octets(update.octets[..end].to_vec())));
    bad.extend([begin, begin + update.root.len(), whole - update.kernel.len(), whole - 1].map(flipped));
    bad.push(world.altered(&update, |header| header.root.octets -= 1));
    bad.push(world.altered(&update, |header| header.root.octets += 1));
    bad.push(world.altered(&update, |header| header.verity.octets += 1));
    bad.push(world.altered(&update, |header| header.kernel.octets -= 1));
    bad.push(world.altered(&update, |header| header.kernel.octets = crate::bundle::KERNEL_OCTETS_MAX));
    bad.push(world.altered(&update, |header| header.version = "1.2".into()));
    for (index, bad) in bad.iter().enumerate() {
        let mut machine = before.clone();
        let refused = world.apply(&mut machine, bad, &world.running).expect_err("it is refused");
        assert_eq!(machine.changes, 0, "{index}: {refused}");
        assert!(machine.disk == before.disk && machine.files == before.files, "{index}: {refused}");
    }
    let mut full = world.machine.clone();
    full.files_octets_max = (world.running.kernel.len() + update.kernel.len()) as u64 - 1;
    match world.apply(&mut full, &update, &world.running) {
        Err(SlotError::Refused(Refusal::TooLarge { partition, .. })) => assert_eq!(partition, "esp"),
        other => panic!("{other:?}"),
    }
    assert_eq!(full.changes, 0);
    // The kernel image that goes makes the room.
    let mut full = before.clone();
    full.files_octets_max = (world.running.kernel.len() + former.kernel.len()) as u64;
    world.apply(&mut full, &update, &world.running).unwrap();
    assert_eq!(world.boot(&mut full).as_deref(), Some("1.1"));
}

#[test]
fn what_arrives_damaged_or_is_kept_wrongly_is_never_started() {
    let mut world = World::new();
    let update = world.update("1.1");
    let mut broken = update.clone();
    let last = broken.octets.len() - 1;
    broken.octets[last] ^= 1;
    let with_kernel = |release: &str, root_hash: &str| {
        let command_line = format!("roothash={root_hash}");
        let kernel = kernel::made_of(&[(".osrel", release.as_bytes()), (".cmdline", command_line.as_bytes())]);
        let mut header = update.header.clone();
        header.kernel.octets = kernel.len() as u64;
        header.kernel.blake3 = blake3::hash(&kernel).to_hex().to_string();
        of_parts(header, update.root.clone(), update.verity.clone(), kernel, &world.signing)
    };
    let other_kernel = with_kernel("IMAGE_VERSION=1.1", "00");
    let other_variant = with_kernel("IMAGE_VERSION=1.1\nVARIANT_ID=staging", &update.header.root_hash);
    let worn_at = Table::read(&world.machine).unwrap().partitions()[3].at as usize + 1_234_567;
    let all = [(&broken, None), (&other_kernel, None), (&other_variant, None), (&update, Some(worn_at))];
    for (update, worn) in all {
        let mut machine = world.machine.clone();
        machine.worn_octet = worn;
        let error = world.apply(&mut machine, update, &world.running).unwrap_err();
        let expected = match worn {
            Some(_) => matches!(error, SlotError::ReadBack("root")),
            None => matches!(error, SlotError::Bundle(_) | SlotError::Kernel("root hash" | "variant")),
        };
        assert!(expected, "{error}");
        assert_eq!(world.boot(&mut machine).as_deref(), Some("1.0"), "{error}");
    }
}

/// A folder that goes with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("facteur-slots-{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join(Layout::KERNELS)).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_real_file_and_a_real_folder_are_such_a_machine() {
    let mut world = World::new();
    let update = world.update("1.1");
    let folder = Folder::new("apply");
    let (disk, kernels) = (folder.0.join("disk"), folder.0.join(Layout::KERNELS));
    std::fs::write(&disk, &world.machine.disk).unwrap();
    std::fs::write(kernels.join(name(&world.running, 3)), &world.running.kernel).unwrap();
    std::fs::write(kernels.join("facteur_1.1_00000000+3.efi.part"), "left over").unwrap();
    let mut machine = Disk::open(&disk, &kernels).unwrap();
    let running = Running { root_hash: &world.running.header.root_hash, plan_format: None, store: STORE };
    let mut reader = Reader::open(Cursor::new(&update.octets)).unwrap();
    let mut told = Vec::new();
    apply(&mut machine, &mut reader, &world.trusted, &running, &mut |done, all| told.push((done, all))).unwrap();
    let all = (update.root.len() + update.verity.len() + update.kernel.len()) as u64;
    assert!(told.windows(2).all(|pair| pair[0].0 <= pair[1].0) && told.last() == Some(&(all, all)), "{told:?}");
    assert_eq!(machine.files().unwrap(), [name(&world.running, 3), name(&update, 3)]);
    // As the machine in memory has it.
    let mut same = Simulated::new(0);
    same.disk = std::fs::read(&disk).unwrap();
    assert!(is_whole(&same, &update) && is_whole(&same, &world.running));
    assert_eq!(roll_back(&mut machine, running.root_hash).unwrap().to_string(), name(&update, 3));
    assert!(machine.read_file("../disk").is_err());
}

/// What `facteur image build` leaves: a disk, and the kernel image of its slot A.
#[test]
fn a_bundle_is_made_of_a_disk_and_is_as_long_as_its_hash_tree_says() {
    let (root, salt, top) = (vec![7; 2 * 4096], [9; 32], vec![5; 4096]);
    let mut verity = vec![0; 4096];
    for (at, octets) in [
        (0, &b"verity\0\0"[..]),
        (8, &1u32.to_le_bytes()),
        (12, &1u32.to_le_bytes()),
        (32, b"sha256"),
        (64, &4096u32.to_le_bytes()),
        (68, &4096u32.to_le_bytes()),
        (72, &2u64.to_le_bytes()),
        (80, &32u16.to_le_bytes()),
        (88, &salt),
    ] {
        verity[at..at + octets.len()].copy_from_slice(octets);
    }
    verity.extend_from_slice(&top);
    let digest = ring::digest::digest(&ring::digest::SHA256, &[&salt[..], &top].concat());
    let root_hash: String = digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
    let kernel = kernel::made_of(&[
        (".osrel", b"IMAGE_VERSION=2.0\n"),
        (".cmdline", format!("roothash={root_hash}").as_bytes()),
    ]);
    let mut machine = Simulated::new(300 * 512);
    let partitions = [("esp", 20), ("root-A", 40), ("verity-A", 40), ("root-B", 40), ("verity-B", 40)];
    let mut table = gpt::made_of(&mut machine.disk, &partitions);
    let (identities, found) = (Layout::identities(&root_hash).unwrap(), table.partitions());
    assert!(table.identify(&found[1], &identities.0) && table.identify(&found[2], &identities.1));
    table.write(&mut machine).unwrap();
    machine.write(found[1].at, &root).unwrap();
    machine.write(found[2].at, &verity).unwrap();
    let folder = Folder::new("pack");
    let disk = folder.0.join("facteur.raw");
    std::fs::write(&disk, &machine.disk).unwrap();
    let content = crate::bundle::content_of_disk(&disk, kernel.clone()).unwrap();
    let (signing, public) = key("anne");
    let mut octets = Vec::new();
    let header = crate::bundle::pack(&content, (1, 1), STORE, &[signing], &mut octets).unwrap();
    assert_eq!((header.version.as_str(), header.root.octets, header.verity.octets), ("2.0", 8192, 8192));
    let mut reader = Reader::open(octets.as_slice()).unwrap();
    assert_eq!(reader.judge(&Trusted { needed: 1, keys: vec![public] }).unwrap(), ["anne"]);
    crate::bundle::read_through(&mut reader).unwrap();
    // A disk whose hash tree is another one is packed by nobody.
    let mut broken = machine.disk.clone();
    broken[found[2].at as usize + 4096] ^= 1;
    std::fs::write(&disk, &broken).unwrap();
    let refused = crate::bundle::content_of_disk(&disk, kernel).err().expect("it is refused").to_string();
    assert!(refused.contains("another root hash"), "{refused}");
}
