//! Power cuts: ext4 on a loop device that writes back nothing by itself (`commit=300`). The child is stopped, its calls
//! end, and the image is copied as it is: what no sync carried there is in the page cache of the mounted system only, and is
//! lost. The work goes on from the copy.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::Folder;
use super::actual::check;
use super::child::Process;
use super::expected::Expected;
use super::random::{Random, is_long, say, seed};
use super::workload::{PEOPLE, Settings};
use super::{Openings, assert_right, disk, skip};

const CUTS: u64 = 3;
const CUTS_LONG: u64 = 30;
/// Rounds within which a store that does not sync must have lost something.
const CONTROL_ROUNDS: u64 = 5;
/// Cuts on one image; then a new one is made.
const CUTS_PER_IMAGE: u64 = 10;
const IMAGE_BYTES: u64 = 512 << 20;
/// What a child says before the power goes, at most.
const RECORDS_MAX: u64 = 700;

/// A mounted image. Unmounted when it goes, also in a panic; the loop device goes with the mount.
struct Mounted {
    at: PathBuf,
}

impl Mounted {
    fn new(image: &Path, at: &Path) -> Result<Mounted, String> {
        std::fs::create_dir_all(at).map_err(|error| error.to_string())?;
        run("mount", &["-t", "ext4", "-o", "loop,commit=300", &text(image), &text(at)])?;
        Ok(Mounted { at: at.to_owned() })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if run("umount", &[&text(&self.at)]).is_err() {
            // Somebody still looks at it: it goes when they do.
            let _ = run("umount", &["--lazy", &text(&self.at)]);
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let ran = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = ran.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}

fn make_image(image: &Path) -> Result<(), String> {
    let _ = std::fs::remove_file(image);
    let file = std::fs::File::create(image).map_err(|error| error.to_string())?;
    file.set_len(IMAGE_BYTES).map_err(|error| error.to_string())?;
    // Nothing may write later what could be written now.
    run("mkfs.ext4", &["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", &text(image)])
}

/// A folder with an image in it, and how many cuts it had.
struct Device {
    folder: Folder,
    image: PathBuf,
    cuts: u64,
}

impl Device {
    fn new() -> Result<Device, String> {
        let folder = Folder::new("power");
        std::fs::create_dir_all(folder.path()).map_err(|error| error.to_string())?;
        let image = folder.path().join("image-0");
        make_image(&image)?;
        Ok(Device { folder, image, cuts: 0 })
    }

    /// Runs the workload until it said `records` records, and cuts the power. The image is what was on the device then.
    fn work(
        &mut self,
        settings: Settings,
        records: usize,
        variables: &[(&str, String)],
    ) -> Vec<super::journal::Record> {
        self.cuts += 1;
        let mounted = Mounted::new(&self.image, &self.folder.path().join("mounted")).unwrap();
        let settings = Settings { folder: mounted.at.join("data"), ..settings };
        let mut worker = Process::start(&settings, variables);
        assert!(worker.listen(records), "the child ended by itself: {:?}", worker.records.last());
        worker.freeze();
        let copy = self.folder.path().join(format!("image-{}", self.cuts));
        run("cp", &["--sparse=always", &text(&self.image), &text(&copy)]).unwrap();
        let said = worker.kill();
        drop(mounted);
        std::fs::remove_file(&self.image).unwrap();
        self.image = copy;
        said
    }

    /// Mounts what is left, opens the store and compares.
    fn check(&self, expected: &mut Expected, openings: &mut Openings) -> Vec<String> {
        let mounted = Mounted::new(&self.image, &self.folder.path().join("after")).unwrap();
        check(&openings.open(&mounted.at.join("data")), expected)
    }
}

/// Why there can be no power cuts here.
fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("mounting needs root".to_owned());
    }
    let device = match Device::new() {
        Ok(device) => device,
        Err(why) => return Some(why),
    };
    Mounted::new(&device.image, &device.folder.path().join("mounted")).err()
}

fn settings(seed: u64, round: u64) -> Settings {
    let folder = PathBuf::new();
    Settings { folder, seed, round, threads: PEOPLE.len() as u64, steps: 0, faulty: false, relief: None }
}

#[test]
fn acknowledged_mail_survives_power_cuts_exactly_once() {
    if let Some(why) = missing() {
        return skip("acknowledged_mail_survives_power_cuts_exactly_once", &format!("no ext4 on loop devices: {why}"));
    }
    let seed = seed("power cut");
    let mut random = Random::from(seed);
    let rounds = if is_long() { CUTS_LONG } else { CUTS };
    let (mut openings, mut acknowledged) = (Openings::default(), 0);
    let mut on = (Device::new().unwrap(), Expected::default());
    for round in 1..=rounds {
        if on.0.cuts == CUTS_PER_IMAGE {
            acknowledged += on.1.acknowledged;
            on = (Device::new().unwrap(), Expected::default());
        }
        let (device, expected) = &mut on;
        // From the fourth record on the folder and its accounts are there.
        let said = device.work(settings(seed, round), 4 + random.below(RECORDS_MAX) as usize, &[]);
        expected.replay(&said);
        let wrong = device.check(expected, &mut openings);
        assert_right(&wrong, &format!("FACTEUR_SEED={seed}, round {round}"));
    }
    acknowledged += on.1.acknowledged;
    openings.say("power cut");
    say(&format!("power cut: {acknowledged} steps acknowledged in {rounds} rounds, none lost, none doubled"));
}

/// The positive control: the same loop must see what a store without syncs loses.
#[test]
fn a_store_that_does_not_sync_loses_mail_in_a_power_cut() {
    if let Some(why) = missing() {
        return skip(
            "a_store_that_does_not_sync_loses_mail_in_a_power_cut",
            &format!("no ext4 on loop devices: {why}"),
        );
    }
    let layer = disk::Layer::build();
    // All syncs, those of metadata, those of bodies: each is needed.
    for unsynced in ["", "meta-", "segments/"] {
        let round = (1..=CONTROL_ROUNDS).find(|round| loses(&layer, unsynced, *round));
        let Some(round) = round else {
            panic!("{CONTROL_ROUNDS} power cuts without syncs of `{unsynced}*` lost nothing: this test sees no loss");
        };
        say(&format!("power cut: without syncs of `{unsynced}*` mail was lost in round {round}"));
    }
}

fn loses(layer: &disk::Layer, unsynced: &str, round: u64) -> bool {
    let mut device = Device::new().unwrap();
    // The layer looks at a folder that is there when it is loaded.
    let mounted = Mounted::new(&device.image, &device.folder.path().join("mounted")).unwrap();
    let folder = mounted.at.join("data");
    std::fs::create_dir_all(&folder).unwrap();
    drop(mounted);
    let variables = layer.variables(&folder, &[("FAULTS_NO_SYNC", unsynced.to_owned())]);
    let mut expected = Expected::default();
    expected.replay(&device.work(settings(round, round), 400, &variables));
    let mounted = Mounted::new(&device.image, &device.folder.path().join("after")).unwrap();
    match crate::Store::open(mounted.at.join("data"), crate::Options::default()) {
        Ok(store) => !check(&store, &mut expected).is_empty(),
        Err(_) => true,
    }
}
