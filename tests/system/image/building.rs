//! What is true of an image before it is started.

use std::fs;
use std::path::Path;
use std::process::Command;

use image::inspect::inspect;
use image::{Built, Order, Sources};
use tests::scratch::Scratch;
use tests::{Outcome, program};

use super::disks::{cache, description};
use super::vm;

/// `systemd-analyze security` calls less than this fine.
const EXPOSURE_MAX: f64 = 2.0;

fn build(out: &Path) -> Built {
    let plan = fs::read_to_string(program::top().join("policies/office/policy.plan.ron")).expect("it is in the tree");
    let cache = cache();
    let order = Order {
        sources: Sources { cache: &cache, mirrors: None, lock: None },
        daemon: &program::facteur(),
        plan: &plan,
        overlay: None,
        out,
    };
    image::build(&description("0.1.0"), &order).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn two_builds_are_the_same_octets_and_the_disk_says_what_is_in_it() -> Outcome {
    if !vm::found("two_builds_are_the_same_octets") {
        return Ok(());
    }
    let scratch = Scratch::new("built");
    let one = build(&scratch.join("one"));
    let two = build(&scratch.join("two"));
    assert_eq!(one.system.root.hash, two.system.root.hash);
    for (a, b) in [(&one.system.kernel, &two.system.kernel), (&one.sbom, &two.sbom), (&one.disk, &two.disk)] {
        let ran = program::run(Command::new("cmp").arg(a).arg(b));
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    }
    let found = inspect(&one.disk, scratch.path())?;
    let labels: Vec<&str> = found.partitions.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(labels, ["esp", "root-A", "verity-A", "root-B", "verity-B"]);
    let [kernel] = &found.kernels[..] else { panic!("one kernel image, not {:?}", found.kernels) };
    assert_eq!((kernel.slot.as_deref(), &kernel.root_hash), (Some("root-A"), &one.system.root.hash));
    assert_eq!(kernel.plan_hash, one.plan_hash);
    assert!(kernel.name.ends_with("+3.efi"), "{}", kernel.name);
    // Every package of the lock, and every crate of ours.
    let missing: Vec<_> =
        one.lock.0.values().filter(|it| !found.parts.iter().any(|(name, _)| *name == it.name)).collect();
    assert!(missing.is_empty() && found.parts.iter().any(|(name, _)| name == "rustls"), "{missing:?}");
    Ok(())
}

#[test]
fn the_units_are_closed_off() -> Outcome {
    let Some(analyze) = program::find("systemd-analyze") else {
        tests::skip::skip("the_units_are_closed_off", tests::skip::Missing::Program("systemd-analyze"));
        return Ok(());
    };
    let units = program::top().join("appliance/image/tree/usr/lib/systemd/system");
    let ran = program::run(
        Command::new(analyze).args(["security", "--offline=true", "--no-pager"]).arg(units.join("facteur.service")),
    );
    let line = ran.out.lines().find(|line| line.contains("Overall exposure level")).ok_or(format!("{ran:?}"))?;
    let exposure: f64 = line.split_whitespace().find_map(|word| word.parse().ok()).ok_or(line)?;
    assert!(exposure < EXPOSURE_MAX, "{line}");
    Ok(())
}
