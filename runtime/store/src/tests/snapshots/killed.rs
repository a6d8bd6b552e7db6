//! kill -9 while snapshots are taken and purged: what has a name is whole, and the next one works.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;
use crate::snapshot::Keep;

const ROUNDS: u64 = 12;
const FOLDER_VARIABLE: &str = "FACTEUR_STORE_SNAPSHOT_FOLDER";

/// Runs this test again as the process that is killed.
#[test]
fn a_snapshot_that_has_a_name_survives_kill_9_whole() {
    if let Ok(folder) = std::env::var(FOLDER_VARIABLE) {
        snapshots_until_killed(&folder);
        return;
    }
    let nightly = Nightly::new("killed");
    let store = store_with(&nightly.folder, &["a"]);
    put_many(&store, 1..300, "a");
    drop(store);
    let mut seen = 0;
    for round in 0..ROUNDS {
        seen += run_and_kill(&nightly, 1 + round * 5 % 13);
        let listed = nightly.snapshots.list().unwrap();
        for listed in &listed {
            assert!(listed.content.is_ok(), "{listed:?}");
        }
        let newest = listed.last().map(|listed| listed.name);
        newest.map(|name| nightly.assert_sound(name));
        let store = nightly.folder.open();
        let now_s = newest.map_or(NIGHT_S, |name| name.seconds() + DAY_S);
        let taken = nightly.take(now_s);
        nightly.assert_sound(taken.name);
        drop(store);
        let named: BTreeSet<_> = nightly.files("");
        assert!(named.iter().all(|name| !name.ends_with(".new")), "{named:?}");
    }
    assert!(seen > ROUNDS, "only {seen} steps were heard of");
}

/// Kills the child after it said `steps` times that it got further.
fn run_and_kill(nightly: &Nightly, steps: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["tests::snapshots::killed::a_snapshot_that_has_a_name_survives_kill_9_whole", "--exact", "--nocapture"])
        .env(FOLDER_VARIABLE, nightly.folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = 0;
    for line in lines.map_while(Result::ok) {
        seen += u64::from(line.contains("step"));
        if seen == steps {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(seen >= steps, "the child ended by itself after {seen} steps");
    seen
}

fn snapshots_until_killed(folder: &str) {
    let store = Store::open(folder, Options::default()).unwrap();
    let folder = std::path::Path::new(folder);
    let snapshots = Snapshots::open(folder.join("snapshots")).unwrap();
    let source = Source { databases: vec![folder.join("meta-00.db")], segments: folder.join("segments") };
    let step = || {
        // Nobody listens any more once the kill is on its way.
        let _ = writeln!(std::io::stdout(), "step");
    };
    let newest = snapshots.list().unwrap().last().map_or(NIGHT_S, |listed| listed.name.seconds());
    let keep = Keep {
        at_least: std::time::Duration::from_secs(2 * DAY_S as u64),
        at_most: std::time::Duration::from_secs(9 * DAY_S as u64),
    };
    for night in 1i64.. {
        let now_s = newest + night * DAY_S;
        let first = now_s as u64;
        put_many(&store, first..first + 20, "a");
        step();
        snapshots.take(&source, now_s, Pace::FULL, &mut |_| step()).unwrap();
        step();
        snapshots.purge(keep, now_s).unwrap();
    }
}
