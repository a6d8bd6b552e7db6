//! `facteur log export`, and who a hash of the log stands for: rows of transactions as they were written, a page at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use decide::{FACTS_EVENT, Facts};
use mail::Login;
use serde::{Deserialize, Serialize};

use super::{Context, OperateError, Operation, Progress, audit};
use crate::{decisions, recording};

/// Rows read at a time, and octets of one answer.
const PAGE: usize = 2_000;
const PAGE_OCTETS_MAX: usize = 8 << 20;
/// People read at a time.
const PEOPLE_PAGE: u32 = 1_000;
/// Hashes and logins of one request.
const NAMES_MAX: usize = 20_000;
/// The kind of the first line of an exported log.
const KIND: &str = "decision-log";
const SCHEMA: u32 = 1;

/// `POST /decisions/describe`: the first line of an exported log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribeDecisions {
    /// Unix seconds.
    pub since_s: Option<i64>,
    pub until_s: Option<i64>,
}

/// What a log is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionLog {
    pub schema: u32,
    pub kind: String,
    /// The rows begin here: earlier than asked for, so that windows are full when what was asked for begins.
    pub from_s: i64,
    /// What is to be compared begins here; earlier rows only fill windows.
    pub judged_from_s: i64,
    pub until_s: i64,
    /// IANA name; empty where no server runs.
    pub time_zone: String,
    /// Full hashes of the plans that judged, each once.
    pub plans: Vec<String>,
    pub transactions: u64,
}

impl Operation for DescribeDecisions {
    type Response = DecisionLog;
    const PATH: &'static str = "/decisions/describe";
    const LONG: bool = true;

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<DecisionLog, OperateError> {
        let until_s = self.until_s.unwrap_or_else(crate::clock::unix_s);
        let first = context.store.decisions_page(i64::MIN, 0, 1)?;
        // Rows that went took what they counted with them.
        let whole_from_s = match first.first() {
            Some((1, ..)) | None => recording::is_known_from_s(&context.store)?,
            Some((_, at_s, _)) => at_s.saturating_add(recording::WIDEST_S),
        };
        let judged_from_s = self.since_s.unwrap_or(i64::MIN).max(whole_from_s);
        let from_s = judged_from_s.saturating_sub(recording::WIDEST_S);
        let mut plans = BTreeSet::new();
        let mut transactions = 0;
        let mut after_id = 0;
        loop {
            context.go_on()?;
            let rows = context.store.decisions_page(from_s, after_id, PAGE)?;
            let Some((last, ..)) = rows.last() else { break };
            after_id = *last;
            for (_, at_s, row) in rows.iter().filter(|(_, at_s, row)| *at_s < until_s && is_transaction(row)) {
                transactions += u64::from(*at_s >= judged_from_s);
                if let Ok(Plan { plan }) = serde_json::from_str::<Plan>(row)
                    && !plans.contains(&*plan)
                {
                    plans.insert(plan.into_owned());
                }
            }
        }
        audit(context, "exported the decision log");
        let time_zone = context.live.as_ref().map(|live| live.tables.plan().institution.time_zone.clone());
        Ok(DecisionLog {
            schema: SCHEMA,
            kind: KIND.to_owned(),
            from_s,
            judged_from_s,
            until_s,
            time_zone: time_zone.unwrap_or_default(),
            plans: plans.into_iter().collect(),
            transactions,
        })
    }
}

#[derive(Deserialize)]
struct Plan<'r> {
    #[serde(borrow)]
    plan: std::borrow::Cow<'r, str>,
}

/// Rows of outcomes stand in the same log.
fn is_transaction(row: &str) -> bool {
    let start = row.get(..64).unwrap_or(row);
    start.contains(&format!("\"event\":\"{FACTS_EVENT}\""))
}

/// `POST /decisions`: a page of rows in the order they were written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadDecisions {
    pub since_s: i64,
    pub until_s: i64,
    /// 0 for the first page.
    pub after_id: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionPage {
    pub rows: Vec<Facts>,
    /// Where the next page begins; absent at the end.
    pub after_id: Option<i64>,
}

impl Operation for ReadDecisions {
    type Response = DecisionPage;
    const PATH: &'static str = "/decisions";
    const LONG: bool = false;

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<DecisionPage, OperateError> {
        let mut page = DecisionPage::default();
        let mut octets = 0;
        for (id, at_s, row) in context.store.decisions_page(self.since_s, self.after_id, PAGE)? {
            page.after_id = Some(id);
            if at_s >= self.until_s || !is_transaction(&row) {
                continue;
            }
            octets += row.len();
            match serde_json::from_str(&row) {
                Ok(facts) => page.rows.push(facts),
                Err(error) => tracing::error!(id, "a row of the decision log cannot be read: {error}"),
            }
            if octets > PAGE_OCTETS_MAX {
                break;
            }
        }
        Ok(page)
    }
}

/// `POST /decisions/names`: which of these hashes are people's, and what the hashes of these logins are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameHashes {
    pub hashes: Vec<String>,
    pub logins: Vec<String>,
    /// Everybody is counted by profile.
    pub profiles: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedHashes {
    /// Hash to login.
    pub logins: BTreeMap<String, String>,
    /// Profile to how many people have it; empty unless asked for.
    pub profiles: BTreeMap<String, u64>,
}

impl Operation for NameHashes {
    type Response = NamedHashes;
    const PATH: &'static str = "/decisions/names";
    const LONG: bool = true;
    const OCTETS_MAX: usize = 2 << 20;

    fn handle(self, context: &Context, _: &mut dyn FnMut(Progress)) -> Result<NamedHashes, OperateError> {
        if self.hashes.len() + self.logins.len() > NAMES_MAX {
            return Err(OperateError::BadRequest { why: format!("more than {NAMES_MAX} names") });
        }
        let key = match &context.server {
            Some(server) => server.decisions_key,
            None => decisions::key(&context.store)?.0,
        };
        let mut named = NamedHashes::default();
        for login in &self.logins {
            named.logins.insert(decisions::hashed(login, &key), login.clone());
        }
        let wanted: HashSet<&str> = self.hashes.iter().map(String::as_str).collect();
        let mut profiles: HashMap<String, u64> = HashMap::new();
        let mut after: Option<Login> = None;
        while !wanted.is_empty() || self.profiles {
            context.go_on()?;
            let people = context.store.people(after.as_ref(), PEOPLE_PAGE)?;
            let Some(last) = people.last() else { break };
            after = Some(last.person.login.clone());
            for row in &people {
                let login = row.person.login.as_str();
                let hash = decisions::hashed(login, &key);
                if wanted.contains(hash.as_str()) {
                    named.logins.insert(hash, login.to_owned());
                }
                if self.profiles {
                    *profiles.entry(row.person.profile.clone()).or_default() += 1;
                }
            }
        }
        named.profiles = profiles.into_iter().collect();
        if !self.hashes.is_empty() {
            audit(context, &format!("named {} of the decision log", named.logins.len()));
        }
        Ok(named)
    }
}
