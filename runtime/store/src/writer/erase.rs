//! A person goes, with all that was theirs.

use mail::Login;
use rusqlite::OptionalExtension;

use super::Stop;
use super::group::Group;
use crate::error::Refusal;
use crate::op::OpResult;
use crate::read::fold;

impl Group<'_> {
    /// Both, where they lie in one shard.
    pub(super) fn erase_person(&mut self, login: &Login) -> Result<OpResult, Stop> {
        // An op refuses before it writes.
        self.address_of(login)?;
        self.erase_account(login)?;
        self.erase_directory(login)
    }

    /// The account and the rights others gave it, as far as they lie here.
    pub(super) fn erase_account(&mut self, login: &Login) -> Result<OpResult, Stop> {
        let folded = fold(login);
        if folded.starts_with('$') {
            return Err(Refusal::NoSuchLogin(login.clone()).into());
        }
        if let Some(account) = self.tallies.account(self.db, &folded)? {
            let mailboxes: Vec<u32> = self
                .db
                .prepare_cached("SELECT id FROM mailbox WHERE account = ?1")?
                .query_map([account.id], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            for mailbox in mailboxes {
                self.drop_mailbox(account.id, mailbox)?;
            }
            // A thread that waits in memory may come to its table later: the number of an account is never given again.
            for table in ["subscription", "annotation", "thread", "thread_fresh", "taken"] {
                self.db.prepare_cached(&format!("DELETE FROM {table} WHERE account = ?1"))?.execute([account.id])?;
            }
            self.db.prepare_cached("DELETE FROM account WHERE id = ?1")?.execute([account.id])?;
            self.tallies.remove_account(account.id);
        }
        self.erase_grants(&folded)?;
        Ok(OpResult::Done)
    }

    fn erase_grants(&mut self, login: &str) -> Result<(), Stop> {
        let shared: Vec<u32> = self
            .db
            .prepare_cached("SELECT DISTINCT mailbox FROM acl WHERE grantee = ?1")?
            .query_map([login], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        self.db.prepare_cached("DELETE FROM acl WHERE grantee = ?1")?.execute([login])?;
        shared.into_iter().for_each(|mailbox| self.tallies.mark_changed(mailbox));
        Ok(())
    }

    /// The row, the words, the accesses, and the addresses that lead to nobody now. The ledger keeps what was given.
    pub(super) fn erase_directory(&mut self, login: &Login) -> Result<OpResult, Stop> {
        let (address, login) = (self.address_of(login)?, fold(login));
        self.free(&login)?;
        self.free(&address)?;
        let aliases: Vec<(String, i64)> = self
            .db
            .prepare_cached(
                "SELECT DISTINCT a.folded, a.kind FROM alias_member m JOIN alias a ON a.folded = m.folded
                 WHERE m.login = ?1",
            )?
            .query_map([&login], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        self.db.prepare_cached("DELETE FROM alias_member WHERE login = ?1")?.execute([&login])?;
        for (alias, kind) in aliases {
            let empty: bool = self
                .db
                .prepare_cached(
                    "SELECT NOT EXISTS(SELECT 1 FROM alias_member WHERE folded = ?1)
                        AND NOT EXISTS(SELECT 1 FROM alias_follows WHERE folded = ?1)",
                )?
                .query_row([&alias], |row| row.get(0))?;
            // A function outlives its members, and so does what follows one.
            if empty && kind < 2 {
                self.free_alias(&alias)?;
                self.delete_alias(&alias)?;
                // Whoever is given the address one day gets no mail of what followed it.
                self.db.prepare_cached("DELETE FROM alias_follows WHERE target = ?1")?.execute([&alias])?;
            }
        }
        for statement in [
            "DELETE FROM person_word WHERE login = ?1",
            "DELETE FROM access WHERE login = ?1",
            "DELETE FROM person WHERE login = ?1",
        ] {
            self.db.prepare_cached(statement)?.execute([&login])?;
        }
        Ok(OpResult::Done)
    }

    fn address_of(&mut self, login: &Login) -> Result<String, Stop> {
        let mut query = self.db.prepare_cached("SELECT folded FROM person WHERE login = ?1")?;
        let found = query.query_row([fold(login)], |row| row.get(0)).optional()?;
        found.ok_or_else(|| Refusal::NoSuchLogin(login.clone()).into())
    }
}
