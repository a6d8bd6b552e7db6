//! The final tree: the base without what only building needs, with the daemon, its plan, our units and files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::description::{Description, User};
use crate::fault::{Fault, Result};
use crate::{place, tool::Tool};

/// What a build puts in beside what the description names.
pub struct Ours<'a> {
    /// The program `facteur`, for Debian's C library or linked statically.
    pub daemon: &'a Path,
    /// The canonical text of the plan that runs until another one is deployed.
    pub plan: &'a str,
    pub plan_hash: &'a str,
    /// CycloneDX.
    pub sbom: &'a str,
    /// Nothing, or the name of a variant: folder `overlays/NAME` beside the description is laid over the tree, too.
    pub overlay: Option<&'a str>,
}

/// Where the plan and the list of parts stand.
pub const PLAN: &str = "usr/share/facteur/factory.plan.ron";
pub const SBOM: &str = "usr/share/facteur/sbom.json";
/// `os-release` of the image, which the kernel image carries as well.
pub const RELEASE: &str = "usr/lib/os-release";

/// Makes the final tree at `tree` from the base tree.
pub fn assemble(description: &Description, base: &Path, ours: &Ours<'_>, tree: &Path) -> Result<()> {
    place::remove(tree)?;
    Tool::new("cp", description.epoch)
        .args(["-a", "--reflink=auto", "--no-target-directory"])
        .arg(base)
        .arg(tree)
        .run()?;
    take_packages_out(description, tree)?;
    take_paths_out(description, tree)?;
    for folder in &description.folders {
        place::fresh(&tree.join(folder))?;
    }
    lay_over(&description.folder.join("tree"), tree)?;
    if let Some(name) = ours.overlay {
        // Updates of it are known by this name.
        if name.is_empty() || !crate::bundle::is_variant(name) {
            return Err(Fault(format!("`{name}` is no name of an overlay")));
        }
        lay_over(&description.folder.join("overlays").join(name), tree)?;
    }
    put_in(description, ours, tree)?;
    users(&description.users, tree)?;
    for (at, says) in &description.links {
        place::link(&tree.join(at), says)?;
    }
    units(description, tree)?;
    modes(tree)
}

/// Files of packages that only building needs. Folders stay: other packages share them.
fn take_packages_out(description: &Description, tree: &Path) -> Result<()> {
    let info = tree.join("var/lib/dpkg/info");
    for package in &description.remove_packages {
        let lists = [format!("{package}.list"), format!("{package}:amd64.list")].map(|name| info.join(name));
        let Some(list) = lists.iter().find(|list| list.is_file()) else {
            return Err(Fault(format!("`{package}` of remove_packages is not in the base tree")));
        };
        let text = fs::read_to_string(list).map_err(Fault::at(list))?;
        for path in text.lines().filter_map(|line| line.strip_prefix('/')).filter(|path| !kept(description, path)) {
            let path = tree.join(path);
            if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_dir()) && real_parent(&path, tree) {
                place::remove(&path)?;
            }
        }
    }
    Ok(())
}

/// Whether a path does not lead out of the tree through a link with an absolute target.
fn real_parent(path: &Path, tree: &Path) -> bool {
    let parent = path.parent().and_then(|parent| parent.canonicalize().ok());
    parent.zip(tree.canonicalize().ok()).is_some_and(|(parent, tree)| parent.starts_with(tree))
}

fn take_paths_out(description: &Description, tree: &Path) -> Result<()> {
    let all = place::walk(tree)?;
    let meant = |path: &str| description.remove.iter().any(|pattern| place::matches(pattern, path));
    let mut inside: Option<String> = None;
    for path in &all {
        let below = inside.as_ref().is_some_and(|top| path.starts_with(top.as_str()));
        if !below && !meant(path) {
            continue;
        }
        if !below {
            inside = Some(format!("{path}/"));
        }
        let full = tree.join(path);
        let is_folder = fs::symlink_metadata(&full).is_ok_and(|found| found.is_dir());
        if !is_folder && !kept(description, path) {
            place::remove(&full)?;
        }
    }
    // Folders that are empty now and were meant; the deepest first.
    for path in all.iter().rev().filter(|path| meant(path) || all_above(path).any(meant)) {
        let full = tree.join(path);
        if full.is_dir() && !full.is_symlink() && place::names(&full)?.is_empty() {
            place::remove(&full)?;
        }
    }
    Ok(())
}

/// The paths of the folders above a path.
fn all_above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(move |(at, _)| &path[..at])
}

fn kept(description: &Description, path: &str) -> bool {
    description.keep.iter().any(|pattern| place::matches(pattern, path))
}

/// Copies every file and link of a folder to the same place below `tree`.
fn lay_over(from: &Path, tree: &Path) -> Result<()> {
    for path in place::walk(from)? {
        let (source, target) = (from.join(&path), tree.join(&path));
        let found = fs::symlink_metadata(&source).map_err(Fault::at(&source))?;
        if found.is_file() {
            place::copy(&source, &target)?;
            fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).map_err(Fault::at(&target))?;
        } else if found.is_symlink() {
            let says = fs::read_link(&source).map_err(Fault::at(&source))?;
            place::link(&target, &says.to_string_lossy())?;
        }
    }
    Ok(())
}

fn put_in(description: &Description, ours: &Ours<'_>, tree: &Path) -> Result<()> {
    let program = tree.join("usr/bin/facteur");
    place::copy(ours.daemon, &program)?;
    Tool::new("strip", description.epoch).arg(&program).run()?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).map_err(Fault::at(&program))?;
    place::write(&tree.join(PLAN), ours.plan.as_bytes())?;
    place::write(&tree.join(SBOM), ours.sbom.as_bytes())?;
    let old = tree.join(RELEASE);
    let debian = fs::read_to_string(&old).map_err(Fault::at(&old))?;
    let base = debian.lines().find_map(|line| line.strip_prefix("DEBIAN_VERSION_FULL=")).unwrap_or("13");
    let variant = ours.overlay.map(|name| format!("VARIANT_ID={name}\n")).unwrap_or_default();
    let release = format!(
        "ID=facteur\nID_LIKE=debian\nNAME=Facteur\nPRETTY_NAME=\"Facteur {0}\"\nVERSION_ID={0}\nIMAGE_ID=facteur\nIMAGE_VERSION={0}\n\
         {variant}FACTEUR_PLAN={1}\nFACTEUR_DEBIAN={base}\n",
        description.version, ours.plan_hash,
    );
    place::write(&old, release.as_bytes())?;
    place::link(&tree.join("etc/os-release"), "../usr/lib/os-release")
}

/// Gives users the numbers of the description, and everybody a password that no input matches.
fn users(wanted: &[User], tree: &Path) -> Result<()> {
    let (passwd, group) = (tree.join("etc/passwd"), tree.join("etc/group"));
    let users = fs::read_to_string(&passwd).map_err(Fault::at(&passwd))?;
    let groups = fs::read_to_string(&group).map_err(Fault::at(&group))?;
    place::write(&passwd, with_users(&users, wanted)?.as_bytes())?;
    place::write(&group, with_groups(&groups, wanted)?.as_bytes())
}

/// `/etc/passwd` with these users (passwd(5)).
fn with_users(text: &str, wanted: &[User]) -> Result<String> {
    let mut lines = others(text, wanted, 2)?;
    for line in &mut lines {
        let mut fields: Vec<&str> = line.split(':').collect();
        if fields.len() != 7 {
            return Err(Fault(format!("/etc/passwd has the line `{line}`")));
        }
        (fields[1], fields[6]) = ("!", "/usr/sbin/nologin");
        *line = fields.join(":");
    }
    lines.extend(wanted.iter().map(|User { name, id, home }| format!("{name}:!:{id}:{id}::{home}:/usr/sbin/nologin")));
    Ok(lines.join("\n") + "\n")
}

/// `/etc/group` with a group for each of these users (group(5)).
fn with_groups(text: &str, wanted: &[User]) -> Result<String> {
    let mut lines = others(text, wanted, 2)?;
    lines.extend(wanted.iter().map(|User { name, id, .. }| format!("{name}:x:{id}:")));
    Ok(lines.join("\n") + "\n")
}

/// The lines of other names; none may have one of the numbers.
fn others(text: &str, wanted: &[User], number_at: usize) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        if wanted.iter().any(|user| Some(&user.name.as_str()) == fields.first()) {
            continue;
        }
        let number = fields.get(number_at).and_then(|number| number.parse().ok());
        if let Some(user) = wanted.iter().find(|user| Some(user.id) == number) {
            return Err(Fault(format!("number {} of `{}` is taken: {line}", user.id, user.name)));
        }
        lines.push(line.to_owned());
    }
    lines.sort();
    Ok(lines)
}

/// Links as `systemctl enable` and `mask` make them. Those that Debian's packages made go: only what is named starts.
fn units(description: &Description, tree: &Path) -> Result<()> {
    let system = tree.join("etc/systemd/system");
    for name in place::names(&system)?.iter().filter(|name| name.ends_with(".wants") || name.ends_with(".requires")) {
        place::remove(&system.join(name))?;
    }
    for (kind, all) in [("wants", &description.wanted), ("requires", &description.required)] {
        for (target, unit) in all.iter().flat_map(|(target, units)| units.iter().map(move |unit| (target, unit))) {
            let path = unit_path(unit, tree)?;
            place::link(&system.join(format!("{target}.{kind}/{unit}")), &path)?;
        }
    }
    for unit in &description.masked {
        place::link(&system.join(unit), "/dev/null")?;
    }
    Ok(())
}

/// Where a unit file stands, as seen from inside.
fn unit_path(unit: &str, tree: &Path) -> Result<String> {
    let places = ["etc/systemd/system", "usr/lib/systemd/system"].map(|folder| format!("{folder}/{unit}"));
    let found = places.into_iter().find(|path| tree.join(path).is_file());
    found.map(|path| format!("/{path}")).ok_or_else(|| Fault(format!("there is no unit `{unit}`")))
}

/// No program runs as another user than who started it, and nobody but root writes.
fn modes(tree: &Path) -> Result<()> {
    for path in place::walk(tree)? {
        let full = tree.join(path);
        let found = fs::symlink_metadata(&full).map_err(Fault::at(&full))?;
        if !found.is_symlink() {
            let mode = found.permissions().mode();
            let clean = (mode & 0o755) | 0o444 | if found.is_dir() { 0o111 } else { 0 };
            fs::set_permissions(&full, fs::Permissions::from_mode(clean)).map_err(Fault::at(&full))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, id: u32) -> User {
        User { name: name.into(), id, home: "/".into() }
    }

    #[test]
    fn users_have_the_numbers_that_are_wanted_and_nobody_a_shell() {
        let text = "root:x:0:0:root:/root:/bin/bash\nclamav:x:989:989::/var/lib/clamav:/bin/false\n";
        let made = with_users(text, &[user("facteur", 900), user("clamav", 901)]).expect("two users");
        assert_eq!(
            made,
            "root:!:0:0:root:/root:/usr/sbin/nologin\nfacteur:!:900:900::/:/usr/sbin/nologin\nclamav:!:901:901::/:/usr/sbin/nologin\n"
        );
        let groups = with_groups("root:x:0:\nclamav:x:989:\n", &[user("clamav", 901)]).expect("one");
        assert_eq!(groups, "root:x:0:\nclamav:x:901:\n");
    }

    #[test]
    fn a_number_that_is_taken_is_a_fault() {
        let fault = with_groups("ssl-cert:x:900:\n", &[user("facteur", 900)]).expect_err("taken");
        assert!(fault.0.contains("`facteur` is taken"), "{fault}");
    }
}
