use std::collections::BTreeSet;

use server::{kept_secrets, keys};

use super::*;

const PLAN: &str = include_str!("../../../../../../policies/bench/policy.plan.ron");
const PEOPLE_TEXT: &str = include_str!("../../../../../../policies/bench/people.ron");

struct Machine {
    folder: PathBuf,
    places: Places,
}

impl Machine {
    fn new(name: &str) -> Machine {
        let folder = std::env::temp_dir().join(format!("facteur-first-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let at = |name: &str| folder.join(name);
        std::fs::create_dir_all(at("credentials")).unwrap();
        std::fs::create_dir_all(at("cidata/secrets")).unwrap();
        std::fs::write(at("plan.ron"), PLAN).unwrap();
        let places = Places {
            data: at("data"),
            plan: at("plan.ron"),
            credentials: Some(at("credentials")),
            cidata: Some(at("cidata")),
            addresses: vec!["10.0.2.15".parse().unwrap()],
        };
        Machine { folder, places }
    }

    fn give(&self, file: &str, text: &str) {
        std::fs::write(self.folder.join(file), text).unwrap();
    }

    /// A site that is sound, with a word to know it by.
    fn site_text(&self, word: &str) -> String {
        let data = &self.places.data;
        format!("Site(data: {data:?}, listeners: {{}}, outbound: Sink, secrets: Sealed) // {word}")
    }

    fn give_all(&self) {
        self.give("credentials/facteur.site", &self.site_text("first"));
        self.give("credentials/facteur.secret.ldap", "from credentials\n");
        self.give("credentials/systemd.machine-name", "of somebody else");
        self.give("cidata/site.ron", "the credential wins");
        self.give("cidata/secrets/ldap", "the credential wins");
        self.give("cidata/secrets/acme", "from the disk");
        self.give("cidata/secrets/password.bench-a", "a long first password");
        self.give("cidata/people.ron", PEOPLE_TEXT);
        self.give("cidata/keys", &format!("# ours\nneeded 2\n{}\n{}\n", key("anne", 7), key("bert", 8)));
        self.give("cidata/user-data", "#cloud-config\n{}\n");
    }

    fn boot(&self) -> Vec<String> {
        run(&self.places, false, &mut |_| Ok(())).unwrap()
    }

    fn site(&self) -> String {
        std::fs::read_to_string(site(&self.places)).unwrap()
    }

    fn store(&self) -> Store {
        Store::open(&self.places.data, store::Options::default()).unwrap()
    }

    #[track_caller]
    fn has_all(&self) {
        assert!(self.site().contains("// first"), "{}", self.site());
        let store = self.store();
        assert_eq!(kept_secrets(&store).unwrap(), ["acme", "ldap"]);
        let trusted = keys::load(&store).unwrap();
        assert_eq!((trusted.keys.len(), trusted.needed), (2, 2));
        let people = store.people(None, 100).unwrap();
        assert_eq!(people.len(), 2);
        let with_password = people.iter().filter(|row| row.verifier.is_some()).count();
        assert_eq!(with_password, 1, "the one whose password was given");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn key(name: &str, octet: u8) -> PublicKey {
    PublicKey::new(name, [octet; 32]).unwrap()
}

#[test]
fn a_machine_that_is_given_nothing_greets_and_says_what_is_missing() {
    let machine = Machine::new("nothing");
    let lines = machine.boot();
    assert!(lines.iter().any(|line| line.contains("self-signed")), "{lines:?}");
    let text = machine.site();
    for line in ["\"mx\": [\"10.0.2.15:25\"]", "\"imaps\": [\"10.0.2.15:993\"]", "outbound: Sink", "SelfSigned"] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let (tables, is_deployed) = tables(&machine.places).unwrap();
    assert!(!is_deployed);
    assert_eq!(site_file::read(&site(&machine.places), Some(&tables)).unwrap().data, machine.places.data);
    // A lease with another address at the next boot.
    let mut machine = machine;
    machine.places.addresses = vec!["10.9.9.9".parse().unwrap()];
    machine.boot();
    assert!(machine.site().contains("10.9.9.9:25"));
    // What a person wrote stays.
    std::fs::write(site(&machine.places), machine.site_text("by hand")).unwrap();
    machine.boot();
    assert!(machine.site().contains("by hand"));
}

#[test]
fn what_is_given_is_taken_once_and_later_values_are_told_of() {
    let machine = Machine::new("once");
    machine.give_all();
    let lines = machine.boot();
    assert!(lines.iter().any(|line| line.starts_with("imported: ")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("#cloud-config")), "{lines:?}");
    machine.has_all();
    assert!(machine.boot().iter().all(|line| !line.contains("imported")), "nothing is taken twice");

    machine.give("credentials/facteur.site", &machine.site_text("second"));
    machine.give("cidata/keys", &key("mallory", 9).to_string());
    let lines = machine.boot();
    assert!(lines.iter().any(|line| line.contains("site differs")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("break-glass")), "{lines:?}");
    machine.has_all();
    machine.give("cidata/secrets/password.bench-b", "a stick that is put in");
    let lines = machine.boot();
    assert!(lines.iter().any(|line| line.contains("password.bench-b was not given at first boot")), "{lines:?}");
    machine.has_all();
    std::fs::remove_file(machine.folder.join("cidata/secrets/password.bench-b")).unwrap();
    let lines = run(&machine.places, true, &mut |_| Ok(())).unwrap();
    assert!(lines.iter().any(|line| line == "imported: site"), "{lines:?}");
    assert!(machine.site().contains("// second"));
    assert_eq!(keys::load(&machine.store()).unwrap().keys.len(), 2, "keys are never taken again");
}

#[test]
fn a_run_that_is_cut_off_behind_any_step_is_completed_by_the_next() {
    let mut seen = BTreeSet::new();
    for cut in 0.. {
        let machine = Machine::new("cut");
        machine.give_all();
        let mut steps = 0;
        let ran = run(&machine.places, false, &mut |step| {
            steps += 1;
            if steps > cut { Err(format!("cut off behind {step:?}").into()) } else { Ok(()) }
        });
        let Err(error) = ran else { break };
        seen.insert(error.to_string());
        machine.boot();
        machine.has_all();
        assert!(machine.boot().iter().all(|line| !line.contains("imported")), "{error}");
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
}

#[test]
fn a_site_that_cannot_be_served_is_refused_and_taken_once_it_is_mended() {
    let machine = Machine::new("refused");
    for (text, says) in [
        ("Site(", "site.ron.given"),
        ("Site(data: \"/elsewhere\", listeners: {}, outbound: Sink)", "its data folder is /elsewhere"),
        ("Site(data: \"/x\", listeners: {\"nosuch\": []}, outbound: Sink)", "no listener `nosuch`"),
    ] {
        machine.give("credentials/facteur.site", text);
        let lines = machine.boot();
        assert!(lines.iter().any(|line| line.starts_with("site WAS NOT IMPORTED") && line.contains(says)), "{lines:?}");
        assert!(machine.site().starts_with(minimal::HEAD), "the machine greets all the same");
    }
    machine.give("credentials/facteur.site", &machine.site_text("mended"));
    machine.boot();
    assert!(machine.site().contains("// mended"));
}

#[test]
fn keys_and_operators_that_were_refused_are_named_by_line_and_taken_once_they_are_mended() {
    let machine = Machine::new("mended-keys");
    machine.give_all();
    machine.give("cidata/keys", &format!("# ours\n{}\nfacteur-key bert x\n", key("anne", 7)));
    machine.give("cidata/operators", "# who\n\nanne boss 7f\n");
    let lines = machine.boot();
    for says in
        ["keys WAS NOT IMPORTED: line 3: `facteur-key bert x`", "operators WAS NOT IMPORTED: line 3: `anne boss 7f`"]
    {
        assert!(lines.iter().any(|line| line.starts_with(says)), "{says}: {lines:?}");
    }
    assert!(keys::load(&machine.store()).unwrap().is_empty());
    assert!(machine.site().contains("// first"), "the rest went on");
    machine.give("cidata/keys", &format!("needed 2\n{}\n{}\n", key("anne", 7), key("bert", 8)));
    let lines = machine.boot();
    assert!(lines.iter().any(|line| line == "imported: keys"), "{lines:?}");
    machine.has_all();
    machine.give("cidata/keys", &key("mallory", 9).to_string());
    assert!(machine.boot().iter().any(|line| line.contains("break-glass")), "now they are those that were taken");
    machine.has_all();
}

#[test]
fn a_lost_seal_key_is_no_first_boot_and_costs_nothing_that_is_sealed() {
    let machine = Machine::new("lost-seal");
    machine.give_all();
    machine.boot();
    let key_file = machine.places.data.join("seal.key");
    let former = std::fs::read(&key_file).unwrap();
    std::fs::remove_file(&key_file).unwrap();
    machine.give("credentials/facteur.site", &machine.site_text("second"));
    machine.give("credentials/facteur.secret.ldap", "of somebody who can change credentials");
    machine.give("cidata/operators", "mallory administrator 7f");
    let lines = machine.boot();
    assert!(lines.iter().any(|line| line.contains("SEAL.KEY OF THE DATA FOLDER IS LOST: acme, ldap")), "{lines:?}");
    assert!(lines.iter().all(|line| !line.starts_with("imported")), "{lines:?}");
    machine.has_all();
    // The former key opens all of it again, and nothing is new.
    std::fs::write(&key_file, &former).unwrap();
    let lines = machine.boot();
    assert!(lines.iter().all(|line| !line.contains("LOST") && !line.starts_with("imported")), "{lines:?}");
    // Where it is gone for good, somebody at the console gives everything again.
    std::fs::remove_file(&key_file).unwrap();
    machine.boot();
    std::fs::remove_file(machine.folder.join("cidata/operators")).unwrap();
    run(&machine.places, true, &mut |_| Ok(())).unwrap();
    assert!(machine.site().contains("// second"));
    let lines = machine.boot();
    assert!(lines.iter().all(|line| !line.contains("LOST")), "{lines:?}");
    assert_eq!(keys::load(&machine.store()).unwrap().keys.len(), 2, "keys are never taken again");
}

#[test]
fn a_slow_disk_is_waited_for_only_where_no_site_is_known_and_never_for_ever() {
    let machine = Machine::new("slow");
    let mut places = Places { credentials: None, ..machine.places.clone() };
    places.cidata = Some(machine.folder.join("late"));
    let waits = |places: &Places, comes_at: Option<u32>| {
        let mut waited = 0;
        wait_for_disk(places, &mut || {
            waited += 1;
            if Some(waited) == comes_at {
                std::fs::create_dir_all(machine.folder.join("late")).unwrap();
                std::fs::write(machine.folder.join("late/meta-data"), "x").unwrap();
            }
        });
        waited
    };
    assert_eq!(waits(&places, None), WAITS, "it never comes");
    std::fs::create_dir_all(machine.folder.join("late")).unwrap();
    assert_eq!(waits(&places, Some(3)), 3, "an empty folder is a disk that is not mounted yet");
    assert_eq!(waits(&places, None), 0, "it is there");
    std::fs::remove_dir_all(machine.folder.join("late")).unwrap();
    machine.give("credentials/facteur.site", "Site(");
    assert_eq!(waits(&Places { credentials: machine.places.credentials.clone(), ..places.clone() }, None), 0);
    std::fs::create_dir_all(&places.data).unwrap();
    std::fs::write(site(&places), "Site(").unwrap();
    assert_eq!(waits(&places, None), 0, "there is one already");
}

#[test]
fn people_that_were_refused_are_taken_once_their_list_is_mended() {
    let machine = Machine::new("mended-people");
    machine.give_all();
    machine.give("cidata/people.ron", "People(");
    let lines = machine.boot();
    assert!(lines.iter().any(|line| line.starts_with("people WAS NOT IMPORTED")), "{lines:?}");
    machine.give("cidata/people.ron", PEOPLE_TEXT);
    machine.boot();
    machine.has_all();
}

#[test]
fn people_come_with_their_days_and_redirects() {
    let machine = Machine::new("days");
    let allowed = "        allow: {\n            \"else\": Exact(\"else.example\"),\n        },\n";
    machine.give("plan.ron", &PLAN.replace("        allow: {},\n", allowed));
    let stay = r#"registered: "2026-01-01", until: "2031-08-31", redirect: "alice@else.example"),"#;
    machine.give("cidata/people.ron", &PEOPLE_TEXT.replacen(r#"registered: "2026-01-01"),"#, stay, 1));
    let lines = machine.boot();
    assert!(lines.iter().any(|line| line == "imported: people"), "{lines:?}");
    let store = machine.store();
    let days: Vec<_> =
        store.people(None, 10).unwrap().into_iter().map(|row| (row.origin.registered, row.origin.until)).collect();
    let day = |text: &str| text.to_owned();
    assert_eq!(days, [(day("2026-01-01"), day("2031-08-31")), (day("2026-01-01"), day(""))]);
    let redirect = |login: &str| store.setting(&format!("redirect/{login}")).unwrap();
    let octets = redirect("bench-a").unwrap();
    assert!(String::from_utf8(octets).unwrap().contains("\"alice@else.example\""));
    assert_eq!(redirect("bench-b"), None);
}

#[test]
fn an_address_that_is_taken_out_of_a_way_gets_the_mail_no_longer() {
    let machine = Machine::new("ways");
    let give = |desk: &str, office: &str| {
        let functions = format!(
            r#"], functions: [(address: "desk@example.org", members: [{desk}]), (address: "office@example.org", members: [{office}])],"#
        );
        machine.give("cidata/people.ron", &PEOPLE_TEXT.replace("],\n)", &format!("{functions}\n)")));
        run(&machine.places, true, &mut |_| Ok(())).unwrap()
    };
    let reached = |address: &str| {
        let aliases = machine.store().aliases("", 100).unwrap();
        let alias = aliases.into_iter().find(|alias| alias.address.to_string() == address).unwrap();
        alias.members.iter().map(Login::to_string).collect::<Vec<_>>()
    };
    let (alice, bob) = (r#""bench-a""#, r#""bench-b""#);
    let cases = [
        (
            (r#""bench-a", "bench-b""#, r#""desk@example.org""#),
            (vec!["bench-a", "bench-b"], vec!["bench-a", "bench-b"]),
        ),
        // Out of the way, and somebody of it stays.
        ((r#""bench-a", "bench-b""#, alice), (vec!["bench-a", "bench-b"], vec!["bench-a"])),
        ((bob, r#""desk@example.org""#), (vec!["bench-b"], vec!["bench-b"])),
        // The way is turned round.
        ((r#""office@example.org""#, alice), (vec!["bench-a"], vec!["bench-a"])),
    ];
    for ((desk, office), (at_desk, in_office)) in cases {
        let lines = give(desk, office);
        assert!(lines.iter().any(|line| line == "imported: people"), "{lines:?}");
        assert_eq!((reached("desk@example.org"), reached("office@example.org")), {
            let owned = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<Vec<_>>();
            (owned(at_desk), owned(in_office))
        });
    }
}

#[test]
fn a_report_that_cannot_be_written_keeps_nobody_from_serving() {
    let machine = Machine::new("unreported");
    std::fs::create_dir_all(machine.places.data.join(REPORT)).unwrap();
    let lines = machine.boot();
    assert!(lines.iter().any(|line| line.contains("not kept for the console")), "{lines:?}");
    assert!(machine.site().starts_with(minimal::HEAD));
}

#[test]
fn keys_are_lines_of_public_files() {
    let line = key("anne", 7).to_string();
    assert_eq!(keys_of(&line).unwrap().1, 1);
    assert_eq!(keys_of(&format!("# remark\n\n{line}\nneeded 3\n")).unwrap().1, 3);
    for bad in ["", "# nothing", "ssh-ed25519 AAAA", "needed many", "facteur-key anne x"] {
        assert!(keys_of(bad).is_err(), "{bad}");
    }
}
