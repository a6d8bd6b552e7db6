//! Setting a password: one way for the command line, the portal and letters.

use std::collections::VecDeque;

use mail::Login;
use proto::sasl::Secret;
use store::{Op, ReadError, Store};

use super::facts::{self, Facts};
use crate::clock;
use crate::drive::login::is_of_directory;
use crate::operate::{Context, OperateError};
use crate::quality::{self, Advice};
use crate::schemes::{self, Imported};
use crate::verifier::{self, Making};

/// Settings of passwords a login had: this and the login, verifiers one a line, the newest first.
const HISTORY: &str = "password-history/";
/// So many of the last passwords, the one of now included, do not come back.
const HISTORY_MAX: usize = 5;

/// Who sets a password, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// The person, who has shown the old one.
    Themself,
    /// Somebody who operates the server.
    Operator,
    /// It was drawn here for a letter: the person has to change it.
    Letter,
}

/// Sets the password of a login: quality, what it had before, the verifiers of the plan, when it was set. Forgets what the old
/// one opened. The caller puts it on the record. Blocks for some hashes.
pub fn set(context: &Context, login: &Login, new: &Secret, how: SetBy) -> Result<(), OperateError> {
    let row = context.store.person(login)?.ok_or_else(|| OperateError::NoSuchLogin { login: login.to_string() })?;
    if how != SetBy::Operator && context.server.as_ref().is_some_and(|server| is_of_directory(server, &row)) {
        let why = format!("the password of {login} is kept by the directory server, and changed there");
        return Err(OperateError::Refused { why, rule: "identity.directory.passwords".to_owned() });
    }
    let plan = context.live.as_ref().map(|live| live.tables.plan());
    let mut wrong = match plan {
        Some(plan) => quality::judge(plan, &row.person, new).err().unwrap_or_default(),
        None => quality::form(new).err().unwrap_or_default(),
    };
    let _changing = super::changing();
    let (mut history, before) = (history(&context.store, login)?, row.verifier.unwrap_or_default());
    if how != SetBy::Letter && history.iter().chain([&before]).any(|old| verifier::opens(new, old)) {
        wrong.push(Advice::UsedBefore);
    }
    if !wrong.is_empty() {
        return Err(OperateError::WeakPassword { advice: wrong });
    }
    let verifier = plan.map_or_else(|| verifier::verifier(new), |plan| Making::of(plan).verifier(new));
    if !before.is_empty() {
        history.push_front(before);
        history.truncate(HISTORY_MAX - 1);
    }
    let facts = Facts::set_at(clock::unix_s(), how == SetBy::Letter);
    context.store.commit_wait(vec![
        Op::SetVerifier { login: login.clone(), verifier },
        facts::op(login, &facts),
        Op::Setting { key: history_of(login), value: Some(text(&history)) },
    ])?;
    if let Some(server) = &context.server {
        server.passwords.forget(login);
    }
    Ok(())
}

/// Keeps the hash another server had of a password, which was set at `set_s`. Nothing is known of its quality.
pub fn import(context: &Context, login: &Login, hash: &str, set_s: Option<i64>) -> Result<(), OperateError> {
    let imported = schemes::read(hash).map_err(|why| OperateError::BadRequest { why: why.to_string() })?;
    let _changing = super::changing();
    context.store.commit_wait(imported_as(login, &imported, set_s.unwrap_or_else(clock::unix_s)).to_vec())?;
    if let Some(server) = &context.server {
        server.passwords.forget(login);
    }
    Ok(())
}

/// The same for some people at once, as of now; who has a password by now keeps it.
pub fn import_where_none(context: &Context, some: &[(Login, Imported)]) -> Result<(), OperateError> {
    let (now_s, _changing) = (clock::unix_s(), super::changing());
    let mut ops = Vec::new();
    for (login, imported) in some {
        if context.store.person(login)?.is_some_and(|row| row.verifier.is_none()) {
            ops.extend(imported_as(login, imported, now_s));
        }
    }
    context.store.commit_wait(ops)?;
    if let Some(server) = &context.server {
        some.iter().for_each(|(login, _)| server.passwords.forget(login));
    }
    Ok(())
}

fn imported_as(login: &Login, imported: &Imported, set_s: i64) -> [Op; 2] {
    let verifier = imported.verifier().to_owned();
    [Op::SetVerifier { login: login.clone(), verifier }, facts::op(login, &Facts::set_at(set_s, false))]
}

/// The setting that keeps what a login had before; whoever erases a person takes it away.
pub fn history_of(login: &Login) -> String {
    format!("{HISTORY}{}", mail::fold(login.as_str()))
}

fn history(store: &Store, login: &Login) -> Result<VecDeque<String>, ReadError> {
    let octets = store.setting(&history_of(login))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&octets).lines().take(HISTORY_MAX).map(str::to_owned).collect())
}

fn text(history: &VecDeque<String>) -> Vec<u8> {
    history.iter().flat_map(|verifier| [verifier.as_bytes(), b"\n"].concat()).collect()
}
