//! What the spam filter judged wrongly: the visitor marks messages, which is what a mail program does with `$Junk` and
//! `$NotJunk`, and becomes a proposal of teaching that managers decide about.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use mail::mime::SummaryParts;
use mail::{Flags, Keyword, Login, MailboxName, SpecialUse, SystemFlags};
use maud::{Markup, html};
use serde::Deserialize;
use store::{FlagMode, MailboxInfo, Op, OpResult, SetFlags, UidSet};

use super::{Form, Query, Route, Visitor, back, form, page, show, summary, with_context, words};
use crate::operate::{Context, OperateError};
use crate::{durable, teaching};

const PATH: &str = "/corrections";
/// The newest messages of a folder.
const SHOWN_MAX: usize = 30;

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(shown).post(marked))]
}

/// Is there a filter to correct?
pub(super) fn is_offered(visitor: &Visitor) -> bool {
    visitor.portal.service.tables.plan().antispam.is_some()
}

/// A message of the list.
struct Line {
    uid: u32,
    subject: String,
    from: String,
    at_s: i64,
    marked: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Which {
    junk: String,
}

async fn shown(visitor: Visitor, Query(Which { junk }): Query<Which>) -> Response {
    listed(&visitor, StatusCode::OK, !junk.is_empty(), false).await
}

async fn listed(visitor: &Visitor, code: StatusCode, junk: bool, nothing: bool) -> Response {
    let login = visitor.login.clone();
    let lines = with_context(visitor, move |context| lines(context, &login, junk)).await;
    match lines {
        Ok(lines) => {
            let wrong: &[(&str, String)] = &[("", visitor.say(words::CHOOSE_ONE).to_owned())];
            let body = html! {
                @if nothing { (summary(visitor, wrong)) }
                (corrections(visitor, junk, &lines))
            };
            page::page_with(visitor, code, words::CORRECTIONS, body)
        }
        Err(error) => page::failed(visitor, "/", &error),
    }
}

/// INBOX, or the folder of spam where there is one.
fn folder(context: &Context, login: &Login, junk: bool) -> Result<Option<MailboxInfo>, OperateError> {
    if !junk {
        return Ok(context.store.mailbox(login, &MailboxName::inbox())?);
    }
    let mut all = context.store.mailboxes(login)?.into_iter();
    Ok(all.find(|mailbox| mailbox.special_use == Some(SpecialUse::Junk)))
}

fn lines(context: &Context, login: &Login, junk: bool) -> Result<Vec<Line>, OperateError> {
    let Some(mailbox) = folder(context, login, junk)? else { return Ok(Vec::new()) };
    let Some(selected) = context.store.select(login, &mailbox.name)? else { return Ok(Vec::new()) };
    let newest = &selected.messages[selected.messages.len().saturating_sub(SHOWN_MAX)..];
    let uids: UidSet = newest.iter().map(|row| row.uid).collect();
    let parts = SummaryParts::SUBJECT.with(SummaryParts::FROM);
    let word = if junk { NOT_JUNK } else { JUNK };
    let mut lines: Vec<Line> = context
        .store
        .summaries(mailbox.id, &uids, parts, SHOWN_MAX)?
        .into_iter()
        .filter_map(|(uid, summary)| {
            let row = newest.iter().find(|row| row.uid == uid)?;
            let marked = row.flags.keywords.iter().any(|keyword| keyword.as_str().eq_ignore_ascii_case(word));
            Some(Line { uid, subject: summary.subject, from: summary.from, at_s: row.internal_date.seconds, marked })
        })
        .collect();
    lines.reverse();
    Ok(lines)
}

/// RFC 9051 2.3.2.
const JUNK: &str = "$Junk";
const NOT_JUNK: &str = "$NotJunk";

fn corrections(visitor: &Visitor, junk: bool, lines: &[Line]) -> Markup {
    let button = if junk { words::NOT_SPAM } else { words::IS_SPAM };
    html! {
        p .lead { (visitor.say(words::CORRECTIONS_WHAT)) }
        ul .tabs {
            li { a href=(PATH) aria-current=[(!junk).then_some("true")] { (visitor.say(words::IN_INBOX)) } }
            li { a href={ (PATH) "?junk=1" } aria-current=[junk.then_some("true")] { (visitor.say(words::IN_JUNK)) } }
        }
        @if lines.is_empty() { p { (visitor.say(words::NO_MESSAGES)) } }
        @else {
            (form(visitor, PATH, html! {
                @if junk { input type="hidden" name="junk" value="1"; }
                fieldset {
                    legend { (visitor.say(if junk { words::WHICH_NOT_SPAM } else { words::WHICH_SPAM })) }
                    ul .messages { @for line in lines { (message(visitor, line)) } }
                }
                button { (visitor.say(button)) }
            }))
        }
    }
}

fn message(visitor: &Visitor, line: &Line) -> Markup {
    let id = format!("m{}", line.uid);
    html! {
        li .choice {
            input type="checkbox" id=(id) name=(id) value="1";
            label for=(id) {
                span .subject { @if line.subject.is_empty() { (visitor.say(words::NO_SUBJECT)) } @else { (line.subject) } }
                span .from { (line.from) }
                span .hint { (show::moment(visitor, line.at_s)) @if line.marked { " – " (visitor.say(words::REPORTED)) } }
            }
        }
    }
}

async fn marked(visitor: Visitor, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let junk = fields.iter().any(|(name, _)| name == "junk");
    let chosen = fields.iter().filter_map(|(name, _)| name.strip_prefix('m')?.parse::<u32>().ok());
    let chosen: Vec<u32> = chosen.take(SHOWN_MAX).collect();
    if chosen.is_empty() {
        return listed(&visitor, StatusCode::UNPROCESSABLE_ENTITY, junk, true).await;
    }
    let login = visitor.login.clone();
    let mailbox = with_context(&visitor, move |context| folder(context, &login, junk)).await;
    let mailbox = match mailbox {
        Ok(Some(mailbox)) => mailbox,
        Ok(None) => return page::failed(&visitor, PATH, &OperateError::NoSuchMailbox { mailbox: String::new() }),
        Err(error) => return page::failed(&visitor, PATH, &error),
    };
    match keywords(&visitor, &mailbox, &chosen, junk).await {
        Ok(()) => back(&visitor, PATH, visitor.say(words::REPORTED_THANKS)),
        Err(error) => page::failed(&visitor, PATH, &error),
    }
}

/// The keyword a mail program would set, and not its opposite.
async fn keywords(visitor: &Visitor, mailbox: &MailboxInfo, uids: &[u32], junk: bool) -> Result<(), OperateError> {
    let (set, taken) = if junk { (NOT_JUNK, JUNK) } else { (JUNK, NOT_JUNK) };
    let service = &visitor.portal.service;
    for (mode, word) in [(FlagMode::Remove, taken), (FlagMode::Add, set)] {
        let keywords = Keyword::new(word).into_iter().collect();
        let flags = Flags { system: SystemFlags::default(), keywords };
        let change = SetFlags {
            mailbox: mailbox.id,
            uids: uids.iter().copied().collect(),
            mode,
            flags: flags.clone(),
            unchanged_since: None,
        };
        let done = durable::commit(&service.store, vec![Op::SetFlags(Box::new(change))]).await?;
        if let Some(OpResult::Flagged { rows, .. }) = done.first() {
            teaching::marked(service, &visitor.login, mailbox.id, mode, &flags, rows).await;
        }
    }
    Ok(())
}
