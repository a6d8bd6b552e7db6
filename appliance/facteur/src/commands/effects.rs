//! Who a difference touches: the lines `who:` and `replay:` of `facteur diff`, from a decision log and from who there is.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use decide::replay::{Kind, Report};
use policy::diff::{Change, Difference};
use serde::Deserialize;

use super::replay::{Judge, Key, Log, counted, days, figure, of_path, replayed};

/// Who there is, by profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census(BTreeMap<String, u64>);

/// A person, as lists name them.
#[derive(Deserialize)]
struct Person {
    profile: String,
}

impl Census {
    /// Reads a JSON list of people, or one person a line; `store` counts those of the data folder.
    pub fn load(from: &str, key: &Key) -> Result<Census, String> {
        if from == "store" {
            return match key.data()? {
                Some(_) => Ok(Census(key.names(Vec::new(), Vec::new(), true)?.profiles)),
                None => Err("--census store needs --data or --site".to_owned()),
            };
        }
        let text = std::fs::read_to_string(Path::new(from)).map_err(|error| format!("{from}: {error}"))?;
        Census::of_json(&text).map_err(|why| format!("{from}: {why}"))
    }

    fn of_json(text: &str) -> Result<Census, String> {
        let people: Vec<Person> = if text.trim_start().starts_with('[') {
            serde_json::from_str(text).map_err(|error| error.to_string())?
        } else {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let read = lines.map(serde_json::from_str).collect::<Result<_, serde_json::Error>>();
            read.map_err(|error| error.to_string())?
        };
        let mut counts = BTreeMap::new();
        for person in people {
            *counts.entry(person.profile).or_default() += 1;
        }
        Ok(Census(counts))
    }

    fn all(&self) -> u64 {
        self.0.values().sum()
    }
}

/// What the lines are made of.
pub struct Known<'k> {
    pub log: Option<&'k Log>,
    pub census: Option<&'k Census>,
    pub key: &'k Key,
}

/// Who used a block: by block, by profile, and with or without a login.
#[derive(Debug, Default)]
struct Users(HashMap<(String, Option<String>), HashSet<String>>);

impl Users {
    fn of(log: &Log) -> Result<Users, String> {
        let mut users = Users::default();
        log.each(|facts| {
            if facts.at_s >= log.head.judged_from_s {
                users.0.entry((facts.block, facts.profile)).or_default().insert(facts.who);
            }
            Ok(())
        })?;
        Ok(users)
    }

    /// Accounts and client addresses that used `block`; of one profile, accounts alone.
    fn used(&self, block: &str, profile: Option<&str>) -> (u64, u64) {
        let of = |accounts: bool| {
            let is_of = |(of, with): &&(String, Option<String>)| {
                of == block
                    && with.is_some() == accounts
                    && profile.is_none_or(|profile| with.as_deref() == Some(profile))
            };
            let sets = self.0.iter().filter(|(key, _)| is_of(key)).map(|(_, who)| who);
            sets.flatten().collect::<HashSet<_>>().len() as u64
        };
        (of(true), of(false))
    }
}

/// Adds the lines to each change, and gives the one about the whole log.
pub fn add(difference: &mut Difference, old: &str, new: &str, known: &Known<'_>) -> Result<Option<String>, String> {
    let report = match known.log {
        Some(log) => Some(replayed(&Judge::of(new)?, Some(&Judge::of(old)?), log, known.key)?),
        None => None,
    };
    let users = known.log.map(Users::of).transpose()?.unwrap_or_default();
    for change in &mut difference.changes {
        let who = who(change, known, report.as_ref(), &users);
        change.effects.extend(who.map(|who| format!("who: {who}")));
        if let Some(report) = &report {
            change.effects.extend(replay_lines(change, report).into_iter().map(|line| format!("replay: {line}")));
        }
    }
    Ok(report.map(|report| {
        let (decisions, refused) = (figure(report.decisions), figure(report.newly_refused));
        let (accepted, other) = (figure(report.newly_accepted), figure(report.other_reason));
        let days = days(&report);
        format!("{decisions} decisions in {days}: {refused} newly refused, {accepted} newly accepted, {other} for another reason")
    }))
}

/// `may_send.person-outside` of a rule, and the profile it is about.
fn block_of(rule: &str) -> Option<(String, Option<String>)> {
    let mut parts = rule.split('.');
    let (kind, name) = (parts.next()?, parts.next()?);
    if !matches!(kind, "may_send" | "may_receive") {
        return None;
    }
    let profile = (parts.next() == Some("by_profile")).then(|| parts.next()).flatten();
    Some((format!("{kind}.{name}"), profile.map(str::to_owned)))
}

fn who(change: &Change, known: &Known<'_>, report: Option<&Report>, users: &Users) -> Option<String> {
    let of_census = known.census.map(Census::all);
    if let Some((block, profile)) = block_of(&change.rule) {
        let report = report?;
        let (accounts, clients) = users.used(&block, profile.as_deref());
        let there_are = match (&profile, known.census) {
            (Some(profile), Some(census)) => census.0.get(profile).copied(),
            _ => of_census,
        };
        let of = there_are.map_or_else(String::new, |all| format!(" of {}", counted(all, "person", "people")));
        let mut said = format!("{}{of} used {block} in {}", counted(accounts, "account", "accounts"), days(report));
        if clients > 0 {
            said += &format!(", and {} without a login", counted(clients, "client address", "client addresses"));
        }
        return Some(said);
    }
    let profile = change.rule.strip_prefix("mailboxes.profiles.")?.split('.').next()?;
    let census = known.census?;
    let people = census.0.get(profile).copied().unwrap_or_default();
    Some(format!("{} of {} with profile \"{profile}\"", figure(people), counted(census.all(), "person", "people")))
}

fn replay_lines(change: &Change, report: &Report) -> Vec<String> {
    let path = change.rule.split('/').next().unwrap_or(&change.rule);
    // Whoever is not refused any more is in no list: strangers have no account.
    let of_strangers = ["strangers.", "may_receive."].iter().any(|start| change.rule.starts_with(start));
    let is_account = |who: &str| report.hurt.get(who).map_or(!of_strangers, |hurt| hurt.is_account);
    let mut lines = Vec::new();
    for (kind, what) in [
        (Kind::NewlyRefused, "would have been refused at least once"),
        (Kind::NewlyAccepted, "would have been let through at least once"),
    ] {
        let of = of_path(report, kind, path);
        if of.is_empty() {
            continue;
        }
        let who: HashSet<&String> = of.iter().flat_map(|of| &of.who).collect();
        let accounts = who.iter().filter(|who| is_account(who)).count();
        let (messages, recipients) = of.iter().fold((0, 0), |(m, r), of| (m + of.messages, r + of.recipients));
        lines.push(format!(
            "{} {what} ({}, {})",
            people(accounts as u64, (who.len() - accounts) as u64),
            counted(messages, "message", "messages"),
            counted(recipients, "recipient", "recipients")
        ));
    }
    if lines.is_empty() && block_of(&change.rule).is_some() {
        lines.push("nobody would have been refused or let through by it alone".to_owned());
    }
    lines
}

/// `2 accounts and 1 client address`, without what there is none of.
fn people(accounts: u64, clients: u64) -> String {
    let told = [
        (accounts, counted(accounts, "account", "accounts")),
        (clients, counted(clients, "client address", "client addresses")),
    ];
    told.into_iter().filter(|(count, _)| *count > 0).map(|(_, told)| told).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_counted_by_profile_from_a_list_or_from_lines() {
        let wanted = Census(BTreeMap::from([("staff".to_owned(), 2), ("student".to_owned(), 1)]));
        let lines = "{\"login\":\"a\",\"profile\":\"staff\"}\n\n{\"profile\":\"student\"}\n{\"profile\":\"staff\"}\n";
        assert_eq!(Census::of_json(lines).unwrap(), wanted);
        let list = "[{\"profile\":\"staff\"},{\"profile\":\"staff\"},{\"profile\":\"student\",\"first\":\"A\"}]";
        assert_eq!(Census::of_json(list).unwrap(), wanted);
        assert!(Census::of_json("{\"login\":\"a\"}").is_err(), "somebody without a profile");
    }

    #[test]
    fn who_is_touched_is_told_with_and_without_an_account() {
        for (accounts, clients, expected) in
            [(1, 0, "1 account"), (0, 2, "2 client addresses"), (2, 1, "2 accounts and 1 client address")]
        {
            assert_eq!(people(accounts, clients), expected);
        }
    }

    #[test]
    fn a_rule_of_a_block_names_it_and_its_profile() {
        let of = |rule: &str| block_of(rule);
        assert_eq!(of("may_send.out.recipients_attempted/1h"), Some(("may_send.out".to_owned(), None)));
        assert_eq!(
            of("may_send.out.by_profile.vip.messages_accepted"),
            Some(("may_send.out".to_owned(), Some("vip".to_owned())))
        );
        assert_eq!(of("mailboxes.when_full"), None);
    }
}
