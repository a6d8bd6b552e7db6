//! People and the addresses that lead to them.

use std::collections::BTreeSet;

use mail::{Address, Alias, AliasKind, Login, MailboxName, Person};

use super::Stop;
use super::group::Group;
use crate::error::Refusal;
use crate::given::{GivenKind, Origin, holder_of};
use crate::op::{DefaultMailbox, OpResult};
use crate::read::fold;

/// Members of one functional address.
pub(super) const MEMBERS_MAX: usize = 100_000;
/// Octets of a standing or of the facts about a password.
const OPAQUE_MAX: usize = 64 * 1024;

impl Group<'_> {
    /// Both, where they lie in one shard.
    pub(super) fn upsert_person(
        &mut self,
        person: &Person,
        verifier: Option<&str>,
        mailboxes: &[DefaultMailbox],
        origin: Option<&Origin>,
    ) -> Result<OpResult, Stop> {
        // An op refuses before it writes.
        if self.tallies.account(self.db, &fold(&person.login))?.is_none() {
            names_differ(mailboxes)?;
        }
        self.upsert_directory(person, verifier, origin, self.shard)?;
        self.upsert_account(&person.login, person.quota_octets, mailboxes)
    }

    /// Who there is: the row of the person, and the login in the ledger.
    pub(super) fn upsert_directory(
        &mut self,
        person: &Person,
        verifier: Option<&str>,
        origin: Option<&Origin>,
        shard: u8,
    ) -> Result<OpResult, Stop> {
        let (login, folded) = (fold(&person.login), person.address.folded());
        if login.starts_with('$') {
            // Functional addresses have their accounts there.
            return Err(Refusal::LoginTaken(person.login.clone()).into());
        }
        self.address_is_free_for(&login, &person.address, &folded)?;
        // The one former name that becomes the official address again.
        self.delete_alias(&folded)?;
        let origin = self.write_person(&login, person, verifier, origin, shard)?;
        self.tell_followers(&folded)?;
        self.name_words(&login, person)?;
        let holder = holder_of(person, &origin);
        self.hand_over(&login, GivenKind::Login, &holder)?;
        self.hand_over(&folded, GivenKind::Address, &holder)?;
        Ok(OpResult::Done)
    }

    /// The row; gives where the person comes from, which an op may leave as it is.
    fn write_person(
        &mut self,
        login: &str,
        person: &Person,
        verifier: Option<&str>,
        origin: Option<&Origin>,
        shard: u8,
    ) -> Result<Origin, Stop> {
        let quota = i64::try_from(person.quota_octets).unwrap_or(i64::MAX);
        let folded = person.address.folded();
        // The address they have no more; an alias that keeps it says so after this.
        self.db
            .prepare_cached(
                "UPDATE given SET freed_at = ?3 WHERE freed_at IS NULL AND what <> ?2
                 AND what = (SELECT folded FROM person WHERE login = ?1)",
            )?
            .execute((login, &folded, self.now_s))?;
        self.db
            .prepare_cached(
                "INSERT INTO person(login, first, last, address, folded, profile, unit, home, quota, verifier, shard)
                 VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                 ON CONFLICT(login) DO UPDATE SET first = excluded.first, last = excluded.last,
                 address = excluded.address, folded = excluded.folded, profile = excluded.profile,
                 unit = excluded.unit, home = excluded.home, quota = excluded.quota,
                 verifier = ifnull(excluded.verifier, verifier)",
            )?
            .execute((
                login,
                &person.first,
                &person.last,
                person.address.to_string(),
                &folded,
                &person.profile,
                &person.unit,
                &person.home,
                quota,
                verifier,
                shard,
            ))?;
        let Some(origin) = origin else { return self.origin_of(login) };
        self.db
            .prepare_cached(
                // Other days are somebody's business at once.
                "UPDATE person SET due = CASE WHEN registered = ?4 AND until = ?5 THEN due ELSE 0 END,
                 source = ?2, foreign_id = ?3, registered = ?4, until = ?5 WHERE login = ?1",
            )?
            .execute((login, origin.source.number(), &origin.foreign_id, &origin.registered, &origin.until))?;
        Ok(origin.clone())
    }

    /// What belongs to the person: the account with its mailboxes when it is new, its quota in any case.
    pub(super) fn upsert_account(
        &mut self,
        login: &Login,
        quota_octets: u64,
        mailboxes: &[DefaultMailbox],
    ) -> Result<OpResult, Stop> {
        let quota_octets = quota_octets.min(i64::MAX as u64);
        if let Some(account) = self.tallies.account(self.db, &fold(login))? {
            let mut usage = self.tallies.usage(self.db, account.id)?;
            if usage.quota_octets != quota_octets {
                usage.quota_octets = quota_octets;
                self.tallies.set_usage(account.id, usage);
            }
            return Ok(OpResult::Done);
        }
        names_differ(mailboxes)?;
        let id = self.tallies.counters.next_account;
        self.tallies.counters.next_account += 1;
        self.db.prepare_cached("INSERT INTO account(id, login, quota, warned) VALUES(?1, ?2, ?3, 0)")?.execute((
            id,
            fold(login),
            quota_octets as i64,
        ))?;
        self.insert_mailbox(id, &MailboxName::inbox(), None)?;
        self.insert_subscription(id, &MailboxName::inbox())?;
        for mailbox in mailboxes {
            self.insert_mailbox(id, &mailbox.name, mailbox.special_use)?;
            self.insert_subscription(id, &mailbox.name)?;
        }
        Ok(OpResult::Done)
    }

    /// The address leads to nobody else. An alias of this person alone may become the official address.
    fn address_is_free_for(&mut self, login: &str, address: &Address, folded: &str) -> Result<(), Stop> {
        let taken: bool = self
            .db
            .prepare_cached(
                "SELECT EXISTS(SELECT 1 FROM person WHERE folded = ?1 AND login <> ?2)
                     OR EXISTS(SELECT 1 FROM alias_member WHERE folded = ?1 AND login <> ?2)
                     OR EXISTS(SELECT 1 FROM alias_follows WHERE folded = ?1)",
            )?
            .query_row((folded, login), |row| row.get(0))?;
        if taken { Err(Refusal::AddressTaken(address.clone()).into()) } else { Ok(()) }
    }

    /// The address, and the account of its own mailboxes where it has some and this shard is theirs.
    pub(super) fn upsert_alias(&mut self, alias: &Alias) -> Result<OpResult, Stop> {
        let done = self.upsert_address(alias)?;
        match (alias.account(), alias.kind) {
            (Some(login), AliasKind::FunctionMailbox { quota_octets }) => {
                self.upsert_account(&login, quota_octets, &[])
            }
            _ => Ok(done),
        }
    }

    pub(super) fn upsert_address(&mut self, alias: &Alias) -> Result<OpResult, Stop> {
        let folded = alias.address.folded();
        let owns_mailboxes = matches!(alias.kind, AliasKind::FunctionMailbox { .. });
        if alias.members.len() > MEMBERS_MAX || (owns_mailboxes && alias.account().is_none()) {
            return Err(Refusal::TooLarge.into());
        }
        let official: bool = self
            .db
            .prepare_cached("SELECT EXISTS(SELECT 1 FROM person WHERE folded = ?1)")?
            .query_row([&folded], |row| row.get(0))?;
        if official {
            return Err(Refusal::AddressTaken(alias.address.clone()).into());
        }
        let (kind, quota) = match alias.kind {
            AliasKind::Former => (0, 0),
            AliasKind::Alias => (1, 0),
            AliasKind::Function => (2, 0),
            AliasKind::FunctionMailbox { quota_octets } => (3, i64::try_from(quota_octets).unwrap_or(i64::MAX)),
        };
        let follows = self.follows(&folded)?;
        let own = self.own_of(&folded, &follows, &alias.members)?;
        self.delete_alias(&folded)?;
        self.db.prepare_cached("INSERT INTO alias(folded, address, kind, quota) VALUES(?1, ?2, ?3, ?4)")?.execute((
            &folded,
            alias.address.to_string(),
            kind,
            quota,
        ))?;
        self.write_follows(&folded, &follows)?;
        self.write_members(&folded, &own, &follows)?;
        self.tell_followers(&folded)?;
        match follows.is_empty() {
            true => self.give_alias(alias, &folded)?,
            // Nobody's own, whoever is behind it today.
            false => self.hand_over(&folded, GivenKind::Address, &folded)?,
        }
        Ok(OpResult::Done)
    }

    pub(super) fn remove_alias(&mut self, address: &Address) -> Result<OpResult, Stop> {
        let folded = address.folded();
        self.free_alias(&folded)?;
        self.delete_alias(&folded)?;
        self.tell_followers(&folded)?;
        Ok(OpResult::Done)
    }

    pub(super) fn delete_alias(&mut self, folded: &str) -> Result<(), Stop> {
        self.db.prepare_cached("DELETE FROM alias WHERE folded = ?1")?.execute([folded])?;
        self.db.prepare_cached("DELETE FROM alias_member WHERE folded = ?1")?.execute([folded])?;
        self.db.prepare_cached("DELETE FROM alias_follows WHERE folded = ?1")?.execute([folded])?;
        Ok(())
    }

    pub(super) fn set_verifier(&mut self, login: &Login, verifier: &str) -> Result<OpResult, Stop> {
        self.change_person("UPDATE person SET verifier = ?2 WHERE login = ?1", login, (fold(login), verifier))
    }

    pub(super) fn set_standing(
        &mut self,
        login: &Login,
        standing: &[u8],
        due_s: Option<i64>,
    ) -> Result<OpResult, Stop> {
        small(standing)?;
        let standing = (!standing.is_empty()).then_some(standing);
        let statement = "UPDATE person SET standing = ?2, due = ?3 WHERE login = ?1";
        self.change_person(statement, login, (fold(login), standing, due_s))
    }

    pub(super) fn set_secret(&mut self, login: &Login, secret: &[u8]) -> Result<OpResult, Stop> {
        small(secret)?;
        let secret = (!secret.is_empty()).then_some(secret);
        self.change_person("UPDATE person SET secret = ?2 WHERE login = ?1", login, (fold(login), secret))
    }

    fn change_person(&mut self, statement: &str, login: &Login, of: impl rusqlite::Params) -> Result<OpResult, Stop> {
        let found = self.db.prepare_cached(statement)?.execute(of)?;
        if found == 1 { Ok(OpResult::Done) } else { Err(Refusal::NoSuchLogin(login.clone()).into()) }
    }
}

fn small(opaque: &[u8]) -> Result<(), Stop> {
    if opaque.len() > OPAQUE_MAX { Err(Refusal::TooLarge.into()) } else { Ok(()) }
}

fn names_differ(mailboxes: &[DefaultMailbox]) -> Result<(), Stop> {
    let (mut names, mut uses) = (BTreeSet::from([MailboxName::inbox()]), BTreeSet::new());
    for mailbox in mailboxes {
        if !names.insert(mailbox.name.clone()) {
            return Err(Refusal::MailboxExists(mailbox.name.clone()).into());
        }
        if mailbox.special_use.is_some_and(|special_use| !uses.insert(special_use)) {
            return Err(Refusal::SpecialUseTaken.into());
        }
    }
    Ok(())
}
