//! The first page of who is signed in: how full the mailbox is, and what wants their attention.

use axum::response::Response;
use axum::routing::get;
use decide::expiry::Age;
use maud::{Markup, html};
use store::{PersonRow, Usage};

use super::{Route, Visitor, page, password, redirect, show, storage, with_context, words};
use crate::passwords::expiry;

pub(super) fn routes() -> Vec<Route> {
    vec![("/", get(home))]
}

async fn home(visitor: Visitor) -> Response {
    let login = visitor.login.clone();
    let looked =
        with_context(&visitor, move |context| Ok((context.store.usage(&login)?, context.store.person(&login)?)));
    match looked.await {
        Ok((usage, row)) => page(&visitor, words::HOME, front(&visitor, &usage, row.as_ref())),
        Err(error) => page::failed(&visitor, "/", &error),
    }
}

fn front(visitor: &Visitor, usage: &Usage, row: Option<&PersonRow>) -> Markup {
    let notices = notices(visitor, row);
    html! {
        p .lead { (words::HELLO.with(visitor.language, &[&visitor.person.first, &visitor.person.last])) }
        @if !notices.is_empty() {
            section .notices aria-labelledby="notices" {
                h2 #notices { (visitor.say(words::TO_KNOW)) }
                ul { @for notice in notices { li { (notice) } } }
            }
        }
        div .columns {
            section aria-labelledby="mailbox" {
                h2 #mailbox { (visitor.say(words::MY_MAILBOX)) }
                dl .facts {
                    dt { (visitor.say(words::ADDRESS)) } dd { (visitor.person.address) }
                    dt { (visitor.say(words::LOGIN)) } dd { (visitor.login) }
                    @if !visitor.person.unit.is_empty() { dt { (visitor.say(words::UNIT)) } dd { (visitor.person.unit) } }
                }
                (storage::gauge(visitor, usage))
            }
            section aria-labelledby="tasks" {
                h2 #tasks { (visitor.say(words::TASKS)) }
                ul .tasks { @for (path, name) in page::tasks(visitor) { li { a href=(path) { (visitor.say(name)) } } } }
            }
        }
        @if let Some(on) = visitor.portal.service.redirects.of(&visitor.login) {
            section aria-labelledby="redirect" {
                h2 #redirect { (visitor.say(words::REDIRECT)) }
                (redirect::state(visitor, Some(&on)))
            }
        }
    }
}

/// What wants to be known: a password that ends, mail that is held, a lock.
fn notices(visitor: &Visitor, row: Option<&PersonRow>) -> Vec<Markup> {
    let service = &visitor.portal.service;
    let standing = service.standings.of(&visitor.login);
    let mut notices = Vec::new();
    if let Some(Age::Near { ends_s, .. }) = row.map(|row| expiry::age(service, row)) {
        let said = words::PASSWORD_ENDS.with(visitor.language, &[&show::day_of(visitor, ends_s)]);
        notices.push(html! { (said) " " a href=(password::PATH) { (visitor.say(words::CHANGE_PASSWORD)) } });
    }
    for (lock, said) in
        [(&standing.sending_locked, words::SENDING_LOCKED), (&standing.outgoing_held, words::OUTGOING_HELD)]
    {
        let Some(lock) = lock else { continue };
        let until =
            lock.until_s.map(|until_s| words::LOCK_UNTIL.with(visitor.language, &[&show::moment(visitor, until_s)]));
        notices.push(html! { (visitor.say(said)) @if let Some(until) = until { " " (until) } });
    }
    notices
}
