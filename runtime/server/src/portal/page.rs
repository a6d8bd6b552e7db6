//! What all pages look like: head, landmarks, navigation, and the pages that say what went wrong.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use crate::operate::OperateError;

use super::{Visit, Visitor, Words, accessibility, corrections, form, manage, second_factor, style, words};

/// A link of the navigation.
pub(crate) type Link = (&'static str, Words);

/// Links of the navigation, in its order. A part of the portal for a role adds its own here.
fn links(visitor: &Visitor) -> Vec<Link> {
    [vec![("/", words::HOME)], tasks(visitor), manage::links(visitor)].concat()
}

/// What a person can do here.
pub(super) fn tasks(visitor: &Visitor) -> Vec<Link> {
    let mut tasks = vec![
        ("/password", words::CHANGE_PASSWORD),
        ("/storage", words::STORAGE),
        ("/setup", words::SETUP),
        ("/app-passwords", words::APP_PASSWORDS),
    ];
    if second_factor::is_offered(visitor) {
        tasks.push((second_factor::PATH, words::SECOND_FACTOR));
    }
    tasks.extend([("/activity", words::ACTIVITY), ("/redirect", words::REDIRECT)]);
    if corrections::is_offered(visitor) {
        tasks.push(("/corrections", words::CORRECTIONS));
    }
    tasks.extend([("/address-book", words::ADDRESS_BOOK), ("/sharing", words::SHARING)]);
    tasks
}

/// A page of who is signed in.
pub(crate) fn page(visitor: &Visitor, title: Words, body: Markup) -> Response {
    answer(visitor, Some(visitor), StatusCode::OK, title, body)
}

/// The same with a code of its own: 422 where a form has to be corrected.
pub(crate) fn page_with(visitor: &Visitor, code: StatusCode, title: Words, body: Markup) -> Response {
    answer(visitor, Some(visitor), code, title, body)
}

/// A page of whoever asks.
pub(super) fn plain(visit: &Visit, code: StatusCode, title: Words, body: Markup) -> Response {
    let visitor = Visitor::of(visit).ok().flatten();
    answer(visit, visitor.as_ref(), code, title, body)
}

/// To another page of ours after something was done, which is said there.
pub(crate) fn back(visitor: &Visitor, to: &'static str, said: impl Into<String>) -> Response {
    visitor.portal.sessions.say(&visitor.form_id, said.into());
    see(to)
}

/// Another page of ours (RFC 9110 15.4.4). A path that is not one leads home.
pub(super) fn see(path: &str) -> Response {
    let to = HeaderValue::try_from(own_path(path)).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// A path on this host, or `/`: what looks like a path and leads elsewhere (`//host`, `/\host`) is none.
pub(super) fn own_path(path: &str) -> &str {
    let is_own = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'\\' | b'"' | b'<' | b'>'));
    if is_own { path } else { "/" }
}

fn answer(visit: &Visit, visitor: Option<&Visitor>, code: StatusCode, title: Words, body: Markup) -> Response {
    // Whoever hears the title first hears that something is to be corrected.
    let is_wrong = code == StatusCode::UNPROCESSABLE_ENTITY;
    let page = whole(visit, visitor, is_wrong, title, body);
    (code, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page.into_string()).into_response()
}

fn whole(visit: &Visit, visitor: Option<&Visitor>, is_wrong: bool, title: Words, body: Markup) -> Markup {
    let institution = &visit.portal.service.tables.plan().institution.name;
    let said = visitor.and_then(|visitor| visitor.portal.sessions.said(&visitor.form_id));
    html! {
        (DOCTYPE)
        html lang=(words::tag(visit.language)) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title {
                    @if is_wrong { (visit.say(words::WRONG_TITLE)) " " }
                    (visit.say(title)) " – " (institution)
                }
                link rel="stylesheet" href=(*style::PATH);
                link rel="icon" href="data:,";
            }
            body {
                a .skip href="#content" { (visit.say(words::TO_CONTENT)) }
                (header(visit, visitor, institution))
                @if visit.portal.service.site.twin { p .warning role="note" { (visit.say(words::TWIN)) } }
                main #content tabindex="-1" {
                    h1 { (visit.say(title)) }
                    @if let Some(said) = said { p .done role="status" { (said) } }
                    (body)
                }
                footer {
                    p { (institution) }
                    p { a href=(accessibility::PATH) { (visit.say(words::ACCESS_LINK)) } }
                }
            }
        }
    }
}

fn header(visit: &Visit, visitor: Option<&Visitor>, institution: &str) -> Markup {
    html! {
        header {
            div .bar {
                p .brand { a href="/" { span .institution { (institution) } span { (visit.say(words::MAIL)) } } }
                div .who {
                    @if let Some(visitor) = visitor { p .name { (visitor.person.address) } }
                    (language_switch(visit))
                    @if visitor.is_some() {
                        (form(visit, "/sign-out", html! { button .quiet { (visit.say(words::SIGN_OUT)) } }))
                    }
                }
            }
            @if let Some(visitor) = visitor {
                nav aria-label=(visit.say(words::PAGES)) {
                    ul { @for (path, name) in links(visitor) { li .stays[matches!(path, "/" | "/manage")] { (link(visit, path, name)) } } }
                }
            }
        }
    }
}

fn link(visit: &Visit, path: &str, name: Words) -> Markup {
    let asked = visit.path.split('?').next().unwrap_or_default();
    html! { a href=(path) aria-current=[(asked == path).then_some("page")] { (visit.say(name)) } }
}

fn language_switch(visit: &Visit) -> Markup {
    let other = words::other(visit.language);
    let name = words::THIS_LANGUAGE.in_language(other);
    let body = html! {
        input type="hidden" name="language" value=(words::tag(other));
        input type="hidden" name="back" value=(visit.path);
        button .quiet lang=(words::tag(other)) { (name) }
    };
    form(visit, "/language", body)
}

/// A page that says what went wrong, whose fault it is and what to do.
pub(super) fn problem(visit: &Visit, code: StatusCode, (title, said): (Words, Words)) -> Response {
    let body = html! { p .lead { (visit.say(said)) } p { a href="/" { (visit.say(words::TO_HOME)) } } };
    plain(visit, code, title, body)
}

pub(super) async fn no_such_page(visit: Visit) -> Response {
    problem(&visit, StatusCode::NOT_FOUND, words::NO_SUCH_PAGE)
}

pub(super) async fn not_this_way(visit: Visit) -> Response {
    problem(&visit, StatusCode::METHOD_NOT_ALLOWED, words::NOT_THIS_WAY)
}

/// An operation did nothing: why, and the way back.
pub(crate) fn failed(visitor: &Visitor, to: &str, error: &OperateError) -> Response {
    let (code, said) = match error {
        OperateError::NotAllowed { .. } | OperateError::Forbidden { .. } => {
            (StatusCode::FORBIDDEN, visitor.say(words::NOT_YOURS.1).to_owned())
        }
        OperateError::Refused { why, rule } => {
            let told = words::refusal(visitor.portal.service.tables.plan(), visitor.language, rule, why);
            let why = told.as_ref().unwrap_or(why);
            (StatusCode::UNPROCESSABLE_ENTITY, words::REFUSED.with(visitor.language, &[why, rule]))
        }
        OperateError::WeakPassword { advice } => {
            let told = advice.iter().map(|one| words::advice(visitor.language, *one)).collect::<Vec<_>>();
            (StatusCode::UNPROCESSABLE_ENTITY, told.join(" "))
        }
        OperateError::BadRequest { why } => {
            (StatusCode::UNPROCESSABLE_ENTITY, words::CANNOT.with(visitor.language, &[why]))
        }
        OperateError::NoSuchLogin { .. } | OperateError::NoSuchMailbox { .. } | OperateError::NotKept { .. } => {
            (StatusCode::NOT_FOUND, visitor.say(words::GONE).to_owned())
        }
        OperateError::BadDate { .. } => (StatusCode::UNPROCESSABLE_ENTITY, visitor.say(words::BAD_DATE).to_owned()),
        OperateError::Busy { .. } => (StatusCode::CONFLICT, visitor.say(words::BUSY).to_owned()),
        error => {
            tracing::error!("the portal could not act: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, visitor.say(words::TROUBLE.1).to_owned())
        }
    };
    let body = html! {
        p .lead { (said) }
        p { a href=(to) { (visitor.say(words::GO_BACK)) } }
    };
    page_with(visitor, code, words::NOT_DONE, body)
}

/// The store does not answer.
pub(crate) fn unreadable(visit: &Visit, error: &store::ReadError) -> Response {
    tracing::error!("the portal cannot read: {error}");
    problem(visit, StatusCode::SERVICE_UNAVAILABLE, words::TROUBLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_host_are_led_to() {
        for (path, to) in [
            ("/quota?x=1", "/quota?x=1"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example/", "/"),
            ("/a\r\nSet-Cookie: x=1", "/"),
            ("/\t/evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("", "/"),
        ] {
            assert_eq!(own_path(path), to, "{path:?}");
        }
    }
}
