//! The decision log of a served day under other plans, and a limit that only watches.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::program::{self, Ran};
use tests::scratch::Scratch;
use tests::smtp::letter;
use tests::{Facteur, Options, Outcome, Smtp, policy_copy, wait};

const WINDOWS: &str = "messages_accepted: [\"50 / 1 h\"], recipients_attempted: [\"250 / 15 min\", \"500 / 1 h\"]";
const WITHIN: Duration = Duration::from_secs(60);

fn facteur(arguments: &[&str]) -> Ran {
    program::run(Command::new(program::facteur()).args(arguments))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are text")
}

/// `sent` recipients in messages of at most 40, from outside.
fn send(server: &Facteur, login: &str, sent: usize) -> Outcome {
    let who = server.describe.person(login).clone();
    let mut smtp = Smtp::person(server, "subm", "outside", &who)?;
    for (message, first) in (0..sent).step_by(40).enumerate() {
        smtp.mail(&who.address)?.expect(250)?;
        for number in first..sent.min(first + 40) {
            smtp.rcpt(&format!("reader{number}@elsewhere.example"))?.expect(250)?;
        }
        smtp.data(&letter(&who.address, "reader@elsewhere.example", &format!("{login}{message}")))?.expect(250)?;
    }
    Ok(())
}

/// What strangers bring: mail for somebody, for nobody, for elsewhere, and too much of it.
fn strangers(server: &Facteur) -> Outcome {
    let mut smtp = Smtp::stranger(server, "mx", "outside")?;
    for address in ["Jean.Toto@univ-nantes.fr", "nobody.at.all@univ-nantes.fr", "a@elsewhere.example"] {
        smtp.mail("a@client.example")?.expect(250)?;
        let taken = smtp.rcpt(address)?.code == 250;
        if taken {
            smtp.data(&letter("a@client.example", address, "stranger"))?.expect(250)?;
        }
        smtp.command("RSET")?.expect(250)?;
    }
    smtp.command("MAIL FROM:<a@client.example> SIZE=999999999")?.expect(552)?;
    Ok(())
}

fn exported(server: &Facteur, log: &Path, decisions: usize) {
    let data = text(&server.describe.data);
    wait::until(WITHIN, "the rows are written", || {
        facteur(&["log", "export", text(log), "--data", data]).ends(0);
        let rows = std::fs::read_to_string(log).expect("it was written");
        let times = |row: &serde_json::Value| row["recipients"].as_array().map_or(0, Vec::len);
        let rows: Vec<serde_json::Value> =
            rows.lines().skip(1).map(|row| serde_json::from_str(row).expect("JSON")).collect();
        (rows.iter().map(|row| 1 + times(row)).sum::<usize>() > 0 && rows.len() >= decisions).then_some(())
    });
}

#[test]
fn a_log_under_its_own_plan_differs_in_nothing_and_a_tighter_one_names_who_overran_it() -> Outcome {
    let server = Facteur::start("nantes");
    send(&server, "toto-j", 45)?;
    send(&server, "toto-jp", 90)?;
    strangers(&server)?;
    let scratch = Scratch::new("replay");
    let log = scratch.join("day.log");
    // Two messages, three, three of strangers and one refused at MAIL.
    exported(&server, &log, 9);
    let written = std::fs::read_to_string(&log)?;
    for name in ["elsewhere.example", "univ-nantes.fr", "toto", "client.example", "198.18."] {
        assert!(!written.contains(name), "{name} is in the log:\n{written}");
    }
    let nantes = program::top().join("policies/nantes");
    let own = facteur(&["replay", text(&log), "--plan", text(&nantes), "--budget", "0"]).ends(0);
    assert!(own.out.contains("newly refused 0 ≤ budget 0: ok") && own.out.contains("other reason 0"), "{}", own.out);
    facteur(&["replay", text(&log), "--plan", text(&nantes)]).ends(0);
    let tighter = WINDOWS.replace("250 / 15 min", "60 / 15 min");
    let folder = policy_copy::changed(&scratch, "nantes", &[(WINDOWS, &tighter)]);
    let data = text(&server.describe.data);
    let arguments = ["replay", text(&log), "--plan", text(&folder), "--budget", "20", "--data", data];
    let found = facteur(&arguments).ends(5);
    assert!(found.out.contains("toto-jp   2 messages, 30 recipients"), "{}", found.out);
    assert!(!found.out.lines().any(|line| line.trim_start().starts_with("toto-j ")), "{}", found.out);
    let rule = "may_send.person-outside.recipients_attempted/15min";
    assert!(found.out.contains(rule), "{}", found.out);
    let unnamed = facteur(&arguments[..6]).ends(5);
    assert!(!unnamed.out.contains("toto") && unnamed.out.contains("account "), "{}", unnamed.out);
    for (broken, line) in [("{}\n", 1), ("", 1), (&*written.replacen("\"event\"", "\"even\"", 1), 2)] {
        let file = scratch.join("broken.log");
        std::fs::write(&file, broken)?;
        let said = facteur(&["replay", text(&file), "--plan", text(&nantes)]).ends(2);
        assert!(said.err.contains(&format!("broken.log:{line}: ")), "{}", said.err);
    }
    let people = scratch.join("people.json");
    std::fs::write(&people, "[{\"profile\":\"standard\"},{\"profile\":\"standard\"},{\"profile\":\"standard\"}]")?;
    let difference =
        facteur(&["diff", text(&nantes), text(&folder), "--log", text(&log), "--census", text(&people)]).ends(4);
    for line in [
        "who: 2 accounts of 3 people used may_send.person-outside",
        "replay: 1 account would have been refused at least once (2 messages, 30 recipients)",
    ] {
        assert!(difference.out.contains(line), "{line}:\n{}", difference.out);
    }
    Ok(())
}

#[test]
fn a_limit_that_only_watches_refuses_nothing_and_is_heard_of() -> Outcome {
    let scratch = Scratch::new("observed");
    let watching = format!("{WINDOWS}, observed: (recipients_attempted: [\"10 / 1 h\"])");
    let folder = policy_copy::changed(&scratch, "nantes", &[(WINDOWS, &watching)]);
    let server = Facteur::start_with(&folder, Options::default());
    let who = server.describe.person("toto-j").clone();
    let mut smtp = Smtp::person(&server, "subm", "outside", &who)?;
    smtp.mail(&who.address)?.expect(250)?;
    for number in 0..13 {
        smtp.rcpt(&format!("reader{number}@elsewhere.example"))?.expect(250)?;
    }
    let kept = smtp.data(&letter(&who.address, "reader@elsewhere.example", "watched"))?;
    let id = kept.text().rsplit(' ').next().ok_or("an id")?.to_owned();
    let rule = "may_send.person-outside.observed.recipients_attempted/1h";
    assert!(server.metrics().contains(&format!("facteur_would_refuse_total{{rule=\"{rule}\"}} 3")));
    assert_eq!(server.log_text().matches(" would-refuse").count(), 1, "{}", server.log_text());
    let data = text(&server.describe.data);
    wait::until(WITHIN, "the story has it", || {
        let told = facteur(&["why", &id, "--data", data]);
        (told.out.contains("would-refuse") && told.out.contains(rule)).then_some(())
    });
    let would = ["explain", "--would", "--block", "person-outside", "--to", "12", "--policy", text(&folder)];
    let said = facteur(&would).ends(0);
    assert!(said.out.contains(&format!("2 would be refused by {rule}")), "{}", said.out);
    let pasted = format!("[{rule} {}]", server.describe.plan);
    let said = facteur(&["explain", &pasted, "--policy", text(&folder)]).ends(0);
    assert!(said.out.contains("only watches"), "{}", said.out);
    // A wider one than that which refuses says nothing.
    let idle = format!("{WINDOWS}, observed: (recipients_attempted: [\"600 / 1 h\"])");
    let scratch = Scratch::new("idle");
    let folder = policy_copy::changed(&scratch, "nantes", &[(WINDOWS, &idle)]);
    assert!(facteur(&["check", "--all", text(&folder)]).err.contains("L0314"));
    Ok(())
}

#[test]
fn a_reply_is_explained_by_the_plan_that_gave_it() -> Outcome {
    let scratch = Scratch::new("past");
    let (out, plans) = (scratch.join("out"), scratch.join("plans"));
    std::fs::create_dir_all(&plans)?;
    std::fs::create_dir_all(&out)?;
    let nantes = program::top().join("policies/nantes");
    facteur(&["compile", text(&nantes), "--out", text(&out)]).ends(0);
    let text_of_plan = std::fs::read_to_string(out.join("nantes.plan.ron"))?;
    let (_, hash) = plan::read(&text_of_plan)?;
    std::fs::write(plans.join(format!("{}.plan.ron", hash.full())), &text_of_plan)?;
    std::fs::copy(out.join("nantes.map.ron"), plans.join(format!("{}.map.ron", hash.full())))?;
    // The policy has moved on: the rule is not what it was.
    let later = policy_copy::changed(&scratch, "nantes", &[(WINDOWS, &WINDOWS.replace("250 / 15 min", "60 / 15 min"))]);
    let reply = format!("451 4.7.1 no [may_send.person-outside.recipients_attempted/15min {}]", hash.short());
    let now = facteur(&["explain", &reply, "--policy", text(&later)]).ends(0);
    assert!(now.out.contains("60 per 15 min") && now.out.contains("refused by plan"), "{}", now.out);
    let then = facteur(&["explain", &reply, "--policy", text(&later), "--data", text(scratch.path())]).ends(0);
    assert!(then.out.contains("250 per 15 min") && then.out.contains("policy.ron:85"), "{}", then.out);
    assert!(!then.out.contains("refused by plan"), "{}", then.out);
    // A plan that was kept without its map names no line: the policy at hand answers, and says that it is another.
    std::fs::remove_file(plans.join(format!("{}.map.ron", hash.full())))?;
    let without = facteur(&["explain", &reply, "--policy", text(&later), "--data", text(scratch.path())]).ends(0);
    assert!(without.out.contains("60 per 15 min") && without.out.contains("refused by plan"), "{}", without.out);
    Ok(())
}
