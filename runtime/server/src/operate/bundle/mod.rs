//! `facteur doctor bundle`: what somebody needs to help from outside. Logs, plan, metrics and status, and nothing of mail:
//! no address, no login, no name, no secret ([`scrub`]).

mod scrub;

use std::collections::HashSet;

use mail::AliasKind;
use serde::{Deserialize, Serialize};

pub(super) use self::scrub::Scrub;
use super::status;
use super::{Context, OperateError, Operation, Progress};
use crate::{clock, logs};

/// People read at a time.
const PAGE: u32 = 1_000;

/// `POST /bundle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MakeBundle {}

/// Files by name; texts all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundled {
    pub files: Vec<(String, String)>,
}

impl Operation for MakeBundle {
    type Response = Bundled;
    const PATH: &'static str = "/bundle";
    const LONG: bool = true;
    const NEEDS_SERVER: bool = true;

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<Bundled, OperateError> {
        let service = context.server.as_ref().ok_or(OperateError::NoServer)?.current();
        let mut scrub = Scrub::new(service.site.secrets.values().map(|secret| secret.reveal().to_owned()));
        learn(context, &mut scrub)?;
        let now = status::now(&service, clock::unix_s())?;
        let lines: Vec<String> = logs::remembered().into_iter().map(|line| line.0).collect();
        let plan = plan::emit(service.tables.plan());
        let texts = [
            ("log.txt", lines.join("\n") + "\n"),
            ("metrics.txt", service.metrics.page(&context.store.metrics().now())),
            ("plan.ron", plan),
            ("plan-hash.txt", format!("{}\n", service.plan_full)),
            ("status.json", serde_json::to_string_pretty(&now).unwrap_or_default() + "\n"),
        ];
        super::audit(context, "made a bundle for support");
        Ok(Bundled { files: texts.into_iter().map(|(name, text)| (name.to_owned(), scrub.text(&text))).collect() })
    }
}

/// Whom to take out: everybody of the directory, and who had an address or a login before.
pub(super) fn learn(context: &Context, scrub: &mut Scrub) -> Result<(), OperateError> {
    let store = &context.store;
    let mut after = None;
    loop {
        context.go_on()?;
        let page = store.people(after.as_ref(), PAGE)?;
        for row in &page {
            scrub.knows(row.person.login.as_str());
            scrub.knows(row.person.address.local());
            scrub.knows_name(&row.person.first);
            scrub.knows_name(&row.person.last);
        }
        let Some(last) = page.last() else { break };
        after = Some(last.person.login.clone());
    }
    // `postmaster` and `support` are nobody's name, and words of the log.
    let mut functions = HashSet::new();
    let mut after = String::new();
    loop {
        context.go_on()?;
        let page = store.aliases(&after, PAGE)?;
        for alias in &page {
            match alias.kind {
                AliasKind::Former | AliasKind::Alias => scrub.knows(alias.address.local()),
                AliasKind::Function | AliasKind::FunctionMailbox { .. } => {
                    functions.insert(alias.address.folded());
                }
            }
        }
        let Some(last) = page.last() else { break };
        after = last.address.folded();
    }
    let mut after = String::new();
    loop {
        context.go_on()?;
        let page = store.given_list(&after, PAGE)?;
        for given in page.iter().filter(|given| !functions.contains(&given.what)) {
            scrub.knows(given.what.rsplit_once('@').map_or(given.what.as_str(), |(local, _)| local));
        }
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.what);
    }
}
