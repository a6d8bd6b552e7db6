//! Blocks that managers set by a command. Facts: the store keeps each as a setting, this is the same in memory, swapped as
//! a whole, so that the next command of every connection meets it. They only narrow (`decide::blocked`), and each ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use decide::{LiveBlock, LiveBlocks, Tables, too_wide};
use plan::BlockedWhat;
use serde::{Deserialize, Serialize};
use store::{CommitError, Op, ReadError, Store};

use crate::random;

/// Keys of settings: this and the id.
const PREFIX: &str = "block/";
/// Blocks one server keeps.
pub const BLOCKS_MAX: usize = 10_000;
/// The longest life where no plan says a shorter one, in seconds.
pub const LIFE_S_MAX: u64 = 366 * 86_400;
/// Digits of an id: none is taken for another.
const DIGITS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// What a manager blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub what: BlockedWhat,
    pub because: String,
    /// The manager's login; the user on the control socket where nobody is named.
    pub by: String,
    /// Unix seconds.
    pub at_s: i64,
    /// It holds before this moment.
    pub until_s: i64,
}

/// All of them at one moment.
#[derive(Debug, Default)]
pub struct Current {
    pub live: LiveBlocks,
    /// By id.
    pub listed: BTreeMap<String, Block>,
}

impl Current {
    fn of(listed: BTreeMap<String, Block>) -> Arc<Current> {
        let live = |(id, block): (&String, &Block)| LiveBlock {
            id: id.clone(),
            what: block.what.clone(),
            until_s: block.until_s,
        };
        Arc::new(Current { live: LiveBlocks::new(listed.iter().map(live)), listed })
    }
}

/// The blocks of a server.
#[derive(Debug, Default)]
pub struct Blocks {
    current: RwLock<Arc<Current>>,
    /// One change at a time: what is in memory is what the store has.
    changing: Mutex<()>,
}

impl Blocks {
    /// Those of the store. What this plan would not let anybody set does not act: its domains may be others than when it was
    /// set, and a command without a server knows no plan.
    pub fn load(store: &Store, tables: &Tables) -> Result<Blocks, ReadError> {
        Ok(Blocks { current: RwLock::new(Current::of(acting(store, tables)?)), changing: Mutex::default() })
    }

    /// Those of the store under another plan.
    pub fn reload(&self, store: &Store, tables: &Tables) -> Result<(), ReadError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.replace(acting(store, tables)?);
        Ok(())
    }

    pub fn current(&self) -> Arc<Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Commits `ops` and puts `block` in the place of `id`, or takes it away. What is committed is believed.
    pub fn put(&self, store: &Store, id: &str, block: Option<Block>, mut ops: Vec<Op>) -> Result<(), CommitError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        ops.push(op(id, block.as_ref()));
        store.commit_wait(ops)?;
        let mut listed = self.current().listed.clone();
        match block {
            Some(block) => listed.insert(id.to_owned(), block),
            None => listed.remove(id),
        };
        self.replace(listed);
        Ok(())
    }

    fn replace(&self, listed: BTreeMap<String, Block>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Current::of(listed);
    }

    /// Forgets what has ended. It had no effect any more.
    pub fn sweep(&self, store: &Store, now_s: i64) -> Result<(), CommitError> {
        let _one = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut listed = self.current().listed.clone();
        let ended: Vec<String> = listed.extract_if(.., |_, block| block.until_s <= now_s).map(|(id, _)| id).collect();
        if !ended.is_empty() {
            // All at once: there may be thousands.
            store.commit_wait(ended.iter().map(|id| op(id, None)).collect())?;
            self.replace(listed);
        }
        Ok(())
    }
}

/// Those of the store that this plan would let anybody set.
fn acting(store: &Store, tables: &Tables) -> Result<BTreeMap<String, Block>, ReadError> {
    let mut listed = kept(store)?;
    let life_s = i64::try_from(tables.plan().response.block_at_most_s).unwrap_or(i64::MAX);
    listed.retain(|id, block| {
        let wide = too_wide(tables, &block.what);
        if let Some(why) = &wide {
            tracing::error!(block = id, "this block does not act: {why}");
        }
        block.until_s = block.until_s.min(block.at_s.saturating_add(life_s));
        wide.is_none()
    });
    Ok(listed)
}

/// What the store has, by id.
pub fn kept(store: &Store) -> Result<BTreeMap<String, Block>, ReadError> {
    let mut listed = BTreeMap::new();
    for (key, value) in store.settings(PREFIX, "", BLOCKS_MAX)? {
        let id = key.strip_prefix(PREFIX).unwrap_or_default().to_owned();
        match serde_json::from_slice(&value) {
            Ok(block) => drop(listed.insert(id, block)),
            Err(error) => tracing::error!("block {id} cannot be read, it does not act: {error}"),
        }
    }
    Ok(listed)
}

/// The change of the store that sets a block or takes it away.
pub fn op(id: &str, block: Option<&Block>) -> Op {
    // INVARIANT: strings and numbers always have a JSON form.
    let value = block.map(|block| serde_json::to_vec(block).unwrap_or_default());
    Op::Setting { key: format!("{PREFIX}{id}"), value }
}

/// An id nobody has.
pub fn new_id(taken: &BTreeMap<String, Block>) -> String {
    loop {
        let id: String =
            random::octets::<6>().iter().map(|octet| char::from(DIGITS[usize::from(octet % 32)])).collect();
        if !taken.contains_key(&id) {
            return id;
        }
    }
}

#[cfg(test)]
mod tests;
