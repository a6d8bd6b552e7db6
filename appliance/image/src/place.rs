//! Files and folders, with errors that name them.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::fault::{Fault, Result};

/// An empty folder; what was there is gone.
pub fn fresh(path: &Path) -> Result<PathBuf> {
    remove(path)?;
    fs::create_dir_all(path).map_err(Fault::at(path))?;
    Ok(path.to_path_buf())
}

/// A file with these octets; folders above it are made.
pub fn write(path: &Path, octets: &[u8]) -> Result<()> {
    above(path)?;
    fs::write(path, octets).map_err(Fault::at(path))
}

/// A copy with the mode of the original, in place of whatever is there; folders above it are made.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    above(to)?;
    remove(to)?;
    fs::copy(from, to).map(drop).map_err(Fault::at(from))
}

/// A symbolic link, in place of whatever is there.
pub fn link(at: &Path, says: &str) -> Result<()> {
    above(at)?;
    remove(at)?;
    std::os::unix::fs::symlink(says, at).map_err(Fault::at(at))
}

/// Takes a file, a link or a folder with all in it away; what is not there needs nothing.
pub fn remove(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).map_err(Fault::at(path)),
        Ok(_) => fs::remove_file(path).map_err(Fault::at(path)),
        Err(error) if error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::NotADirectory => Ok(()),
        Err(error) => Err(Fault::at(path)(error)),
    }
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(Fault::at(folder))? {
        let name = entry.map_err(Fault::at(folder))?.file_name();
        names.push(name.into_string().map_err(|name| Fault(format!("{}: {name:?} is no text", folder.display())))?);
    }
    names.sort();
    Ok(names)
}

/// Every path below a folder, relative to it, sorted, folders before what is in them. Links are not followed.
pub fn walk(top: &Path) -> Result<Vec<String>> {
    fn below(top: &Path, prefix: &str, all: &mut Vec<String>) -> Result<()> {
        for name in names(&top.join(prefix))? {
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let found = fs::symlink_metadata(top.join(&path)).map_err(Fault::at(&top.join(&path)))?;
            all.push(path.clone());
            if found.is_dir() {
                below(top, &path, all)?;
            }
        }
        Ok(())
    }
    let mut all = Vec::new();
    below(top, "", &mut all)?;
    Ok(all)
}

/// Whether a path is one a pattern means: `*` stands for anything within one name.
pub fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut names) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), names.next()) {
            (None, None) => return true,
            (Some(pattern), Some(name)) if name_matches(pattern, name) => {}
            _ => return false,
        }
    }
}

fn name_matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

fn above(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) => fs::create_dir_all(folder).map_err(Fault::at(folder)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_within_one_name() {
        for (pattern, path, expected) in [
            ("var/*", "var/log", true),
            ("var/*", "var", false),
            ("var/*", "var/log/x", false),
            ("etc/rc*.d", "etc/rc3.d", true),
            ("etc/rc*.d", "etc/rc3.dx", false),
            ("a*b*c", "abbc", true),
            ("a*b*c", "ac", false),
            ("etc/passwd-", "etc/passwd", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
