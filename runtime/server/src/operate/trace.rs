//! `facteur trace session`: a person's SMTP sessions as they go, masked.

use std::time::{Duration, Instant};

use decide::roles;
use mail::Login;
use serde::{Deserialize, Serialize};

use super::{Context, OperateError, Operation, Progress, Subject, Unit, audit};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Longer than this nobody watches at a stretch, in seconds.
const FOR_MAX_S: u64 = 86_400;

/// `POST /trace/session`. Lines come as progress while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceSession {
    pub login: String,
    pub for_s: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traced {
    pub lines: u64,
}

impl Operation for TraceSession {
    type Response = Traced;
    const PATH: &'static str = "/trace/session";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::WatchSessions
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    fn handle(self, context: &Context, tell: &mut dyn FnMut(Progress)) -> Result<Traced, OperateError> {
        let Some(service) = &context.server else { return Err(OperateError::NoServer) };
        let no_login = || OperateError::NoSuchLogin { login: self.login.clone() };
        let login = Login::new(&self.login).ok_or_else(no_login)?;
        context.store.person(&login)?.ok_or_else(no_login)?;
        let for_s = self.for_s.min(FOR_MAX_S);
        audit(context, &format!("watched the sessions of {login} for {for_s} s"));
        let busy = |_| OperateError::Busy { path: TraceSession::PATH.to_owned() };
        let watching = service.transcripts.watch(&login).map_err(busy)?;
        let (begun, limit) = (Instant::now(), Duration::from_secs(for_s));
        let mut traced = Traced::default();
        loop {
            let lines = watching.lines();
            if !lines.is_empty() {
                traced.lines += lines.len() as u64;
                let on = lines.join("\n");
                tell(Progress { on, done: traced.lines, total: None, unit: Unit::Messages });
            }
            if begun.elapsed() >= limit {
                return Ok(traced);
            }
            context.go_on()?;
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
