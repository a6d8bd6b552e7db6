//! What a message would meet: judged by the very transaction the server runs, with every window empty.

use std::collections::BTreeMap;
use std::fmt;

use decide::{Account, Client, RecipientClass, Refusal, Rings, SenderClass, Tables, Tick, Transaction};
use mail::Login;
use plan::Limits;

use super::rule::block_named;
use super::{Explanation, Subject};
use crate::people::Directory;
use crate::prove::address_of;

/// RCPT commands that are played.
const RECIPIENTS_MAX: u32 = 100_000;

/// The message in question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Would<'w> {
    pub block: &'w str,
    pub login: Option<&'w str>,
    /// Recipients elsewhere.
    pub recipients: u32,
    pub size_octets: Option<u64>,
    /// For grants, `YYYY-MM-DD`.
    pub today: &'w str,
}

/// Why the question cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WouldError {
    UnknownBlock(String),
    UnknownLogin(String),
    TooMany,
}

impl fmt::Display for WouldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WouldError::UnknownBlock(name) => write!(f, "no block of `may_send` is called \"{name}\""),
            WouldError::UnknownLogin(name) => write!(f, "nobody has the login \"{name}\""),
            WouldError::TooMany => write!(f, "more than {RECIPIENTS_MAX} recipients"),
        }
    }
}

impl std::error::Error for WouldError {}

/// Plays one message.
pub fn would(
    subject: Subject<'_>,
    people: Option<&Directory>,
    question: &Would<'_>,
) -> Result<Explanation, WouldError> {
    if question.recipients > RECIPIENTS_MAX {
        return Err(WouldError::TooMany);
    }
    let unknown = || WouldError::UnknownBlock(question.block.to_owned());
    let tables = Tables::new(subject.plan.clone()).map_err(|_| unknown())?;
    let client = client(&tables, people, question)?;
    let mut rings = Rings::default();
    let (mut accepted, mut refused): (u32, Vec<(Refusal, u32)>) = (0, Vec::new());
    let mut watched = Vec::new();
    match Transaction::mail(
        &tables,
        &mut rings,
        &client,
        SenderClass::Own,
        question.size_octets,
        question.today,
        Tick(0),
    ) {
        Err(refusal) => refused.push((refusal, question.recipients)),
        Ok(mut transaction) => {
            watched.extend(transaction.would_refuse());
            for number in 0..question.recipients {
                let address = format!("{number}@elsewhere.example");
                match transaction.rcpt(&tables, &mut rings, RecipientClass::Remote, &address, Tick(0)) {
                    Ok(_) => accepted += 1,
                    Err(refusal) => match refused.last_mut() {
                        Some((last, count)) if *last == refusal => *count += 1,
                        _ => refused.push((refusal, 1)),
                    },
                }
                watched.extend(transaction.would_refuse());
            }
        }
    }
    let title = match (accepted, refused.is_empty()) {
        (_, true) => format!("accepted: {} to {}", question.block, counted(accepted)),
        (0, false) => format!("refused: {} for {}", question.block, counted(question.recipients)),
        (_, false) => format!("refused in part: {accepted} of {} accepted", counted(question.recipients)),
    };
    let mut explanation = Explanation::new(title);
    for (refusal, count) in &refused {
        let line = subject.line(&refusal.rule);
        explanation.facts.push(format!(
            "{} would get {} {} by {}{line}",
            counted(*count),
            refusal.code,
            refusal.text,
            refusal.rule
        ));
        explanation.lines.extend(subject.excerpt(&refusal.rule));
    }
    let mut by_rule: BTreeMap<&str, u32> = BTreeMap::new();
    for would in &watched {
        *by_rule.entry(&would.rule).or_default() += 1;
    }
    for (rule, count) in by_rule {
        let line = subject.line(rule);
        explanation.facts.push(format!("{count} would be refused by {rule}{line} if it did not only watch"));
        explanation.lines.extend(subject.excerpt(rule));
    }
    explanation.rule = refused.first().map(|(refusal, _)| refusal.rule.clone());
    explanation.facts.push("every window was taken to be empty".to_owned());
    Ok(explanation)
}

fn counted(recipients: u32) -> String {
    if recipients == 1 { "1 recipient".to_owned() } else { format!("{recipients} recipients") }
}

/// A client of the block, logged in where the block counts accounts.
fn client(tables: &Tables, people: Option<&Directory>, question: &Would<'_>) -> Result<Client, WouldError> {
    let unknown = || WouldError::UnknownBlock(question.block.to_owned());
    let (listener, class, _) = block_named(tables, question.block).ok_or_else(unknown)?;
    let plan = tables.plan();
    let block = plan.may_send.get(question.block).ok_or_else(unknown)?;
    let person = match (question.login, people) {
        (Some(login), Some(people)) => {
            let found = people.people.iter().find(|person| person.login.as_str() == login);
            Some(found.ok_or_else(|| WouldError::UnknownLogin(login.to_owned()))?)
        }
        _ => None,
    };
    let account = match &block.limits {
        Limits::EachClientAddress(_) => None,
        Limits::EachAccount(_) => {
            let login = question.login.unwrap_or("somebody");
            let login = Login::new(login).ok_or_else(|| WouldError::UnknownLogin(login.to_owned()))?;
            let profile = person.map_or(&plan.mailboxes.otherwise, |person| &person.profile).clone();
            Some(Account { login, profile })
        }
    };
    let address = address_of(tables, class);
    Ok(Client { listener, class, address, tls: true, account })
}
