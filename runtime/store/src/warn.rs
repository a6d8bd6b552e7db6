//! Accounts that filled up past a level: the writer wakes whoever tells their owners, and a read says who they are. Nothing is
//! kept in memory but the levels, so a crash between the two forgets nobody.

use std::sync::{PoisonError, RwLock};

use mail::Login;

use crate::error::ReadError;
use crate::read::{USAGE, Usage, usage_row};
use crate::store::Store;

/// Called on a thread of the store: it may send and wake, and must not block.
type Waker = Box<dyn Fn() + Send + Sync>;

/// Levels in thousandths of the quota, and who wants to know.
#[derive(Default)]
pub(crate) struct Levels(RwLock<Option<(Vec<u32>, Waker)>>);

impl Levels {
    /// Writer, with a group published in which accounts changed like this.
    pub(crate) fn look(&self, mut usages: impl Iterator<Item = Usage>) {
        let levels = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((levels, waker)) = &*levels
            && usages.any(|usage| usage.level_to_tell(levels).is_some())
        {
            waker();
        }
    }
}

impl Usage {
    /// How full the account is, in thousandths of its quota.
    pub fn fill_permille(&self) -> u32 {
        let fill = u128::from(self.used_octets) * 1000 / u128::from(self.quota_octets.max(1));
        u32::try_from(fill).unwrap_or(u32::MAX)
    }

    /// The highest of `levels` (in thousandths) the account has reached and its owner was not told of.
    pub fn level_to_tell(&self, levels: &[u32]) -> Option<u32> {
        if self.quota_octets == 0 {
            return None;
        }
        let reached = levels.iter().copied().filter(|level| *level <= self.fill_permille()).max()?;
        (reached > self.warned_permille).then_some(reached)
    }
}

impl Store {
    /// From now on `waker` is called after each group in which an account reached one of `levels` (thousandths of its quota)
    /// and was not told.
    pub fn watch_levels(&self, levels: Vec<u32>, waker: Waker) {
        *self.levels.0.write().unwrap_or_else(PoisonError::into_inner) = Some((levels, waker));
    }

    /// Accounts whose owners are to be told, and the level; see [`crate::Op::Warned`].
    pub fn accounts_to_warn(&self, levels: &[u32]) -> Result<Vec<(Login, u32, Usage)>, ReadError> {
        let Some(lowest) = levels.iter().min() else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for shard in self.shard_numbers() {
            self.read_in(shard, |tx| {
                let mut query = tx.prepare_cached(&format!(
                    "{USAGE} WHERE a.quota > 0 GROUP BY a.id HAVING sum(m.octets) / (a.quota / 1000.0) >= ?1
                     ORDER BY a.login"
                ))?;
                let mut rows = query.query([lowest])?;
                while let Some(row) = rows.next()? {
                    let usage = usage_row(row)?;
                    let login = Login::new(&row.get::<_, String>(4)?).ok_or(ReadError::Damaged)?;
                    found.extend(usage.level_to_tell(levels).map(|level| (login, level, usage)));
                }
                Ok(())
            })?;
        }
        Ok(found)
    }
}
