//! What the mailbox holds: its share of the quota, its folders, how much of each is old, and archives to take away.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use jiff::{Timestamp, ToSpan};
use mail::date::DateTime;
use mail::{Login, MailboxName};
use maud::{Markup, html};
use serde::Deserialize;
use store::{MailboxInfo, MessageRow, ReadError, Store, Usage};
use tokio::sync::mpsc;

use super::show::{in_query, octets};
use super::{Query, Route, Visitor, page, with_context, words};
use crate::operate::{Context, OperateError, audit};

const PATH: &str = "/storage";
const ARCHIVE: &str = "/storage/archive";

/// Messages older than so many months may be put away, as the guide says.
const OLD_MONTHS: i32 = 3;
/// Archives that are written at a time, and one for each person.
const ARCHIVES_MAX: usize = 8;
/// Messages of an archive that wait for a slow reader.
const WAITING_MAX: usize = 2;

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(shown)), (ARCHIVE, get(archive))]
}

/// A folder and how much of it is old.
struct Folder {
    name: String,
    messages: u32,
    octets: u64,
    old_messages: u64,
    old_octets: u64,
}

/// The moment before which a message is old.
fn old_before_s(context: &Context) -> i64 {
    let zone = context.server.as_ref().map_or(jiff::tz::TimeZone::UTC, |server| server.time_zone.clone());
    let now = Timestamp::now().to_zoned(zone);
    now.checked_sub(OLD_MONTHS.months()).map_or(i64::MIN, |then| then.timestamp().as_second())
}

async fn shown(visitor: Visitor) -> Response {
    let login = visitor.login.clone();
    let looked = with_context(&visitor, move |context| {
        let before_s = old_before_s(context);
        let mut folders = Vec::new();
        for mailbox in context.store.mailboxes(&login)? {
            context.go_on()?;
            folders.push(folder(&context.store, &login, &mailbox, before_s)?);
        }
        Ok((context.store.usage(&login)?, folders))
    });
    match looked.await {
        Ok((usage, folders)) => page(&visitor, words::STORAGE, storage(&visitor, &usage, &folders)),
        Err(error) => page::failed(&visitor, "/", &error),
    }
}

fn folder(store: &Store, login: &Login, mailbox: &MailboxInfo, before_s: i64) -> Result<Folder, ReadError> {
    let rows = store.select(login, &mailbox.name)?.map(|selected| selected.messages).unwrap_or_default();
    let old = rows.iter().filter(|row| row.internal_date.seconds < before_s);
    let (old_messages, old_octets) = old.fold((0, 0), |(count, sum), row| (count + 1, sum + row.size_octets));
    Ok(Folder {
        name: mailbox.name.to_string(),
        messages: mailbox.counts.messages,
        octets: mailbox.counts.size_octets,
        old_messages,
        old_octets,
    })
}

/// The share of the quota, as a bar and in words.
pub(super) fn gauge(visitor: &Visitor, usage: &Usage) -> Markup {
    let language = visitor.language;
    let used = octets(language, usage.used_octets);
    if usage.quota_octets == 0 {
        return html! { p { (words::USED_NO_QUOTA.with(language, &[&used])) } };
    }
    let percent = usage.used_octets.saturating_mul(100) / usage.quota_octets;
    let all = octets(language, usage.quota_octets);
    let level = match percent {
        0..80 => "",
        80..95 => "full",
        _ => "over",
    };
    html! {
        div .gauge .(level) {
            p #quota { (words::USED.with(language, &[&used, &all, &percent])) }
            meter min="0" max="100" low="80" high="95" value=(percent.min(100)) aria-labelledby="quota" { (percent) "\u{a0}%" }
            @if percent >= 80 { p .warning { strong { (visitor.say(words::QUOTA_NEAR)) } } }
        }
    }
}

fn storage(visitor: &Visitor, usage: &Usage, folders: &[Folder]) -> Markup {
    let language = visitor.language;
    let heads = [words::FOLDER, words::MESSAGES, words::SIZE, words::OLD, words::ARCHIVE];
    let heads = heads.map(|head| visitor.say(head));
    html! {
        (gauge(visitor, usage))
        p { (visitor.say(words::STORAGE_WHAT)) }
        div .scroll role="region" aria-labelledby="folders" tabindex="0" {
            table role="table" {
                caption #folders { (visitor.say(words::FOLDERS)) }
                thead role="rowgroup" {
                    tr role="row" {
                        th scope="col" role="columnheader" { (heads[0]) }
                        @for head in &heads[1..4] { th scope="col" role="columnheader" .figure { (head) } }
                        th scope="col" role="columnheader" { (heads[4]) }
                    }
                }
                tbody role="rowgroup" {
                    @for folder in folders {
                        tr role="row" {
                            th scope="row" role="rowheader" { (folder.name) }
                            td role="cell" data-head=(heads[1]) .figure { (folder.messages) }
                            td role="cell" data-head=(heads[2]) .figure { (octets(language, folder.octets)) }
                            td role="cell" data-head=(heads[3]) .figure { (words::OLD_OF.with(language, &[&folder.old_messages, &octets(language, folder.old_octets)])) }
                            td role="cell" data-head=(heads[4]) { (archives(visitor, folder)) }
                        }
                    }
                }
            }
        }
        p .hint { (visitor.say(words::ARCHIVE_WHAT)) }
    }
}

fn archives(visitor: &Visitor, folder: &Folder) -> Markup {
    let query = in_query(&folder.name);
    html! {
        @if folder.messages > 0 {
            a href={ (ARCHIVE) "?folder=" (query) } {
                (visitor.say(words::ALL_OF_IT)) span .unseen { " – " (folder.name) }
            }
        }
        @if folder.old_messages > 0 {
            " " a href={ (ARCHIVE) "?folder=" (query) "&old=1" } {
                (visitor.say(words::OLD_ONES)) span .unseen { " – " (folder.name) }
            }
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    folder: String,
    old: String,
}

/// Who is taking an archive now.
#[derive(Default)]
pub(super) struct Archives(Mutex<BTreeSet<String>>);

/// The place of an archive that is written.
struct Place {
    of: Arc<Archives>,
    login: String,
}

impl Archives {
    fn enter(self: &Arc<Archives>, login: &Login) -> Option<Place> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let login = login.to_string();
        (all.len() < ARCHIVES_MAX && all.insert(login.clone())).then(|| Place { of: self.clone(), login })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.login);
    }
}

/// One folder of the visitor as mbox, written while it is read: a message or two of it are in memory.
async fn archive(visitor: Visitor, Query(wanted): Query<Wanted>) -> Response {
    let gone = || page::failed(&visitor, PATH, &OperateError::NoSuchMailbox { mailbox: String::new() });
    // Only names of folders of the visitor's own are looked up.
    let Ok(name) = MailboxName::new(&wanted.folder) else { return gone() };
    let Some(place) = visitor.portal.archives.enter(&visitor.login) else {
        return page::failed(&visitor, PATH, &OperateError::Busy { path: ARCHIVE.to_owned() });
    };
    let (login, only_old) = (visitor.login.clone(), !wanted.old.is_empty());
    let chosen = with_context(&visitor, move |context| {
        let Some(selected) = context.store.select(&login, &name)? else {
            return Err(OperateError::NoSuchMailbox { mailbox: name.to_string() });
        };
        let before_s = if only_old { old_before_s(context) } else { i64::MAX };
        let rows = selected.messages.into_iter().filter(|row| row.internal_date.seconds < before_s);
        audit(context, &format!("archive of {name} of {login} taken"));
        Ok((selected.mailbox, rows.collect::<Vec<_>>()))
    });
    let (mailbox, rows) = match chosen.await {
        Ok(chosen) => chosen,
        Err(error) => return page::failed(&visitor, PATH, &error),
    };
    let (chunks, reader) = mpsc::channel(WAITING_MAX);
    let store = visitor.portal.service.store.clone();
    tokio::task::spawn_blocking(move || write(&store, &mailbox, &rows, &chunks, place));
    download(&visitor, reader)
}

fn download(visitor: &Visitor, reader: mpsc::Receiver<Result<Bytes, std::io::Error>>) -> Response {
    let mut response = Response::new(Body::new(Chunks(reader)));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/mbox"));
    let name = format!("attachment; filename=\"mail-{}.mbox\"", visitor.portal.service.today());
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// Writes until the end, or until nobody reads any more. What cannot be read breaks the answer off: half is not whole.
fn write(
    store: &Store,
    mailbox: &MailboxInfo,
    rows: &[MessageRow],
    chunks: &mpsc::Sender<Result<Bytes, std::io::Error>>,
    place: Place,
) {
    for row in rows {
        let chunk = match message(store, mailbox, row) {
            Ok(Some(chunk)) => Ok(chunk),
            // Expunged meanwhile.
            Ok(None) => continue,
            Err(error) => {
                tracing::error!("an archive breaks off: {error}");
                Err(std::io::Error::other("a message cannot be read"))
            }
        };
        let is_whole = chunk.is_ok();
        if chunks.blocking_send(chunk).is_err() || !is_whole {
            break;
        }
    }
    drop(place);
}

fn message(store: &Store, mailbox: &MailboxInfo, row: &MessageRow) -> Result<Option<Bytes>, ReadError> {
    let Some(body) = store.body_of(mailbox.id, row.uid)? else { return Ok(None) };
    let octets = store.read_body(&body)?;
    let date = DateTime { unix_seconds: row.internal_date.seconds, offset_minutes: row.internal_date.offset_minutes };
    let mut text = Vec::with_capacity(octets.len() + 256);
    mail::archive::mbox::write(&octets, &row.flags, date, &mut text);
    Ok(Some(Bytes::from(text)))
}

/// Parts of an answer as they come.
struct Chunks(mpsc::Receiver<Result<Bytes, std::io::Error>>);

impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, std::io::Error>>> {
        self.0.poll_recv(cx).map(|chunk| chunk.map(|chunk| chunk.map(hyper::body::Frame::data)))
    }
}
