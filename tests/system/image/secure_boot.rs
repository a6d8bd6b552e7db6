//! UEFI Secure Boot: firmware that asks for signatures starts what is signed, and nothing else. Long.

use std::path::Path;
use std::process::Command;

use image::SecureBoot;
use tests::{Outcome, program, wait};

use super::Machine;
use super::disks::{Recipe, SIGNATURES};
use super::vm::{self, BOOT_WITHIN};

/// Of Debian's ovmf; the pass phrase is public, too.
const KEY: &str = "/usr/share/ovmf/PkKek-1-snakeoil.key";
const CERTIFICATE: &str = "/usr/share/ovmf/PkKek-1-snakeoil.pem";
const PASS_PHRASE: &str = "pass:snakeoil";

#[test]
fn firmware_that_asks_for_signatures_starts_what_is_signed_alone() -> Outcome {
    const NAME: &str = "firmware_that_asks_for_signatures";
    if std::env::var_os("FACTEUR_LONG").is_none() || !vm::found(NAME) {
        return Ok(());
    }
    if program::find("sbsign").is_none() || !Path::new(KEY).is_file() {
        tests::skip::skip(NAME, tests::skip::Missing::Program("sbsign"));
        return Ok(());
    }
    let mut machine = Machine::new("signed");
    machine.is_secure = true;
    let key = machine.scratch.join("secure-boot.key");
    let mut openssl = Command::new("openssl");
    openssl.args(["rsa", "-in", KEY, "-passin", PASS_PHRASE, "-out"]).arg(&key);
    program::run(&mut openssl).ends(0);
    let recipe = Recipe::new(&machine.scratch);
    let by = SecureBoot { key: &key, certificate: Path::new(CERTIFICATE) };
    let plan = &machine.house.plan;
    let signed = recipe.build_signed(&machine.scratch, plan, ("0.1.0", SIGNATURES), Some(by));
    let plain = recipe.build(&machine.scratch, plan, "0.1.1", SIGNATURES);

    let booted = machine.start(&signed.disk, None);
    wait::until(BOOT_WITHIN, "the signed one starts", || booted.vm.serial().contains("Facteur 0.1.0").then_some(()));
    drop(booted);

    let booted = machine.start(&plain.disk, None);
    wait::until(BOOT_WITHIN, "the firmware refuses the other", || {
        let said = booted.vm.serial();
        assert!(!said.contains("Facteur 0.1.1"), "it starts what nobody signed\n{said}");
        said.contains("Access Denied").then_some(())
    });
    Ok(())
}
