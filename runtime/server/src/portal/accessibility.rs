//! The statement the law asks for (décret n° 2019-768; RGAA 4.1), made of what the institution says in its plan. It claims what
//! was tested, and says what was not.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use maud::html;

use super::{Route, Visit, page, words};

pub(super) const PATH: &str = "/accessibility";

pub(super) fn routes() -> Vec<Route> {
    vec![(PATH, get(shown))]
}

async fn shown(visit: Visit) -> Response {
    let institution = &visit.portal.service.tables.plan().institution;
    let say = |words: super::Words| words.with(visit.language, &[&institution.name, &visit.portal.rules.at]);
    let body = html! {
        p .lead { (say(words::ACCESS_PROMISE)) }
        h2 { (visit.say(words::ACCESS_STATE)) }
        p { (say(words::ACCESS_PARTLY)) }
        h2 { (visit.say(words::ACCESS_TESTED)) }
        ul { @for line in words::ACCESS_TESTS { li { (visit.say(line)) } } }
        h2 { (visit.say(words::ACCESS_NOT)) }
        p { (visit.say(words::ACCESS_NOT_TESTED)) }
        h2 { (visit.say(words::ACCESS_CONTACT)) }
        @if institution.contact.is_empty() { p { (say(words::ACCESS_WRITE_POSTMASTER)) } }
        @else { p { (words::ACCESS_WRITE.with(visit.language, &[&institution.contact])) } }
        h2 { (visit.say(words::ACCESS_APPEAL)) }
        p { (visit.say(words::ACCESS_DEFENDER)) }
    };
    page::plain(&visit, StatusCode::OK, words::ACCESSIBILITY, body)
}
