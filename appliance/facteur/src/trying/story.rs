//! The short story `try` plays over the wire. Every number is read from the plan; a policy that has no such rule leaves
//! the step out and says so.

use decide::{Auth, Block, Cell, Outcome, RecipientClass, SenderClass};
use plan::{At, BuiltInPass, ReceptionStep, Speaks, WhenOver, Window};

use super::describe::PersonView;
use super::stage::{RestDoor, Stage, Step, Told, expect, rule_of};
use super::standin;

/// Most recipients the story is willing to send for one limit.
const RECIPIENTS_SHOWN_MAX: u32 = 5_000;

/// Tells the story; true when every step the policy has went as its plan says.
pub async fn tell(stage: &Stage) -> bool {
    say!("\nA short story on real connections, plan {} ({}).", stage.plan, stage.tables.plan().institution.name);
    say!("Clients connect {}.", stage.origin());
    for line in server::unserved(&stage.tables) {
        say!("  not executed by this build: {line}");
    }
    if stage.tables.plan().identity.ldap.is_some() {
        say!("  people.ron stands in for the directory server: nobody is asked about people");
    }
    say!("");
    let mut good = true;
    good &= end("a message from a stranger is delivered and read back", stranger_writes(stage).await);
    good &= end("one recipient too many in one message", one_recipient_too_many(stage).await);
    good &= end("a stranger tries to relay", stranger_relays(stage).await);
    good &= end("an infected message", infected(stage).await);
    good &= end("a message that looks like spam", spam(stage).await);
    good &= end("the recipient past the window", past_the_window(stage).await);
    good
}

fn end(title: &str, step: Step) -> bool {
    match step {
        Ok(()) => {
            say!("   => as the plan says: {title}\n");
            true
        }
        Err(Told::Otherwise(what)) => {
            say!("   => WENT OTHERWISE: {title}: {what}\n");
            false
        }
        Err(Told::NotInThisPolicy(why)) => {
            say!("-- {title}: not told, {why}\n");
            true
        }
    }
}

fn missing(why: &str) -> Told {
    Told::NotInThisPolicy(why.to_owned())
}

fn receiving(stage: &Stage) -> Result<RestDoor, Told> {
    let door = stage.door(|block, _| matches!(block, Block::Receive(_)));
    door.ok_or_else(|| missing("no listener takes mail from strangers"))
}

fn sending(stage: &Stage) -> Result<RestDoor, Told> {
    let door = stage.door(|block, _| matches!(block, Block::Send(_)));
    door.ok_or_else(|| missing("nobody may send from there"))
}

fn person(stage: &Stage, index: usize) -> Result<&PersonView, Told> {
    stage.people.get(index).ok_or_else(|| missing("there are too few people"))
}

fn message(from: &str, to: &str, subject: &str, body: &str) -> String {
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nDate: Mon, 23 Nov 2026 10:00:00 +0100\r\n\
         Message-ID: <{}.story@elsewhere.example>\r\n\r\n{body}\r\n",
        subject.replace(' ', "-")
    )
}

async fn stranger_writes(stage: &Stage) -> Step {
    let (door, reader) = (receiving(stage)?, person(stage, 0)?);
    say!("-- a stranger writes to {}", reader.address);
    let before = inbox_count(stage, reader)?;
    let mut wire = stage.smtp(&door).await?;
    expect(&wire.say("MAIL FROM:<ami@elsewhere.example>").await?, 250)?;
    expect(&wire.say(&format!("RCPT TO:<{}>", reader.address)).await?, 250)?;
    let content = message("ami@elsewhere.example", &reader.address, "Bonjour", "Bonjour de loin.");
    let answer = wire.data(&content).await?;
    wire.say("QUIT").await?;
    stage.show(&wire.transcript);
    expect(&answer, 250)?;
    if inbox_count(stage, reader)? != before + 1 {
        return Err(Told::Otherwise("the message is not in the mailbox".into()));
    }
    read_back(stage, reader).await
}

/// Reads the newest message of INBOX over IMAPS.
async fn read_back(stage: &Stage, reader: &PersonView) -> Step {
    let Some(door) = stage.door(|_, speaks| speaks == Speaks::Imap) else {
        return Err(missing("no listener reads mail"));
    };
    say!("\n   {} reads it:", reader.login);
    let mut wire = crate::wire::Wire::connect(&door.door, stage.tls.clone()).await?;
    let greeting = wire.line().await?;
    wire.transcript.server(&greeting);
    if !door.door.implicit_tls {
        wire.command("a0", "STARTTLS", "STARTTLS").await?;
        wire.start_tls().await?;
    }
    let login = format!("LOGIN \"{}\" \"{}\"", reader.login, reader.password);
    let shown = format!("LOGIN \"{}\" ********", reader.login);
    for (tag, shown, command) in [
        ("a1", shown.as_str(), login.as_str()),
        ("a2", "SELECT INBOX", "SELECT INBOX"),
        ("a3", "UID FETCH * (FLAGS ENVELOPE)", "UID FETCH * (FLAGS ENVELOPE)"),
        ("a4", "UID FETCH * (BODY.PEEK[TEXT])", "UID FETCH * (BODY.PEEK[TEXT])"),
        ("a5", "LOGOUT", "LOGOUT"),
    ] {
        let lines = wire.command(tag, shown, command).await?;
        let ok = lines.last().is_some_and(|line| line.starts_with(&format!("{tag} OK")));
        let found = tag != "a4" || lines.iter().any(|line| line.contains("Bonjour de loin."));
        if !ok || !found {
            stage.show(&wire.transcript);
            return Err(Told::Otherwise(format!("`{shown}` did not give the message")));
        }
    }
    stage.show(&wire.transcript);
    Ok(())
}

fn inbox_count(stage: &Stage, reader: &PersonView) -> Result<u64, Told> {
    let trouble = |error: &dyn std::fmt::Display| Told::Otherwise(format!("the store: {error}"));
    let login = mail::Login::new(&reader.login).ok_or_else(|| Told::Otherwise("no login".into()))?;
    let inbox = stage.store.mailbox(&login, &mail::MailboxName::inbox()).map_err(|e| trouble(&e))?;
    Ok(inbox.map_or(0, |inbox| u64::from(inbox.counts.messages)))
}

async fn one_recipient_too_many(stage: &Stage) -> Step {
    let (door, writer) = (sending(stage)?, person(stage, 0)?);
    let Some((path, row)) = stage.row(&door, writer) else { return Err(missing("the block has no limits")) };
    let max = row.recipients_in_one_message;
    if max > RECIPIENTS_SHOWN_MAX {
        return Err(missing(&format!("{max} recipients in one message are too many to show")));
    }
    say!("-- {} writes to {} people at once; {max} are allowed", writer.login, max + 1);
    let mut wire = stage.logged_in(&door, writer).await?;
    expect(&wire.say(&format!("MAIL FROM:<{}>", writer.address)).await?, 250)?;
    recipients(&mut wire, 1, max).await?;
    let answer = wire.say(&format!("RCPT TO:<friend{}@elsewhere.example>", max + 1)).await?;
    wire.say("RSET").await?;
    wire.say("QUIT").await?;
    stage.show(&wire.transcript);
    let code = match stage.tables.plan().when_over.recipients_in_one_message {
        WhenOver::TryLater => 452,
        WhenOver::Refuse => 550,
    };
    refused(stage, &answer, code, &format!("{path}.recipients_in_one_message"))
}

/// RCPT for `first` to `last`, all to be accepted; the dialogue keeps the first and the last.
async fn recipients(wire: &mut crate::wire::Wire, first: u32, last: u32) -> Step {
    for number in first..=last {
        let from = wire.transcript.len();
        let answer = wire.say(&format!("RCPT TO:<friend{number}@elsewhere.example>")).await?;
        expect(&answer, 250)?;
        if number > first && number < last {
            if number == first + 1 {
                wire.transcript.fold(from, "…");
            } else {
                wire.transcript.fold(from - 1, &format!("… {} more, all 250 …", number - first));
            }
        }
    }
    Ok(())
}

/// A refusal with this code by this rule, shown with its line.
fn refused(stage: &Stage, answer: &crate::wire::Answer, code: u16, rule: &str) -> Step {
    expect(answer, code)?;
    let said = rule_of(answer).unwrap_or_default();
    if said != rule {
        return Err(Told::Otherwise(format!("refused by `{said}`, expected `{rule}`")));
    }
    stage.show_rule(rule);
    Ok(())
}

async fn stranger_relays(stage: &Stage) -> Step {
    let door = receiving(stage)?;
    say!("-- a stranger writes to another stranger through us");
    let mut wire = stage.smtp(&door).await?;
    expect(&wire.say("MAIL FROM:<spam@elsewhere.example>").await?, 250)?;
    let answer = wire.say("RCPT TO:<victim@faraway.example>").await?;
    wire.say("QUIT").await?;
    stage.show(&wire.transcript);
    let Some(client) = stage.client(&door, None) else { return Err(missing("no network is `Rest`")) };
    let verdict = stage.tables.envelope(Cell {
        listener: door.listener,
        class: client.class,
        tls: true,
        auth: Auth::None,
        sender: SenderClass::Foreign,
        recipient: RecipientClass::Remote,
    });
    let Outcome::Refuse { code, .. } = verdict.outcome else {
        return Err(Told::Otherwise("this plan is an open relay".into()));
    };
    expect(&answer, code.basic)?;
    stage.show_rule(&verdict.rule);
    Ok(())
}

async fn infected(stage: &Stage) -> Step {
    let Some(antivirus) = &stage.tables.plan().antivirus else { return Err(missing("it has no virus engine")) };
    let (door, reader) = (receiving(stage)?, person(stage, 0)?);
    say!("-- a stranger sends the EICAR test file to {}; engines: {}", reader.address, antivirus.engines.join(", "));
    let before = (inbox_count(stage, reader)?, quarantined(stage)?);
    let mut wire = stage.smtp(&door).await?;
    expect(&wire.say("MAIL FROM:<ami@elsewhere.example>").await?, 250)?;
    expect(&wire.say(&format!("RCPT TO:<{}>", reader.address)).await?, 250)?;
    let content = message("ami@elsewhere.example", &reader.address, "Facture", &standin::eicar());
    let answer = wire.data(&content).await?;
    wire.say("QUIT").await?;
    stage.show(&wire.transcript);
    let rules = antivirus.inbound.infected;
    let code = if rules.reply == plan::ReplyTo::Refuse { 554 } else { 250 };
    expect(&answer, code)?;
    let after = (inbox_count(stage, reader)?, quarantined(stage)?);
    let kept = u64::from(rules.keep == plan::Keep::Quarantine);
    say!(
        "   in the mailbox: {} before, {} after; in quarantine: {} before, {} after",
        before.0,
        after.0,
        before.1,
        after.1
    );
    if after != (before.0, before.1 + kept) {
        return Err(Told::Otherwise("the message is not where the policy wants it".into()));
    }
    stage.show_rule("antivirus.inbound.infected");
    Ok(())
}

fn quarantined(stage: &Stage) -> Result<u64, Told> {
    let list = stage.store.quarantined(None, 10_000);
    list.map(|list| list.len() as u64).map_err(|error| Told::Otherwise(format!("the store: {error}")))
}

async fn spam(stage: &Stage) -> Step {
    let plan = stage.tables.plan();
    let Some(rules) = plan.antispam.as_ref().filter(|_| plan.reception.contains(&ReceptionStep::Antispam)) else {
        return Err(missing("it has no spam filter"));
    };
    let form = |name: &String| plan.scanners.get(name).is_some_and(|it| it.at == At::BuiltIn(BuiltInPass::Form));
    if !rules.passes.iter().any(form) {
        return Err(missing("the form of mail is not looked at"));
    }
    let (door, reader) = (receiving(stage)?, person(stage, 0)?);
    say!(
        "-- a stranger sends the test of spam filters (GTUBE) to {}; passes: {}",
        reader.address,
        rules.passes.join(", ")
    );
    let before = inbox_count(stage, reader)?;
    let mut wire = stage.smtp(&door).await?;
    expect(&wire.say("MAIL FROM:<ami@elsewhere.example>").await?, 250)?;
    expect(&wire.say(&format!("RCPT TO:<{}>", reader.address)).await?, 250)?;
    let content = message("ami@elsewhere.example", &reader.address, "Gagnez vite", &gtube());
    let answer = wire.data(&content).await?;
    wire.say("QUIT").await?;
    stage.show(&wire.transcript);
    if rules.refuse_below_thousandths.is_some() {
        expect(&answer, 554)?;
        stage.show_rule("antispam.always");
        return Ok(());
    }
    expect(&answer, 250)?;
    if inbox_count(stage, reader)? != before + 1 {
        return Err(Told::Otherwise("the message is not in the mailbox".into()));
    }
    let subject = newest_subject(stage, reader)?;
    say!("   in the mailbox, with the Subject: {subject}");
    let expected = format!("{} Gagnez vite", rules.tag.subject);
    if subject != expected.trim_start() {
        return Err(Told::Otherwise(format!("the Subject should be `{expected}`")));
    }
    stage.show_line("decided", "antispam.tag");
    Ok(())
}

/// <https://spamassassin.apache.org/gtube/>, split so that this program is no test message.
fn gtube() -> String {
    ["XJS*C4JDBQADN1.NSBN3*2IDNEN*", "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"].concat()
}

fn newest_subject(stage: &Stage, reader: &PersonView) -> Result<String, Told> {
    let trouble = |error: &dyn std::fmt::Display| Told::Otherwise(format!("the store: {error}"));
    let login = mail::Login::new(&reader.login).ok_or_else(|| Told::Otherwise("no login".into()))?;
    let inbox = stage.store.mailbox(&login, &mail::MailboxName::inbox()).map_err(|e| trouble(&e))?;
    let inbox = inbox.ok_or_else(|| Told::Otherwise("no INBOX".into()))?;
    let parts = mail::mime::SummaryParts::ALL;
    let all = stage.store.summaries(inbox.id, &store::UidSet::all(), parts, usize::MAX).map_err(|e| trouble(&e))?;
    Ok(all.last().map(|(_, summary)| summary.subject.clone()).unwrap_or_default())
}

/// Somebody who is not the one of the step before, and for whom the figures of the block hold.
fn without_grant(stage: &Stage) -> Result<&PersonView, Told> {
    let grants = &stage.tables.plan().limit_grants;
    let has_grant = |person: &&PersonView| grants.iter().any(|grant| grant.login == person.login);
    stage.people.iter().skip(1).find(|person| !has_grant(person)).ok_or_else(|| missing("there are too few people"))
}

async fn past_the_window(stage: &Stage) -> Step {
    let (door, writer) = (sending(stage)?, without_grant(stage)?);
    let Some((path, row)) = stage.row(&door, writer) else { return Err(missing("the block has no limits")) };
    let attempted = row.recipients_attempted.list().first().map(|w| ("recipients_attempted", w));
    let accepted = row.recipients_accepted.list().first().map(|w| ("recipients_accepted", w));
    let Some((event, window)) = attempted.or(accepted) else { return Err(missing("no window counts recipients")) };
    let messages = window.max.div_ceil(row.recipients_in_one_message);
    if window.max > RECIPIENTS_SHOWN_MAX || !messages_fit(row, messages + 1) {
        return Err(missing("another limit is reached first"));
    }
    say!("-- {} writes {messages} messages to {} people, then one more", writer.login, window.max);
    let mut wire = stage.logged_in(&door, writer).await?;
    let mut sent = 0;
    for number in 1..=messages {
        let from = wire.transcript.len();
        let last = (sent + row.recipients_in_one_message).min(window.max);
        expect(&wire.say(&format!("MAIL FROM:<{}>", writer.address)).await?, 250)?;
        recipients(&mut wire, sent + 1, last).await?;
        let content = message(&writer.address, "liste@elsewhere.example", &format!("Lettre {number}"), "Bonjour.");
        expect(&wire.data(&content).await?, 250)?;
        wire.transcript
            .fold(from, &format!("… message {number} of {messages}: recipients {} to {last}, all 250 …", sent + 1));
        sent = last;
    }
    expect(&wire.say(&format!("MAIL FROM:<{}>", writer.address)).await?, 250)?;
    let answer = wire.say(&format!("RCPT TO:<friend{}@elsewhere.example>", window.max + 1)).await?;
    wire.say("QUIT").await?;
    stage.show(&wire.transcript);
    let code = match stage.tables.plan().when_over.window {
        WhenOver::TryLater => 451,
        WhenOver::Refuse => 550,
    };
    refused(stage, &answer, code, &format!("{path}.{event}/{}", window.width_name()))
}

fn messages_fit(row: &plan::Row, messages: u32) -> bool {
    let all = [row.messages_attempted.list(), row.messages_accepted.list()].concat();
    all.iter().all(|window: &Window| window.max >= messages)
}
