//! Why was this refused? What the decision log has about a person or an address, and what a pasted reply says.

use decide::{Reason, roles};
use jiff::civil::Date;
use mail::Address;
use serde::{Deserialize, Serialize};

use super::delegate::server;
use super::{Context, OperateError, Operation, Progress, Subject, audit, place};

/// Decisions one answer names.
const NAMED_MAX: usize = 100;
/// Rows read for it.
const READ_MAX: usize = 2_000;

/// `POST /decided`: decisions about a login, with the official address of who has it, or about an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookUpDecisions {
    pub login: Option<String>,
    /// Anybody's; who sees only a unit gives a login.
    pub address: Option<Address>,
    /// Only of this day, in the institution's time zone.
    pub day: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub at_s: i64,
    pub event: String,
    pub queue_id: String,
    /// In the closed list of reasons; empty where nothing was refused.
    pub reason: String,
    pub code: String,
    pub rule: String,
    pub plan: String,
    pub listener: String,
    pub class: String,
    pub said: String,
}

/// A row as the log keeps it.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Row {
    event: String,
    queue_id: String,
    reason: String,
    code: String,
    rule: String,
    plan: String,
    listener: String,
    class: String,
    said: String,
}

impl Operation for LookUpDecisions {
    type Response = Vec<Decided>;
    const PATH: &'static str = "/decided";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::LookUpDecision
    }

    fn subject(&self) -> Subject<'_> {
        match (&self.login, &self.address) {
            (Some(login), None) => Subject::Login(login),
            // An address beside a login would be looked up under the cover of it.
            _ => Subject::Nobody,
        }
    }

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<Vec<Decided>, OperateError> {
        let service = server(context)?;
        let mut names: Vec<String> = self.address.iter().map(Address::to_string).collect();
        if let Some(login) = &self.login {
            let login = place::login(context, login)?;
            names.push(login.to_string());
            names.extend(context.store.person(&login)?.map(|row| row.person.address.to_string()));
        }
        if names.is_empty() {
            return Err(OperateError::BadRequest { why: "say about whom".to_owned() });
        }
        let day = self.day.as_deref().map(str::trim).filter(|day| !day.is_empty());
        let bad = |text: &str| OperateError::BadDate { text: text.to_owned() };
        let day = day.map(|text| text.parse::<Date>().map_err(|_| bad(text))).transpose()?;
        audit(context, &format!("looked up decisions about {}", names.join(", ")));
        let mut found = Vec::new();
        for name in &names {
            let about = format!("\"about\":\"{}\"", crate::decisions::hashed(name, &service.decisions_key));
            found.extend(context.store.decisions_with(&about, READ_MAX)?);
        }
        found.sort_by_key(|(at_s, _)| std::cmp::Reverse(*at_s));
        let is_of_day = |at_s: i64| {
            let at = jiff::Timestamp::from_second(at_s).unwrap_or_default().to_zoned(service.time_zone.clone());
            day.is_none_or(|day| at.date() == day)
        };
        let of_day = found.into_iter().filter(|(at_s, _)| is_of_day(*at_s)).take(NAMED_MAX);
        Ok(of_day.filter_map(|(at_s, row)| Some(decided(at_s, serde_json::from_str(&row).ok()?))).collect())
    }
}

fn decided(at_s: i64, row: Row) -> Decided {
    let Row { event, queue_id, reason, code, rule, plan, listener, class, said } = row;
    Decided { at_s, event, queue_id, reason, code, rule, plan, listener, class, said: super::shown_line(&said) }
}

/// What stands in the brackets at the end of a reply of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pasted {
    /// Where the word or the code names one.
    pub reason: Option<Reason>,
    /// A path in the policy, as people who are logged in read it; empty where strangers read a word.
    pub rule: String,
    /// Of the plan that decided.
    pub plan: String,
}

/// Reads a reply somebody pasted, however a program broke its lines.
pub fn pasted(reply: &str) -> Option<Pasted> {
    let text = reply.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, behind) = text.rsplit_once('[')?;
    let (inside, _) = behind.split_once(']')?;
    let (source, plan) = inside.rsplit_once(' ').unwrap_or((inside, ""));
    let reason = Reason::ALL.into_iter().find(|reason| reason.word() == source);
    let rule = if reason.is_some() { String::new() } else { source.to_owned() };
    Some(Pasted { reason, rule, plan: plan.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_reply_says_its_word_or_its_rule() {
        let word = pasted("550 5.1.1 <a@b>: nobody here has\r\n this address [unknown-recipient q7k3m2xw]").unwrap();
        assert_eq!(
            (word.reason, word.rule.as_str(), word.plan.as_str()),
            (Some(Reason::UnknownRecipient), "", "q7k3m2xw")
        );
        let rule = pasted("452 too many [may_send.person-outside.recipients_attempted\n q7k3m2xw]").unwrap();
        assert_eq!((rule.reason, rule.rule.as_str()), (None, "may_send.person-outside.recipients_attempted"));
        for text in ["", "550 no", "550 no [", "]["] {
            assert_eq!(pasted(text), None, "{text}");
        }
    }
}
