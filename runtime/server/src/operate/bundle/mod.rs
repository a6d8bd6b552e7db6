//! `facteur doctor bundle`: what somebody needs to help from outside. Logs, plan, metrics and status, and nothing of mail:
//! no address, no login, no secret ([`scrub`]).

mod scrub;

use serde::{Deserialize, Serialize};

use self::scrub::Scrub;
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
        let mut after = None;
        loop {
            context.go_on()?;
            let page = context.store.people(after.as_ref(), PAGE)?;
            for row in &page {
                scrub.knows(row.person.login.as_str());
                scrub.knows(row.person.address.local());
            }
            match page.last() {
                Some(last) => after = Some(last.person.login.clone()),
                None => break,
            }
        }
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
