//! The first page of who is signed in.

use axum::response::Response;
use axum::routing::get;
use maud::html;

use super::{Route, Visitor, page, words};

pub(super) fn routes() -> Vec<Route> {
    vec![("/", get(home))]
}

async fn home(visitor: Visitor) -> Response {
    let body = html! {
        dl .facts {
            dt { (visitor.say(words::ADDRESS)) } dd { (visitor.person.address) }
            dt { (visitor.say(words::LOGIN)) } dd { (visitor.login) }
        }
    };
    page(&visitor, words::HOME, body)
}
