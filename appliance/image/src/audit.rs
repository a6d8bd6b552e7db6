//! What must not be in the image, looked for in the finished tree.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use crate::fault::{Fault, Result};
use crate::place;

/// Shells, by the names they have in Debian, and programs that are one for whoever knows how.
const SHELLS: [&str; 14] =
    ["sh", "bash", "rbash", "dash", "ash", "ksh", "zsh", "csh", "tcsh", "fish", "busybox", "perl", "python3", "awk"];
/// What systemd runs where units say so.
const EXEC: [&str; 7] =
    ["ExecStart", "ExecStartPre", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost", "ExecCondition"];

/// Everything that is wrong, a line each.
pub fn faults(tree: &Path, wanted_units: &[&str]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for path in place::walk(tree)? {
        let full = tree.join(&path);
        let name = path.rsplit('/').next().unwrap_or(&path);
        let found = fs::symlink_metadata(&full).map_err(Fault::at(&full))?;
        let executable = found.is_symlink() || found.is_file() && found.permissions().mode() & 0o111 != 0;
        if executable && (SHELLS.contains(&name) || name.ends_with(".sh")) {
            faults.push(format!("/{path} is a shell, or for one"));
        }
        if found.is_file() && found.permissions().mode() & 0o6000 != 0 {
            faults.push(format!("/{path} runs as another user than who started it"));
        }
        if found.is_file() && has_private_key(&full)? {
            faults.push(format!("/{path} holds a private key"));
        }
    }
    for path in ["etc/shadow", "etc/gshadow", "etc/ssh"] {
        if tree.join(path).exists() {
            faults.push(format!("/{path} is there"));
        }
    }
    // There, for `/etc` only reads, and empty: each machine has its own.
    if fs::metadata(tree.join("etc/machine-id")).is_ok_and(|found| found.len() > 0) {
        faults.push("/etc/machine-id is not empty".into());
    }
    for unit in wanted_units {
        faults.extend(unit_faults(tree, unit)?);
    }
    Ok(faults)
}

fn has_private_key(path: &Path) -> Result<bool> {
    // Programs and libraries name the marks; a key is a small file.
    const KEY_OCTETS_MAX: u64 = 64 << 10;
    if fs::metadata(path).map_err(Fault::at(path))?.len() > KEY_OCTETS_MAX {
        return Ok(false);
    }
    let octets = fs::read(path).map_err(Fault::at(path))?;
    let begins = octets.windows(11).enumerate().filter(|(_, window)| *window == b"-----BEGIN ");
    Ok(begins.into_iter().any(|(at, _)| {
        let line = octets[at..].split(|octet| *octet == b'\n').next().unwrap_or_default();
        line.ends_with(b"PRIVATE KEY-----")
    }))
}

/// What a unit starts must be there and be no shell. Files beside it that change it count, too.
fn unit_faults(tree: &Path, unit: &str) -> Result<Vec<String>> {
    let folders = ["etc/systemd/system", "usr/lib/systemd/system"].map(|folder| tree.join(folder));
    let Some(file) = folders.iter().map(|folder| folder.join(unit)).find(|path| path.is_file()) else {
        return Ok(vec![format!("{unit}: no such unit")]);
    };
    let mut text = fs::read_to_string(&file).map_err(Fault::at(&file))?;
    for folder in folders.iter().map(|folder| folder.join(format!("{unit}.d"))).filter(|folder| folder.is_dir()) {
        for name in place::names(&folder)? {
            let path = folder.join(name);
            text += &fs::read_to_string(&path).map_err(Fault::at(&path))?;
            text.push('\n');
        }
    }
    let programs = text.lines().filter_map(program).collect::<Vec<_>>();
    Ok(programs.iter().filter_map(|program| program_fault(tree, unit, program)).collect())
}

/// The program of a line `ExecStart=-/usr/bin/x y` (systemd.service(5)).
fn program(line: &str) -> Option<&str> {
    let (key, value) = line.split_once('=')?;
    let program = value.trim_start_matches(['-', '@', ':', '+', '!', '|']).split_whitespace().next()?;
    EXEC.contains(&key.trim()).then_some(program)
}

fn program_fault(tree: &Path, unit: &str, program: &str) -> Option<String> {
    let name = program.rsplit('/').next().unwrap_or(program);
    if SHELLS.contains(&name) {
        return Some(format!("{unit} starts a shell: {program}"));
    }
    let candidates = match program.strip_prefix('/') {
        Some(path) => vec![path.to_owned()],
        None => vec![format!("usr/bin/{program}"), format!("usr/sbin/{program}")],
    };
    let there = candidates.iter().any(|path| inside(tree, Path::new(path), 0).is_some_and(|found| found.is_file()));
    (!there).then(|| format!("{unit} starts {program}, which is not there"))
}

/// A path of the tree with its links followed as they are followed inside.
fn inside(tree: &Path, path: &Path, depth: usize) -> Option<PathBuf> {
    const LINKS_MAX: usize = 40;
    let mut at = PathBuf::new();
    let mut parts = path.components();
    while let Some(part) = parts.next() {
        match part {
            Component::Normal(name) => at.push(name),
            Component::ParentDir => drop(at.pop()),
            _ => continue,
        }
        if let Ok(says) = fs::read_link(tree.join(&at)) {
            if depth > LINKS_MAX {
                return None;
            }
            at.pop();
            let next = if says.is_absolute() { says } else { at.join(says) };
            return inside(tree, &next.join(parts.as_path()), depth + 1);
        }
    }
    Some(tree.join(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("facteur-audit-{name}-{}", std::process::id()));
        place::fresh(&path).expect("a folder")
    }

    fn program_file(tree: &Path, path: &str) {
        place::write(&tree.join(path), b"x").expect("written");
        fs::set_permissions(tree.join(path), fs::Permissions::from_mode(0o755)).expect("ours");
    }

    #[test]
    fn shells_keys_and_hashes_are_found() {
        let tree = tree("found");
        program_file(&tree, "usr/bin/dash");
        program_file(&tree, "usr/bin/fine");
        place::link(&tree.join("usr/bin/sh"), "dash").expect("linked");
        place::write(&tree.join("etc/shadow"), b"root:*:").expect("written");
        place::write(&tree.join("usr/share/key.pem"), b"a\n-----BEGIN EC PRIVATE KEY-----\nabc").expect("written");
        place::write(&tree.join("usr/share/chain.pem"), b"-----BEGIN CERTIFICATE-----\nabc").expect("written");
        let found = faults(&tree, &[]).expect("looked");
        place::remove(&tree).expect("ours");
        assert_eq!(
            found,
            [
                "/usr/bin/dash is a shell, or for one",
                "/usr/bin/sh is a shell, or for one",
                "/usr/share/key.pem holds a private key",
                "/etc/shadow is there",
            ]
        );
    }

    #[test]
    fn what_units_start_is_there_and_no_shell() {
        let tree = tree("units");
        program_file(&tree, "usr/bin/there");
        place::link(&tree.join("bin"), "usr/bin").expect("linked");
        let unit = "[Service]\nExecStartPre=-/bin/there x\nExecStart=!/usr/bin/gone\nExecStop=sh -c true\nExec=/no\n";
        place::write(&tree.join("etc/systemd/system/a.service"), unit.as_bytes()).expect("written");
        let more = tree.join("usr/lib/systemd/system/a.service.d/more.conf");
        place::write(&more, b"[Service]\nExecStartPre=/bin/chown x").expect("written");
        let found = faults(&tree, &["a.service", "b.service"]).expect("looked");
        place::remove(&tree).expect("ours");
        assert_eq!(
            found,
            [
                "a.service starts /usr/bin/gone, which is not there",
                "a.service starts a shell: sh",
                "a.service starts /bin/chown, which is not there",
                "b.service: no such unit",
            ]
        );
    }
}
