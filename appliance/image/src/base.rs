//! The base tree: Debian's packages, unpacked and configured, and the initrd made inside it. It is kept in a cache, by a name
//! made of what went in.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::description::Description;
use crate::fault::{Fault, Result};
use crate::lock::Lock;
use crate::tool::Tool;
use crate::{cpio, place};

/// Where the machine gets Debian from, and what the packages must be.
pub struct Sources<'a> {
    /// Folder of base trees.
    pub cache: &'a Path,
    /// A mirror of Debian, and one of its security updates; those of this machine's apt where nothing is said.
    pub mirrors: Option<[String; 2]>,
    /// What the versions must be; nothing takes what the mirror has.
    pub lock: Option<&'a Lock>,
}

/// A finished base tree.
pub struct Base {
    pub tree: PathBuf,
    /// As dracut made it, without any shell.
    pub initrd: PathBuf,
    pub lock: Lock,
}

/// The base tree of a description: from the cache, else made.
pub fn base(description: &Description, sources: &Sources<'_>) -> Result<Base> {
    let packages = format!("{:?}\n{:?}\n", description.debian, sources.lock.map(Lock::text));
    let folder = cached(sources.cache, "base", &packages, |folder| {
        let tree = folder.join("tree");
        unpack(description, sources, &tree)?;
        let lock = installed(description, &tree)?;
        as_locked(sources.lock, &lock)?;
        for gone in ["var/lib/apt/lists", "var/cache/apt", "var/log"] {
            place::remove(&tree.join(gone))?;
        }
        place::write(&folder.join("lock"), lock.text().as_bytes())
    })?;
    let tree = folder.join("tree");
    let mut facts = format!("{packages}{:?}\n{}\n", description.initrd, description.epoch);
    for from in description.initrd.files.values() {
        let path = description.folder.join("tree").join(from);
        facts += &std::fs::read_to_string(&path).map_err(Fault::at(&path))?;
    }
    let second = cached(sources.cache, "initrd", &facts, |folder| {
        let zstd = Tool::new("zstd", description.epoch).args(["-19", "-T1", "--quiet", "--stdout"]);
        place::write(&folder.join("initrd.zst"), &zstd.input(initrd(description, &tree)?).run()?)
    })?;
    let lock = Lock::read(&folder.join("lock"))?;
    Ok(Base { tree, initrd: second.join("initrd.zst"), lock })
}

/// A folder of the cache, named after what goes into it; made when it is not there.
fn cached(cache: &Path, kind: &str, facts: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let key = &blake3::hash(facts.as_bytes()).to_hex()[..16];
    let folder = cache.join(format!("{kind}-{key}"));
    // One program makes it, others wait for it: an initrd is made inside the one base tree. Who is killed lets go.
    let lock = cache.join(format!("{kind}-{key}.lock"));
    let held = File::options().write(true).create(true).truncate(false).open(&lock).map_err(Fault::at(&lock))?;
    held.lock().map_err(Fault::at(&lock))?;
    if folder.exists() {
        return Ok(folder);
    }
    // Whoever was interrupted left a folder that is not taken for a finished one.
    let unfinished = place::fresh(&cache.join(format!("unfinished-{kind}-{key}")))?;
    match make(&unfinished) {
        Ok(()) => std::fs::rename(&unfinished, &folder).map_err(Fault::at(&folder)).map(|()| folder),
        Err(fault) => place::remove(&unfinished).and(Err(fault)),
    }
}

fn as_locked(wanted: Option<&Lock>, lock: &Lock) -> Result<()> {
    let moved = wanted.map(|wanted| wanted.moved(lock)).unwrap_or_default();
    if moved.is_empty() {
        return Ok(());
    }
    Err(Fault(format!("Debian is not what the package lock says (--update-lock takes it):\n  {}", moved.join("\n  "))))
}

fn unpack(description: &Description, sources: &Sources<'_>, tree: &Path) -> Result<()> {
    let [debian, security] = match &sources.mirrors {
        Some(mirrors) => mirrors.clone(),
        None => mirrors_of_machine()?,
    };
    let suite = &description.debian.suite;
    let lines =
        format!("deb {debian} {suite} main\ndeb {debian} {suite}-updates main\ndeb {security} {suite}-security main\n");
    let tool = Tool::new("mmdebstrap", description.epoch)
        .args(["--variant=minbase", "--mode=root", "--format=directory", "--quiet"])
        // The lists are read below.
        .args(["--skip=cleanup/apt", "--aptopt=Apt::Install-Recommends \"false\""])
        .arg(format!("--include={}", description.debian.packages.join(",")))
        .arg(suite)
        .arg(tree)
        .arg("-");
    tool.input(lines).run().map(drop)
}

/// The mirrors apt uses here: of Debian, and of its security updates.
fn mirrors_of_machine() -> Result<[String; 2]> {
    let targets = Tool::new("apt-get", 0).args(["indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(SITE)|$(BASE_URI)"]);
    let text = targets.text()?;
    let mirror = |label: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix("Debian|")?.strip_prefix(label)?.strip_prefix('|'));
        let site = line.and_then(|rest| rest.split('|').next()).map(|site| site.trim_end_matches('/').to_owned());
        site.ok_or_else(|| Fault(format!("apt of this machine has no mirror of {label} (--mirror names it)")))
    };
    Ok([mirror("Debian")?, mirror("Debian-Security")?])
}

/// What is installed in a tree, with the digests of its package lists.
fn installed(description: &Description, tree: &Path) -> Result<Lock> {
    let list = Tool::new("chroot", description.epoch)
        .arg(tree)
        .args(["dpkg-query", "-W", "-f", "${binary:Package}=${Version}\n"])
        .text()?;
    let show = Tool::new("chroot", description.epoch).arg(tree).args(["apt-cache", "show", "--no-all-versions"]);
    let lock = Lock::of_records(&show.args(list.lines()).text()?)?;
    if lock.0.len() != list.lines().count() {
        return Err(Fault(format!("{} packages, and records of {}", list.lines().count(), lock.0.len())));
    }
    Ok(lock)
}

/// An initrd of systemd alone: it finds the root by the hash on the command line, and needs no shell.
fn initrd(description: &Description, tree: &Path) -> Result<Vec<u8>> {
    let wanted = &description.initrd;
    let work = place::fresh(&tree.join("tmp/initrd"))?;
    let configuration = format!(
        "hostonly=\"no\"\nreproducible=\"yes\"\nearly_microcode=\"no\"\ndo_strip=\"no\"\nfilesystems=\"erofs\"\n\
         dracutmodules=\"{}\"\nforce_drivers=\"{}\"\ndrivers=\"{}\"\n",
        wanted.dracut_modules.join(" "),
        wanted.load.join(" "),
        [wanted.load.join(" "), wanted.have.join(" ")].join(" "),
    );
    place::fresh(&work.join("none"))?;
    place::write(&work.join("dracut.conf"), configuration.as_bytes())?;
    let mut includes = Vec::new();
    for (index, (to, from)) in wanted.files.iter().enumerate() {
        let copy = format!("include-{index}");
        place::copy(&description.folder.join("tree").join(from), &work.join(&copy))?;
        includes.extend(["--include".to_owned(), format!("/tmp/initrd/{copy}"), format!("/{to}")]);
    }
    let release = kernel_release(tree)?;
    Tool::new("unshare", description.epoch)
        .args(["--mount", "--pid", "--fork"])
        .arg(format!("--mount-proc={}", tree.join("proc").display()))
        .args(["--", "chroot"])
        .arg(tree)
        .args([
            "dracut",
            "--force",
            "--no-compress",
            "--conf",
            "/tmp/initrd/dracut.conf",
            "--confdir",
            "/tmp/initrd/none",
        ])
        .args(["--kver", &release])
        .args(includes)
        .arg("/tmp/initrd/out")
        .run()?;
    let out = work.join("out");
    let archive = std::fs::read(&out).map_err(Fault::at(&out))?;
    place::remove(&work)?;
    cpio::rewritten(&archive, description.epoch, |path| !is_shell(path))
}

/// A shell, or a script for one.
fn is_shell(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "sh" | "bash" | "dash" | "busybox") || name.ends_with(".sh")
}

/// The one kernel of a tree.
pub fn kernel_release(tree: &Path) -> Result<String> {
    let mut names = place::names(&tree.join("usr/lib/modules"))?;
    match (names.pop(), names.is_empty()) {
        (Some(name), true) => Ok(name),
        _ => Err(Fault::new("the base tree has not exactly one kernel")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn several_who_want_the_same_folder_make_it_once_and_a_fault_leaves_nothing() {
        let cache = place::fresh(&std::env::temp_dir().join(format!("facteur-cache-{}", std::process::id()))).unwrap();
        assert!(cached(&cache, "base", "faulty", |_| Err(Fault::new("no mirror"))).is_err());
        let (makers, made) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let make = |folder: &Path| {
            assert_eq!(makers.fetch_add(1, Ordering::SeqCst), 0, "two at once");
            // What somebody else would take away is there until the end.
            for name in 0..100 {
                place::write(&folder.join("work"), b"half")?;
                place::write(&folder.join(format!("part-{name}")), &[name])?;
            }
            made.fetch_add(1, Ordering::SeqCst);
            place::remove(&folder.join("work"))?;
            makers.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let folder = cached(&cache, "base", "facts", make).unwrap();
                    assert_eq!(place::names(&folder).unwrap().len(), 100);
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
        place::remove(&cache).unwrap();
    }
}
