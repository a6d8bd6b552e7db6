//! Versions that were found healthy on this machine, by their root hash: the boot loader counts tries down at each start, so that its
//! names do not tell a version that is new from one that was good yesterday.

use std::path::Path;

use crate::commands::update::MachineArgs;

/// A root hash a line, the newest first. In a folder of root's: the server must not choose what root writes over.
const FILE: &str = "healthy.roots";
/// Two slots hold no more; the rest is for whoever went back.
const KEPT: usize = 8;
/// Largest file that is read.
const OCTETS_MAX: usize = 4_096;

/// Was the version that runs found healthy before? Where nobody can say, it was not.
pub fn was_good(folder: &Path, machine: &MachineArgs) -> bool {
    machine.root_hash().is_ok_and(|hash| read(folder).contains(&hash))
}

/// Remembers the version that runs. Mail works: what goes wrong here is only said.
pub fn note(folder: &Path, machine: &MachineArgs) {
    let noted = machine.root_hash().map_err(|error| error.to_string()).and_then(|hash| write(folder, &hash));
    if let Err(why) = noted {
        eprintln!("facteur: that this version is good could not be noted: {why}");
    }
}

fn read(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(FILE)).unwrap_or_default();
    if text.len() > OCTETS_MAX { Vec::new() } else { text.lines().map(str::to_owned).collect() }
}

fn write(folder: &Path, hash: &str) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let mut all = read(folder);
    if all.first().is_some_and(|first| first == hash) {
        return Ok(());
    }
    all.retain(|it| it != hash);
    all.insert(0, hash.to_owned());
    all.truncate(KEPT);
    let text: String = all.iter().map(|it| format!("{it}\n")).collect();
    crate::files::write_whole(&folder.join(FILE), &text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_and_one_that_comes_again_once() {
        let folder = std::env::temp_dir().join(format!("facteur-good-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        assert!(read(&folder).is_empty());
        for number in [1, 2, 1, 3, 4, 5, 6, 7, 8, 9] {
            write(&folder, &format!("{number}")).unwrap();
        }
        assert_eq!(read(&folder), ["9", "8", "7", "6", "5", "4", "3", "1"]);
        std::fs::write(folder.join(FILE), "x".repeat(OCTETS_MAX + 1)).unwrap();
        assert!(read(&folder).is_empty(), "what is none of ours names nobody");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
