//! Keys that sign plans, and whose plans a server takes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tests::{Imap, Outcome, program};

use super::{House, facteur};

/// Compiles the office into `out`, signed as `more` says.
fn compile(out: &Path, more: &[&str]) -> program::Ran {
    let (policy, out) = (program::top().join("policies/office"), out.to_string_lossy().into_owned());
    facteur(&[&["compile", &policy.to_string_lossy(), "--out", &out][..], more].concat())
}

#[test]
fn a_key_is_made_once_and_kept_private() -> Outcome {
    let house = House::new();
    let anne = house.key("anne");
    let mode = fs::metadata(format!("{anne}.key"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (private, public) = (fs::read(format!("{anne}.key"))?, fs::read_to_string(format!("{anne}.pub"))?);
    assert!(public.starts_with("facteur-key anne "), "{public}");
    let again = facteur(&["key", "new", "anne", "--out", &house.scratch.path().to_string_lossy()]).ends(2);
    assert!(again.err.contains("nothing is written over it"), "{}", again.err);
    assert_eq!(fs::read(format!("{anne}.key"))?, private);
    // One that others may read signs nothing.
    fs::set_permissions(format!("{anne}.key"), fs::Permissions::from_mode(0o644))?;
    let sign = ["--sign", &format!("{anne}.key"), "--reason", "r", "--author", "a"];
    assert!(compile(house.scratch.path(), &sign).ends(2).err.contains("others may read this key"));
    Ok(())
}

#[test]
fn a_plan_is_signed_by_one_and_by_two_and_anybody_checks_it() -> Outcome {
    let house = House::new();
    let (anne, jean, eve) = (house.key("anne"), house.key("jean"), house.key("eve"));
    let key = |name: &str| format!("{name}.key");
    let public = |name: &str| format!("{name}.pub");
    assert!(compile(house.scratch.path(), &["--sign", &key(&anne)]).ends(2).err.contains("--reason and --author"));
    compile(house.scratch.path(), &["--sign", &key(&anne), "--reason", "ticket 4417", "--author", "Anne"]).ends(0);
    let (plan, signature) = (house.text("office.plan.ron"), house.text("office.sig.ron"));
    let verify = |more: &[&str]| facteur(&[&["verify", &plan, "--signature", &signature, "--key"][..], more].concat());
    assert!(verify(&[&public(&anne)]).ends(0).out.contains("signed by anne"));
    let two = verify(&[&public(&anne), &public(&jean), "--needed", "2"]).ends(1);
    assert!(two.err.contains("E1001") && two.err.contains("those of anne"), "{}", two.err);
    let other = verify(&[&public(&eve)]).ends(1);
    assert!(other.err.contains("E1001: plan is not signed by a key enrolled here"), "{}", other.err);

    let differs = compile(house.scratch.path(), &["--sign", &key(&jean), "--reason", "another"]).ends(2);
    assert!(differs.err.contains("ticket 4417"), "{}", differs.err);
    compile(house.scratch.path(), &["--sign", &key(&jean)]).ends(0);
    assert!(verify(&[&public(&anne), &public(&jean), "--needed", "2"]).ends(0).out.contains("signed by anne, jean"));

    // A letter of what is said of it, a digit of the plan: neither is what was signed.
    let good = fs::read_to_string(&signature)?;
    fs::write(&signature, good.replace("ticket 4417", "ticket 4418"))?;
    assert!(verify(&[&public(&anne)]).ends(1).err.contains("does not hold"));
    fs::write(&signature, &good)?;
    let altered = fs::read_to_string(&plan)?.replacen("Europe/Paris", "Europe/Malta", 1);
    fs::write(&plan, altered)?;
    assert!(verify(&[&public(&anne)]).ends(1).err.contains("E1001"));
    Ok(())
}

#[test]
fn the_keys_are_changed_by_as_many_as_have_to_sign_and_a_request_is_used_once() -> Outcome {
    let house = House::new();
    house.operator("ops", "administrator");
    let (anne, jean, luc) = (house.key("anne"), house.key("jean"), house.key("luc"));
    let file = |name: &str, end: &str| format!("{name}.{end}");
    assert_eq!(house.server.metric("facteur_plan_unsigned"), 1.0);
    assert!(house.server.log_text().contains("no plan key is enrolled"), "the start says so");
    house.afar("ops", &["key", "enroll", &file(&anne, "pub")]).ends(0);
    assert_eq!(house.server.metric("facteur_plan_unsigned"), 0.0);
    // The first is the only one that nobody signs.
    let second = house.afar("ops", &["key", "enroll", &file(&jean, "pub")]).ends(2);
    assert!(second.err.contains("facteur key propose"), "{}", second.err);

    let propose = |change: &[&str], name: &str| {
        let out = house.text(name);
        let why = ["--reason", "Jean comes", "--author", "Anne", "--out", &out];
        house.afar("ops", &[&["key", "propose"][..], change, &why].concat()).ends(0);
        out
    };
    let apply = |request: &str| house.afar("ops", &["key", "apply", request]);
    let sign = |request: &str, key: &str| facteur(&["key", "sign", request, "--key", &file(key, "key")]).ends(0);
    let add = propose(&["--enroll", &file(&jean, "pub")], "add.ron");
    assert!(apply(&add).ends(2).err.contains("nobody did"));
    sign(&add, &jean);
    assert!(apply(&add).ends(2).err.contains("nobody did"), "who is to come has no say");
    sign(&add, &anne);
    let good = fs::read_to_string(&add)?;
    let to_luc = fs::read_to_string(file(&luc, "pub"))?;
    let of = |line: &str| line.split(' ').nth(2).unwrap_or_default().trim().to_owned();
    let forged = good.replace(&of(&fs::read_to_string(file(&jean, "pub"))?), &of(&to_luc));
    assert_ne!(forged, good);
    fs::write(&add, forged)?;
    assert!(apply(&add).ends(2).err.contains("was changed"));
    fs::write(&add, &good)?;
    apply(&add).ends(0);
    assert!(apply(&add).ends(2).err.contains("another state"));

    let both = propose(&["--needed", "2"], "both.ron");
    sign(&both, &anne);
    apply(&both).ends(0);
    let third = propose(&["--enroll", &file(&luc, "pub")], "third.ron");
    sign(&third, &anne);
    assert!(apply(&third).ends(2).err.contains("2 enrolled keys have to sign this, and anne did"));
    sign(&third, &jean);
    let now = apply(&third).ends(0);
    assert!(now.out.contains("2 of 3 keys have to sign"), "{}", now.out);
    let audit = house.here(&["audit"]).ends(0).out;
    assert!(audit.contains("administrator ops from 127.0.0.1: changes the plan keys"), "{audit}");
    assert!(audit.contains("signed by anne, jean"), "{audit}");
    Ok(())
}

#[test]
fn break_glass_is_for_the_console_and_stands_until_somebody_saw_it() -> Outcome {
    let house = House::new();
    house.operator("ops", "administrator");
    let (anne, luc) = (house.key("anne"), house.key("luc"));
    house.here(&["key", "enroll", &format!("{anne}.pub")]).ends(0);
    let administrator = house.server.describe.person("dupont-p").clone();
    let before = Imap::person(&house.server, "outside", &administrator)?.count("INBOX")?;
    let public = format!("{luc}.pub");
    let words = ["key", "break-glass", &public, "--because", "both keys burnt"];
    house.here(&words).ends(2);
    let console = [&words[..], &["--from-console"]].concat();
    let afar = house.afar("ops", &console).ends(2);
    assert!(afar.err.contains("done on the server only"), "{}", afar.err);
    if !rustix::process::geteuid().is_root() {
        assert!(house.here(&console).ends(2).err.contains("by root"));
        return Ok(());
    }
    let now = house.here(&console).ends(0).out;
    assert!(now.contains("luc") && !now.contains("anne") && now.contains("ALARM"), "{now}");
    assert_eq!(house.server.metric("facteur_plan_key_alarm"), 1.0);
    assert!(house.here(&["audit"]).ends(0).out.contains("BREAK-GLASS: replaces all plan keys by luc"));
    assert_eq!(Imap::person(&house.server, "outside", &administrator)?.count("INBOX")?, before + 1);
    house.afar("ops", &["key", "acknowledge"]).ends(0);
    assert_eq!(house.server.metric("facteur_plan_key_alarm"), 0.0);
    house.afar("ops", &["key", "acknowledge"]).ends(4);
    Ok(())
}
