//! The published vectors of mail authentication through our own functions, with a name server of ours on loopback that
//! answers what they say. Where we differ is written in `authenticate-differences.txt`, with the reason.

mod signed;
mod spf;
mod suffixes;
#[path = "../../../../../tests/src/zone.rs"]
mod zone;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::resolver::{Patience, Resolver};
use zone::{NameServer, Zone};

/// So many of a hundred vectors may differ.
const DIFFERENT_PERCENT_MAX: usize = 3;
/// Each suite, and how many vectors it has.
const SUITES: [(&str, usize); 10] = [
    ("arc-validation-tests", 92),
    ("chasquid-dkim", 12),
    ("dkimpy-tests", 9),
    ("mail-auth-dkim", 4),
    ("mail-auth-spf", 96),
    ("psl-test_psl", 78),
    ("psl-tests", 78),
    ("spamassassin-dkim", 9),
    ("spf-rfc4408-tests", 91),
    ("spf-rfc7208-tests", 93),
];

/// The vectors of mail authentication, where the corpus is.
fn corpus() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("FACTEUR_CORPUS").map_or(beside, PathBuf::from).join("mailauth");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no corpus beside the project and no FACTEUR_CORPUS");
    None
}

/// The files of an archive of the corpus, by their paths there.
pub(crate) fn unpacked(archive: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let from = corpus()?.join(format!("{archive}.tar.zst"));
    let number = u64::from_le_bytes(crate::random::octets());
    let into = std::env::temp_dir().join(format!("facteur-vectors-{}-{number:016x}", std::process::id()));
    std::fs::create_dir_all(&into).unwrap();
    let ended = Command::new("tar").arg("--zstd").arg("-xf").arg(from).arg("-C").arg(&into).status().unwrap();
    assert!(ended.success(), "{archive} cannot be unpacked");
    let mut files = BTreeMap::new();
    let mut folders = vec![into.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&into).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    std::fs::remove_dir_all(&into).unwrap();
    Some(files)
}

/// A name server and who asks it, keeping nothing.
fn names(zone: Zone) -> (NameServer, Resolver) {
    let server = NameServer::start(zone).unwrap();
    let patience = Patience { timeout: Duration::from_secs(20), attempts: 1 };
    let resolver = Resolver::asking(&[server.address], patience, 0);
    (server, resolver)
}

/// What one vector came to.
struct Compared {
    name: String,
    ours: String,
    theirs: Vec<String>,
}

impl Compared {
    fn new(name: impl Into<String>, ours: &str, theirs: &str) -> Compared {
        Compared { name: name.into(), ours: ours.to_owned(), theirs: vec![theirs.to_owned()] }
    }
}

/// Lines `SUITE/NAME | ours | theirs | where the standard says so, why`.
fn listed(suite: &str) -> BTreeMap<String, (String, String)> {
    let lines = include_str!("authenticate-differences.txt").lines().filter(|line| !line.starts_with('#'));
    let mut listed = BTreeMap::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let [name, ours, theirs, why] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("not four columns: {line}")
        };
        assert!(why.contains("RFC") || why.contains("publicsuffix"), "no standard is named: {line}");
        let Some((of, name)) = name.split_once('/') else { panic!("no suite: {line}") };
        if of == suite {
            assert!(listed.insert(name.to_owned(), (ours.to_owned(), theirs.to_owned())).is_none(), "twice: {line}");
        }
    }
    listed
}

/// Every difference is listed as it is, and nothing listed agrees.
fn judge(suite: &str, compared: &[Compared]) {
    let vectors = SUITES.iter().find(|(known, _)| *known == suite).map(|(_, vectors)| *vectors);
    assert_eq!(Some(compared.len()), vectors, "vectors of {suite}");
    let mut listed = listed(suite);
    let mut wrong = Vec::new();
    for Compared { name, ours, theirs } in compared {
        let agrees = theirs.contains(ours);
        match (agrees, listed.remove(name)) {
            (true, None) => {}
            (true, Some(_)) => wrong.push(format!("{name}: listed, and agrees: {ours}")),
            (false, Some((said, was))) if said == *ours && was == theirs.join(" or ") => {}
            (false, listed) => {
                wrong.push(format!("{name}: ours {ours}, theirs {}, listed {listed:?}", theirs.join(" or ")));
            }
        }
    }
    wrong.extend(listed.into_keys().map(|name| format!("{name}: listed, and no vector")));
    assert!(wrong.is_empty(), "{suite}:\n{}", wrong.join("\n"));
}

#[test]
fn few_vectors_differ_and_each_is_one_of_a_suite() {
    let vectors: usize = SUITES.iter().map(|(_, vectors)| vectors).sum();
    let different: usize = SUITES.iter().map(|(suite, _)| listed(suite).len()).sum();
    let lines = include_str!("authenticate-differences.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty()).count();
    assert_eq!(lines, different, "a line is about no suite");
    assert!(different * 100 <= vectors * DIFFERENT_PERCENT_MAX, "{different} of {vectors} differ");
}
