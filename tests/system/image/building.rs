//! What is true of an image before it is started.

use std::fs;
use std::path::Path;
use std::process::Command;

use image::convert::{Form, convert};
use image::inspect::inspect;
use image::{Built, Order, Sources};
use tests::scratch::Scratch;
use tests::{Outcome, program};

use super::disks::{cache, description};
use super::vm;

/// `systemd-analyze security` calls less than this fine.
const EXPOSURE_MAX: f64 = 2.0;

fn build(out: &Path) -> Built {
    build_from(&cache(), out)
}

fn build_from(cache: &Path, out: &Path) -> Built {
    build_variant(cache, out, None)
}

fn build_variant(cache: &Path, out: &Path, overlay: Option<&str>) -> Built {
    let plan = fs::read_to_string(program::top().join("policies/office/policy.plan.ron")).expect("it is in the tree");
    let order = Order {
        sources: Sources { cache, mirrors: None, lock: None },
        daemon: &program::facteur(),
        plan: &plan,
        overlay,
        secure_boot: None,
        out,
    };
    image::build(&description("0.1.0"), &order).unwrap_or_else(|fault| panic!("{fault}"))
}

/// Fails with the first octet that differs.
fn same(one: &Built, two: &Built) {
    assert_eq!(one.lock, two.lock);
    assert_eq!(one.system.root.hash, two.system.root.hash);
    for (a, b) in [(&one.system.kernel, &two.system.kernel), (&one.sbom, &two.sbom), (&one.disk, &two.disk)] {
        let ran = program::run(Command::new("cmp").arg(a).arg(b));
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    }
}

/// The long form unpacks and configures Debian's packages a second time; else both builds begin from the same base tree.
#[test]
fn a_second_base_tree_makes_the_same_image() -> Outcome {
    if std::env::var_os("FACTEUR_LONG").is_none() || !vm::found("a_second_base_tree") {
        return Ok(());
    }
    let scratch = Scratch::new("twice");
    let one = build(&scratch.join("one"));
    same(&one, &build_from(&scratch.join("cache"), &scratch.join("two")));
    Ok(())
}

#[test]
fn two_builds_are_the_same_octets_and_the_disk_says_what_is_in_it() -> Outcome {
    if !vm::found("two_builds_are_the_same_octets") {
        return Ok(());
    }
    let scratch = Scratch::new("built");
    let one = build(&scratch.join("one"));
    same(&one, &build(&scratch.join("two")));
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
fn every_form_of_the_disk_has_the_same_contents() -> Outcome {
    if !vm::found("every_form_of_the_disk") {
        return Ok(());
    }
    let scratch = Scratch::new("forms");
    let built = build(&scratch.join("built"));
    for (form, name) in [(Form::Qcow2, "qcow2"), (Form::Vmdk, "vmdk"), (Form::Vhdx, "vhdx")] {
        let files = convert(&built.disk, form)?;
        program::run(
            Command::new("qemu-img").args(["compare", "-q", "-f", "raw", "-F", name]).arg(&built.disk).arg(&files[0]),
        )
        .ends(0);
        if form == Form::Vmdk {
            let ovf = fs::read_to_string(&files[1])?;
            assert!(ovf.contains(&format!("ovf:size=\"{}\"", fs::metadata(&files[0])?.len())), "{ovf}");
        }
    }
    let packed = convert(&built.disk, Form::RawZst)?;
    let unpacked = scratch.join("unpacked.raw");
    program::run(Command::new("zstd").args(["-q", "-d", "-o"]).arg(&unpacked).arg(&packed[0])).ends(0);
    program::run(Command::new("cmp").arg(&built.disk).arg(&unpacked)).ends(0);
    Ok(())
}

/// What keeps mail in is in the verified root, where nobody takes it out.
#[test]
fn the_test_platform_is_built_with_what_keeps_mail_in() -> Outcome {
    if !vm::found("the_test_platform_is_built") {
        return Ok(());
    }
    let scratch = Scratch::new("twin");
    let built = build_variant(&cache(), &scratch.join("built"), Some("staging"));
    let root = scratch.join("root");
    let mut extract = Command::new("fsck.erofs");
    extract.arg(format!("--extract={}", root.display())).arg(&built.system.root.data);
    program::run(&mut extract).ends(0);
    let overlay = program::top().join("appliance/image/overlays/staging");
    for path in ["etc/nftables.conf", "etc/systemd/system/facteur.service.d/twin.conf"] {
        assert_eq!(fs::read_to_string(root.join(path))?, fs::read_to_string(overlay.join(path))?, "{path}");
    }
    let release = fs::read_to_string(root.join("usr/lib/os-release"))?;
    assert!(release.contains("\nVARIANT_ID=staging\n"), "{release}");
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
