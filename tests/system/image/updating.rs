//! Updates written at the screen of the machine: a good one is confirmed, a broken one gives way. Long.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use image::Built;
use tests::describe::Person;
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Outcome, program, wait};

use super::disks::{BROKEN, Recipe, SIGNATURES, Systems, cidata};
use super::vm::{self, BOOT_WITHIN};
use super::{Booted, Machine};

/// A hundred MiB are verified, written and read back, emulated.
const WRITTEN_WITHIN: Duration = Duration::from_secs(600);
/// Three starts that end, and a fourth.
const FALLEN_BACK_WITHIN: Duration = Duration::from_secs(1_800);

/// The versions of this test.
const FIRST: &str = "0.1.0";
const GOOD: &str = "0.1.1";
const BAD: &str = "0.1.2";

fn key(scratch: &Scratch) -> PathBuf {
    program::run(Command::new(program::facteur()).args(["key", "new", "anne", "--out"]).arg(scratch.path())).ends(0);
    scratch.join("anne.key")
}

/// The disk with a signed update of what was built.
fn update(scratch: &Scratch, built: &Built, key: &Path) -> PathBuf {
    let folder = built.disk.parent().expect("it lies in a folder");
    let bundle = folder.join("bundle");
    let mut pack = Command::new(program::facteur());
    pack.args(["update", "pack"]).arg(folder).arg("--sign").arg(key).arg("-o").arg(&bundle);
    program::run(&mut pack).ends(0);
    cidata(scratch, &format!("update-{}.raw", built.system.version), &bundle)
}

/// Kernel images on the ESP of a disk, as the loader sees them.
fn kernels(system: &Path) -> Vec<String> {
    // Its first MiB is the partition table.
    let place = format!("{}@@1M", system.display());
    let ran = program::run(Command::new("mdir").args(["-b", "-i", &place, "::/EFI/Linux"]));
    ran.out
        .lines()
        .filter_map(|line| line.rsplit('/').next())
        .filter(|it| it.ends_with(".efi"))
        .map(Into::into)
        .collect()
}

fn stands(system: &Path, version: &str, tries: &str) -> bool {
    let (begins, ends) = (format!("facteur_{version}_"), format!("{tries}.efi"));
    kernels(system).iter().any(|name| name.starts_with(&begins) && name.ends_with(&ends))
}

/// Writes the update and starts again, as somebody does who stands before it.
fn update_at_the_screen(booted: &Booted, system: &Path, version: &str) -> std::io::Result<()> {
    for line in ["3", "1", "yes"] {
        booted.vm.types(line)?;
    }
    wait::until(WRITTEN_WITHIN, "the update is written", || stands(system, version, "+3").then_some(()));
    for line in ["8", "yes"] {
        booted.vm.types(line)?;
    }
    Ok(())
}

/// The version that was started last, by what the machine says of itself.
fn started(booted: &Booted) -> Option<&'static str> {
    let said = booted.vm.serial();
    let last = |version: &&str| said.rfind(&format!("Facteur {version}"));
    [FIRST, GOOD, BAD].into_iter().filter(|version| last(version).is_some()).max_by_key(|version| last(version))
}

fn is_long(test: &str) -> bool {
    std::env::var_os("FACTEUR_LONG").is_some() && vm::found(test)
}

fn send(booted: &Booted, who: &Person, subject: &str) -> std::io::Result<u16> {
    booted.deliver(&who.address, &letter("a@client.example", &who.address, subject))
}

#[test]
fn an_update_written_at_the_screen_is_confirmed_and_mail_stays() -> Outcome {
    if !is_long("an_update_written_at_the_screen") {
        return Ok(());
    }
    let mut machine = Machine::new("update");
    let key = key(&machine.scratch);
    machine.house.give(&machine.scratch, "keys", &fs::read_to_string(key.with_extension("pub"))?);
    let recipe = Recipe::new(&machine.scratch);
    let [first, good] =
        [FIRST, GOOD].map(|version| recipe.build(&machine.scratch, &machine.house.plan, version, SIGNATURES));
    let good = update(&machine.scratch, &good, &key);
    let (system, who) = (&first.disk, &machine.house.person);

    let booted = machine.start(system, Some(&good));
    wait::until(BOOT_WITHIN, "the first version greets", || booted.greets().then_some(()));
    wait::until(BOOT_WITHIN, "it is confirmed", || stands(system, FIRST, "+3").then_some(()));
    assert_eq!(send(&booted, who, "one")?, 250);
    update_at_the_screen(&booted, system, GOOD)?;
    wait::until(BOOT_WITHIN, "the update starts", || (started(&booted) == Some(GOOD)).then_some(()));
    wait::until(BOOT_WITHIN, "the update greets", || booted.greets().then_some(()));
    wait::until(BOOT_WITHIN, "it is confirmed", || stands(system, GOOD, "+3").then_some(()));
    assert_eq!(booted.inbox(who)?, ["one"]);
    assert_eq!(send(&booted, who, "two")?, 250);
    booted.vm.power_off();
    Ok(())
}

/// The disk is as an update leaves it.
#[test]
fn a_broken_update_gives_way_before_it_takes_mail() -> Outcome {
    if !is_long("a_broken_update_gives_way") {
        return Ok(());
    }
    let machine = Machine::new("broken");
    let systems = Systems::build(&machine.scratch, &machine.house.plan, [(GOOD, SIGNATURES), (BAD, BROKEN)]);
    let who = &machine.house.person;
    let booted = machine.start(&systems.disk, None);
    wait::until(BOOT_WITHIN, "the broken one starts", || (started(&booted) == Some(BAD)).then_some(()));
    wait::until(FALLEN_BACK_WITHIN, "the version before greets", || {
        let before = started(&booted);
        let greets = booted.greets();
        assert!(!greets || before != Some(BAD) || started(&booted) != Some(BAD), "the broken one takes mail");
        (greets && before == Some(GOOD)).then_some(())
    });
    assert!(stands(&systems.disk, BAD, "+0-3"), "{:?}", kernels(&systems.disk));
    assert!(booted.vm.serial().contains("scanners  NOT OK"), "{}", booted.vm.serial());
    assert_eq!(send(&booted, who, "one")?, 250);
    assert_eq!(booted.inbox(who)?, ["one"]);
    booted.vm.power_off();
    Ok(())
}
