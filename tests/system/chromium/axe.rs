//! Every page by axe-core, on a telephone and on a desk, in both languages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::facteur::Options;
use tests::program;
use tests::skip::{Missing, skip};
use tests::{Facteur, Outcome};

use super::{can_drive, drive};

const AXE: &str = "axe-core@4.14.1";
/// SHA-512 of its archive.
const AXE_SHA_512: &str = "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5";

/// The script of axe-core, fetched once into the target folder.
fn axe() -> Option<PathBuf> {
    let folder = program::top().join("target/tmp/axe-core");
    let script = folder.join("package/axe.min.js");
    if !script.is_file() {
        fetch(&folder)?;
    }
    Some(script)
}

/// Unpacks beside its place and renames: a run that is broken off leaves nothing half.
fn fetch(folder: &Path) -> Option<()> {
    let npm = program::find("npm")?;
    let beside = folder.with_extension(format!("{}", std::process::id()));
    fs::create_dir_all(&beside).ok()?;
    let packed = Command::new(npm).args(["pack", "--silent", AXE]).current_dir(&beside).output().ok()?;
    let archive = beside.join("axe-core-4.14.1.tgz");
    if !packed.status.success() || !archive.is_file() {
        eprintln!("npm pack {AXE}: {}", String::from_utf8_lossy(&packed.stderr));
        return None;
    }
    let octets = fs::read(&archive).ok()?;
    let digest = ring::digest::digest(&ring::digest::SHA512, &octets);
    let digest: String = digest.as_ref().iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(digest, AXE_SHA_512, "{AXE} is not what it was");
    program::run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&beside)).ends(0);
    // Another test may have been faster.
    let _ = fs::rename(&beside, folder);
    Some(())
}

#[test]
fn axe_finds_nothing_on_any_page_and_each_fits_a_telephone() -> Outcome {
    let test = "axe_finds_nothing";
    if !can_drive(test) {
        return Ok(());
    }
    let Some(axe) = axe() else {
        skip(test, Missing::Package(AXE));
        return Ok(());
    };
    let screens = program::top().join("target/tmp/portal-screens");
    fs::create_dir_all(&screens)?;
    let options = Options { people: 50, ..Options::default() };
    let server = Facteur::start_with(&program::top().join("policies/nantes"), options);
    let ran = drive("walk.py", &server, &[&axe.to_string_lossy(), &screens.to_string_lossy()]);
    assert!(ran.out.lines().filter(|line| line.starts_with("0 violations")).count() >= 40, "{}", ran.out);
    Ok(())
}
