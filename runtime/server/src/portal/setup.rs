//! How to set mail programs up, with the visitor's own values.

use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use plan::{Listener, ListenerAuth, Plan, Speaks, TlsMode};

use super::{Route, Visitor, Words, page, second_factor, show, words};

const PATH: &str = "/setup";

pub(super) fn routes() -> Vec<Route> {
    vec![
        (PATH, get(shown)),
        ("/setup/thunderbird", get(thunderbird)),
        ("/setup/outlook", get(outlook)),
        ("/setup/apple", get(apple)),
        ("/setup/iphone", get(iphone)),
        ("/setup/android", get(android)),
    ]
}

const PROGRAMS: [(&str, Words); 5] = [
    ("/setup/thunderbird", words::THUNDERBIRD),
    ("/setup/outlook", words::OUTLOOK),
    ("/setup/apple", words::APPLE_MAIL),
    ("/setup/iphone", words::IPHONE),
    ("/setup/android", words::ANDROID),
];

/// The listener a new program should use: TLS from the first octet before STARTTLS (RFC 8314 3.3).
fn advised<'p>(
    plan: &'p Plan,
    blocks: &[(&Vec<String>, &Vec<String>)],
    fits: impl Fn(&Listener) -> bool,
) -> Option<&'p Listener> {
    let reached = |name: &String| blocks.iter().any(|(to, _)| to.contains(name));
    let widest = |name: &String| {
        blocks.iter().filter(|(to, _)| to.contains(name)).map(|(_, from)| from.len()).max().unwrap_or_default()
    };
    let all = plan.listeners.iter().filter(|(name, listener)| fits(listener) && reached(name));
    let rank = |(name, listener): &(&String, &Listener)| {
        let tls = match listener.tls {
            TlsMode::Implicit => 0,
            TlsMode::Required => 1,
            TlsMode::Offered => 2,
            TlsMode::None => 3,
        };
        (tls, std::cmp::Reverse(widest(name)), listener.port)
    };
    all.min_by_key(rank).map(|(_, listener)| listener).filter(|listener| listener.tls != TlsMode::None)
}

fn incoming(plan: &Plan) -> Option<&Listener> {
    let blocks: Vec<_> = plan.may_read.values().map(|block| (&block.connecting_to, &block.from)).collect();
    let speaks = |wanted: Speaks| advised(plan, &blocks, move |listener| listener.speaks == wanted);
    speaks(Speaks::Imap).or_else(|| speaks(Speaks::Pop))
}

fn outgoing(plan: &Plan) -> Option<&Listener> {
    let blocks: Vec<_> = plan.may_send.values().map(|block| (&block.connecting_to, &block.from)).collect();
    advised(plan, &blocks, |listener| listener.speaks == Speaks::Smtp && listener.auth == ListenerAuth::Required)
}

async fn shown(visitor: Visitor) -> Response {
    let body = html! {
        p .lead { (visitor.say(words::SETUP_WHAT)) }
        ul .cards { @for (path, name) in PROGRAMS { li { h2 { a href=(path) { (visitor.say(name)) } } } } }
        (values(&visitor))
        p { (visitor.say(words::SETUP_APP_PASSWORD)) " " a href="/app-passwords" { (visitor.say(words::APP_PASSWORDS)) } }
    };
    page(&visitor, words::SETUP, body)
}

/// All that any program asks for.
fn values(visitor: &Visitor) -> Markup {
    let plan = visitor.portal.service.tables.plan();
    let server = |title: Words, listener: Option<&Listener>| {
        html! {
            @if let Some(listener) = listener {
                h3 { (visitor.say(title)) }
                dl .facts {
                    dt { (visitor.say(words::PROTOCOL)) } dd { (protocol(listener.speaks)) }
                    dt { (visitor.say(words::SERVER)) } dd { code { (listener.host) } }
                    dt { (visitor.say(words::PORT)) } dd { code { (listener.port) } }
                    dt { (visitor.say(words::SECURITY)) } dd { (visitor.say(security(listener.tls))) }
                    dt { (visitor.say(words::LOGIN)) } dd { code { (visitor.login) } }
                    dt { (visitor.say(words::PASSWORD)) } dd { (visitor.say(words::YOUR_PASSWORD)) }
                }
            }
        }
    };
    html! {
        section aria-labelledby="values" {
            h2 #values { (visitor.say(words::YOUR_VALUES)) }
            dl .facts {
                dt { (visitor.say(words::NAME)) } dd { (visitor.person.first) " " (visitor.person.last) }
                dt { (visitor.say(words::ADDRESS)) } dd { code { (visitor.person.address) } }
            }
            (server(words::INCOMING, incoming(plan)))
            (server(words::OUTGOING, outgoing(plan)))
        }
    }
}

fn protocol(speaks: Speaks) -> &'static str {
    match speaks {
        Speaks::Imap => "IMAP",
        Speaks::Pop => "POP3",
        Speaks::Smtp => "SMTP",
        Speaks::Lmtp => "LMTP",
    }
}

fn security(tls: TlsMode) -> Words {
    match tls {
        TlsMode::Implicit => words::TLS_FIRST,
        TlsMode::Required | TlsMode::Offered => words::STARTTLS,
        TlsMode::None => words::NO_TLS,
    }
}

fn program(visitor: &Visitor, title: Words, steps: &[Words], more: Markup) -> Response {
    let body = html! {
        ol .steps { @for step in steps { li { (step.with(visitor.language, &[&visitor.person.address])) } } }
        (more)
        (values(visitor))
        p { a href=(PATH) { (visitor.say(words::OTHER_PROGRAMS)) } }
    };
    page(visitor, title, body)
}

async fn thunderbird(visitor: Visitor) -> Response {
    program(&visitor, words::THUNDERBIRD, &words::THUNDERBIRD_STEPS, html! {})
}

async fn outlook(visitor: Visitor) -> Response {
    program(&visitor, words::OUTLOOK, &words::OUTLOOK_STEPS, html! {})
}

async fn apple(visitor: Visitor) -> Response {
    let more = html! { p { a .button href=(profile(&visitor)) { (visitor.say(words::PROFILE)) } } };
    program(&visitor, words::APPLE_MAIL, &words::APPLE_STEPS, more)
}

async fn iphone(visitor: Visitor) -> Response {
    let url = format!("{}{}", visitor.portal.rules.at, profile(&visitor));
    let more = html! {
        (second_factor::qr(&url, visitor.say(words::PROFILE_QR)))
        p { a .button href=(profile(&visitor)) { (visitor.say(words::PROFILE)) } }
    };
    program(&visitor, words::IPHONE, &words::IPHONE_STEPS, more)
}

async fn android(visitor: Visitor) -> Response {
    program(&visitor, words::ANDROID, &words::ANDROID_STEPS, html! {})
}

/// The profile with the visitor's values; it holds no password.
fn profile(visitor: &Visitor) -> String {
    format!("/mail/apple.mobileconfig?emailaddress={}", show::in_query(&visitor.person.address.to_string()))
}
