//! A plan over the control channel: taken with the signatures it needs, and given up when nobody confirms it.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tests::scratch::Scratch;
use tests::{Outcome, policy_copy, program, wait};

use super::{House, facteur};

/// A loaded machine is slow; this is generous.
const WITHIN: Duration = Duration::from_secs(90);
const UNLIMITED: &str = "messages_accepted: Unlimited";

/// The bench policy with a limit, compiled and signed as `keys` say; the path of the plan.
fn plan(house: &House, name: &str, limit: &str, keys: &[&str]) -> String {
    let made = Scratch::new(name);
    let limit = format!("messages_accepted: [\"{limit}\"]");
    let policy = policy_copy::changed(&made, "bench", &[(UNLIMITED, &limit)]);
    let folder = house.path(&format!("{name}-of"));
    // It may be signed again.
    let _ = std::fs::remove_dir_all(&folder);
    let _ = std::fs::remove_file(house.path(&format!("{name}-of.sig.ron")));
    std::fs::rename(policy, &folder).expect("both are in scratch folders");
    let (folder, out) = (folder.to_string_lossy().into_owned(), house.scratch.path().to_string_lossy().into_owned());
    let compile = |more: &[&str]| facteur(&[&["compile", &folder, "--out", &out][..], more].concat()).ends(0);
    match keys {
        [] => drop(compile(&[])),
        [first, others @ ..] => {
            compile(&["--sign", &format!("{first}.key"), "--reason", "a test", "--author", "Anne"]);
            others.iter().for_each(|key| drop(compile(&["--sign", &format!("{key}.key")])));
        }
    }
    house.text(&format!("{name}-of.plan.ron"))
}

fn deploy(house: &House, plan: &str) -> program::Ran {
    house.afar("ops", &["deploy", plan, "--confirm", "1 h", "--reason", "a test"])
}

/// The line of the metric that says which plan runs.
fn running(house: &House) -> String {
    let page = house.server.metrics();
    page.lines().find(|line| line.starts_with("mail_plan_info{")).unwrap_or_default().to_owned()
}

#[test]
fn a_plan_is_deployed_from_afar_with_the_signatures_it_needs_and_no_others() -> Outcome {
    let house = House::of("bench");
    house.operator("ops", "administrator");
    house.operator("luc", "manager");
    let (anne, eve) = (house.key("anne"), house.key("eve"));
    house.here(&["key", "enroll", &format!("{anne}.pub")]).ends(0);
    let first = running(&house);
    let refused = |plan: &str, why: &str| {
        let ran = deploy(&house, plan).ends(7);
        assert!(ran.err.contains("E1001") && ran.err.contains(why), "{}", ran.err);
        assert_eq!(running(&house), first, "nothing changed");
    };
    refused(&plan(&house, "bare", "901 / 1 h", &[]), "it has no signature");
    refused(&plan(&house, "foreign", "902 / 1 h", &[&eve]), "it has none");
    let old = plan(&house, "old", "895 / 1 h", &[&anne]);
    // Moments are told to the second.
    let good = wait::until(WITHIN, "a second later", || {
        let good = plan(&house, "good", "903 / 1 h", &[&anne]);
        (at(&good).ok()? > at(&old).ok()?).then_some(good)
    });
    let signature = good.replace(".plan.ron", ".sig.ron");
    let text = std::fs::read_to_string(&signature)?;
    std::fs::write(&signature, text.replace("a test", "another"))?;
    refused(&good, "does not hold");
    // The signatures of another plan.
    let other = plan(&house, "other", "904 / 1 h", &[]);
    std::fs::write(other.replace(".plan.ron", ".sig.ron"), &text)?;
    refused(&other, "these are the signatures of plan");
    std::fs::write(&signature, &text)?;

    let manager = house.afar("luc", &["deploy", &good, "--reason", "a test"]);
    assert!(manager.err.contains("only a mail administrator may"), "{}", manager.err);
    deploy(&house, &good).ends(0);
    house.afar("ops", &["confirm"]).ends(0);
    let audit = house.here(&["audit"]).ends(0).out;
    assert!(audit.contains("administrator ops from 127.0.0.1: plan "), "{audit}");

    // One that was signed before it is a replay, however good its signature; going back is said otherwise.
    let replayed = deploy(&house, &old).ends(7);
    assert!(replayed.err.contains("E1006") && replayed.err.contains("`rollback`"), "{}", replayed.err);
    house.afar("ops", &["rollback", "--reason", "enough"]).ends(0);
    Ok(())
}

/// When a plan was signed.
fn at(plan: &str) -> Result<String, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(plan.replace(".plan.ron", ".sig.ron"))?;
    Ok(plan::signed::read_signature(&text)?.at)
}

/// A wire between an operator and the appliance that can be cut.
struct Cable {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Cable {
    fn to(appliance: SocketAddr) -> io::Result<Cable> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (cut, open) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (is_cut, ends) = (cut.clone(), open.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if is_cut.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(server) = TcpStream::connect(appliance) else { return };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { return };
                    std::thread::spawn(move || {
                        let _ = io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Write);
                    });
                }
                ends.lock().expect("nobody panicked").extend([client, server]);
            }
        });
        Ok(Cable { address, cut, open })
    }

    /// From now on nothing goes through.
    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        for end in self.open.lock().expect("nobody panicked").iter() {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

#[test]
fn when_the_control_network_is_cut_nobody_can_confirm_and_the_plan_before_comes_back() -> Outcome {
    let house = House::of("bench");
    house.operator("ops", "administrator");
    let cable = Cable::to(house.server.describe.remote.ok_or("the channel listens")?)?;
    let (address, identity) = (cable.address.to_string(), house.text("ops"));
    let ask = |words: &[&str]| facteur(&[words, &["--appliance", &address, "--identity", &identity]].concat());
    let new = plan(&house, "new", "901 / 1 h", &[]);
    // As the appliance promises it with FACTEUR_LONG.
    let is_long = std::env::var_os("FACTEUR_LONG").is_some();
    let began = Instant::now();
    let confirm = if is_long { "1 min" } else { "5 s" };
    ask(&["deploy", &new, "--confirm", confirm, "--reason", "a test"]).ends(0);
    cable.cut();
    ask(&["confirm"]).ends(2);
    wait::until(WITHIN, "the plan before is back", || {
        running(&house).contains("serial=\"1\",state=\"confirmed\"").then_some(())
    });
    if is_long {
        eprintln!("the plan before was back after {:.1} s", began.elapsed().as_secs_f64());
        assert!(began.elapsed() <= Duration::from_secs(70), "{:?}", began.elapsed());
    }
    // The network is back, and too late.
    house.afar("ops", &["confirm"]).ends(7);
    let told = house.afar("ops", &["history"]).ends(0).out;
    assert!(told.contains("rolled back: timeout"), "{told}");
    Ok(())
}

#[test]
fn a_plan_of_keys_that_are_gone_is_served_with_an_alarm_and_not_gone_back_to() -> Outcome {
    let house = House::of("bench");
    house.operator("ops", "administrator");
    let (anne, jean) = (house.key("anne"), house.key("jean"));
    house.here(&["key", "enroll", &format!("{anne}.pub")]).ends(0);
    let mut older = String::new();
    for (name, limit) in [("one", "902 / 1 h"), ("two", "901 / 1 h")] {
        older = running(&house);
        deploy(&house, &plan(&house, name, limit, &[&anne])).ends(0);
        house.afar("ops", &["confirm"]).ends(0);
    }
    let older = older.split('"').nth(1).ok_or("the metric names the plan")?.to_owned();
    assert!(!house.here(&["status"]).out.contains("do not hold"));
    let change = |words: &[&str], name: &str| {
        let out = house.text(name);
        let why = ["--reason", "Anne goes", "--author", "Anne", "--out", &out];
        house.afar("ops", &[&["key", "propose"][..], words, &why].concat()).ends(0);
        facteur(&["key", "sign", &out, "--key", &format!("{anne}.key")]).ends(0);
        house.afar("ops", &["key", "apply", &out]).ends(0);
    };
    change(&["--enroll", &format!("{jean}.pub")], "add.ron");
    change(&["--remove", "anne"], "remove.ron");
    let status = house.here(&["status"]).ends(1).out;
    assert!(status.contains("signatures do not hold"), "{status}");
    assert_eq!(house.server.metric("facteur_plan_signature_broken"), 1.0);
    let refused = house.afar("ops", &["rollback", "--to", &older, "--reason", "enough"]).ends(7);
    assert!(refused.err.contains("E1001"), "{}", refused.err);
    // Signed by a key of today the same plan is what it was.
    let again = deploy(&house, &plan(&house, "two", "901 / 1 h", &[&jean])).ends(7);
    assert!(again.err.contains("hold and are kept"), "{}", again.err);
    assert!(!house.here(&["status"]).out.contains("do not hold"));
    Ok(())
}
