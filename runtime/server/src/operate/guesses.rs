//! `facteur person unlock`: failed logins of an account are forgotten, so that its owner gets in again at once.

use decide::{is_of_account, roles};
use serde::{Deserialize, Serialize};
use store::{Op, Ring};

use super::{Context, OperateError, Operation, Progress, Subject, audit, place};

/// `POST /person/unlock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnlockPerson {
    pub login: String,
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnlockedPerson {
    /// Networks and neighbourhoods with failed logins, and the different secrets that were tried.
    pub forgotten: usize,
}

impl Operation for UnlockPerson {
    type Response = UnlockedPerson;
    const PATH: &'static str = "/person/unlock";
    const LONG: bool = false;

    fn act(&self) -> roles::Act {
        roles::Act::Unlock
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Login(&self.login)
    }

    /// Limits of the addresses the guesses came from stay.
    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<UnlockedPerson, OperateError> {
        let login = place::login(context, &self.login)?;
        let forgotten = match &context.server {
            Some(server) => server.rings().forget_all(|key| is_of_account(key, login.as_str())),
            None => forget_kept(context, login.as_str())?,
        };
        audit(context, &format!("unlocked {login}: failed logins are forgotten"));
        Ok(UnlockedPerson { forgotten })
    }
}

/// The same in the store, which nobody serves.
fn forget_kept(context: &Context, login: &str) -> Result<usize, OperateError> {
    let is_it = |ring: &Ring| std::str::from_utf8(&ring.key).is_ok_and(|key| is_of_account(key, login));
    let rings: Vec<Ring> = context.store.load_rings()?.into_iter().filter(is_it).collect();
    let gone = rings.iter().map(|ring| Ring { key: ring.key.clone(), ticks: Vec::new() }).collect();
    context.store.commit_wait(vec![Op::FlushRings(gone)])?;
    Ok(rings.len())
}
