//! E0802, E0803 and E0808: what the login rule can give, decided on the language of its logins and shown with names.

use decide::login::{self, Piece};
use mail::Login;
use plan::{Collision, Fold, LoginRules};

use super::automaton::{Language, Shared, meet};
use crate::check::Subject;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::identity::Identity;

/// Addresses any domain has (RFC 2142), and the account of the machine.
const RESERVED: [&str; 3] = ["abuse", "postmaster", "root"];
/// Longer texts leave no room for a name.
const TEXT_OCTETS_MAX: usize = 128;
/// Suffixes to suggest: no name and no initial holds these characters.
const SUFFIXES: [&str; 3] = ["-{n}", ".{n}", "_{n}"];

/// A person as the finding names them.
pub(super) struct Named {
    pub first: String,
    pub last: String,
}

pub(super) fn check(subject: &Subject<'_>, identity: &Identity, sink: &mut Vec<Diagnostic>) {
    let rules = crate::lower::login_rules(&identity.login);
    if rules.form.len() > TEXT_OCTETS_MAX {
        sink.push(bad_name(subject, "one that is too long"));
        return;
    }
    let suffix = match &rules.collision {
        Collision::NotSet => {
            sink.push(no_collision_rule(subject, "login collisions are possible and `collision` is not set"));
            None
        }
        Collision::Append { suffix, .. } if suffix.len() > TEXT_OCTETS_MAX || suffix.matches("{n}").count() != 1 => {
            let message = "login collisions are possible and the suffix of `collision` does not hold one `{n}`";
            sink.push(no_collision_rule(subject, message));
            return;
        }
        Collision::Append { suffix, .. } => suffix.split_once("{n}"),
    };
    if let Some(found) = invalid_or_reserved(subject, &rules) {
        sink.push(found);
        return;
    }
    if let (Some(suffix), Collision::Append { first, .. }) = (suffix, &rules.collision)
        && let Some(shared) = imitated(&rules, suffix, *first)
    {
        sink.push(two_people(subject, &rules, &shared));
    }
}

/// E0802.
fn no_collision_rule(subject: &Subject<'_>, message: &str) -> Diagnostic {
    let suffix = "identity.login.collision.suffix";
    let path = "identity.login.collision";
    let diagnostic = Diagnostic::new(Code::E0802, message)
        .help("`Append(suffix: \"-{n}\", first: 1, …)`")
        .at(subject.place(if subject.is_written(suffix) { suffix } else { "identity.login" }), "")
        .rule(path);
    match subject.spans.get(suffix) {
        Some(place) => diagnostic.edit(*place, "\"-{n}\""),
        None => super::extended(subject, diagnostic, "identity.login", "collision: Append(suffix: \"-{n}\", first: 1)"),
    }
}

/// E0808.
fn bad_name(subject: &Subject<'_>, example: &str) -> Diagnostic {
    Diagnostic::new(Code::E0808, format!("login form can give an invalid or reserved name ({example})"))
        .help("set `fold: AsciiLower`; root, postmaster and abuse are reserved")
        .at(subject.place("identity.login.form"), "")
        .rule("identity.login.form")
}

fn invalid_or_reserved(subject: &Subject<'_>, rules: &LoginRules) -> Option<Diagnostic> {
    let given = |first: &str, last: &str| login::candidates(rules, first, last).take(2).last().unwrap_or_default();
    let is_sound = |login: &str| {
        Login::new(login).is_some() && !login.contains(['{', '}']) && !login.bytes().any(|b| b.is_ascii_uppercase())
    };
    let pieces = login::pieces(&rules.form);
    let has_name = pieces.iter().any(|piece| !matches!(piece, Piece::Text(_)));

    let plain = given("Jean", "Toto");
    if !has_name || login::name_octets_max(rules) == 0 {
        return Some(bad_name(subject, &format!("`{plain}`")));
    }
    if rules.fold == Fold::Keep {
        let kept = given("Éloïse", "d’Aubigné");
        return (!is_sound(&kept)).then(|| {
            let fold = "identity.login.fold";
            let diagnostic = bad_name(subject, &format!("`{kept}`"));
            match subject.spans.get(fold) {
                Some(place) => diagnostic.edit(*place, "AsciiLower"),
                None => diagnostic,
            }
        });
    }
    if !is_sound(&plain) {
        return Some(bad_name(subject, &format!("`{plain}`")));
    }
    let language = Language::plain(&pieces, false);
    for reserved in RESERVED {
        if let Some(shared) = meet(&language, &Language::word(reserved)) {
            let somebody = person(&pieces, &shared.left);
            if login::candidates(rules, &somebody.first, &somebody.last).next().as_deref() == Some(reserved) {
                return Some(bad_name(subject, &format!("`{reserved}`, of {}", shown(&somebody))));
            }
        }
    }
    meet(&language, &Language::word("")).map(|_| bad_name(subject, "an empty one, of a name without Latin letters"))
}

/// A login that is plain for one person and has a suffix for another; `None` proves that there is none.
pub(super) fn imitated(rules: &LoginRules, suffix: (&str, &str), first: u32) -> Option<Shared> {
    let pieces = login::pieces(&rules.form);
    let search = |full: bool| {
        let plain = Language::plain(&pieces, full);
        let suffixed = plain.clone().with_suffix(suffix.0, login::numbers(first), suffix.1);
        meet(&plain, &suffixed)
    };
    // Names people have are better to read than empty ones.
    search(true).or_else(|| search(false))
}

/// E0803.
fn two_people(subject: &Subject<'_>, rules: &LoginRules, shared: &Shared) -> Diagnostic {
    let pieces = login::pieces(&rules.form);
    let strange = || (shared.text.clone(), person(&pieces, &shared.left), person(&pieces, &shared.right));
    let (login, p, q) = totos(rules).unwrap_or_else(strange);
    let given = |of: &Named| login::candidates(rules, &of.first, &of.last).any(|given| given == login);
    let who = if given(&p) && given(&q) {
        format!("{} plain, {} with suffix", shown(&p), shown(&q))
    } else {
        "one plain, one with suffix".to_owned()
    };
    let path = "identity.login.collision.suffix";
    let diagnostic = Diagnostic::new(Code::E0803, format!("login `{login}` can come from two different people: {who}"))
        .help("choose a suffix no initial can imitate")
        .at(subject.place(path), "")
        .also(subject.place("identity.login.form"), "the form")
        .rule(path);
    let Collision::Append { first, .. } = rules.collision else { return diagnostic };
    let apart = SUFFIXES.into_iter().find(|suffix| {
        let halves = suffix.split_once("{n}");
        halves.is_some_and(|halves| imitated(rules, halves, first).is_none())
    });
    match (apart, subject.spans.get(path)) {
        (Some(suffix), Some(place)) => diagnostic.edit(*place, format!("\"{suffix}\"")),
        (_, _) => diagnostic,
    }
}

/// The same with names that are easier to read, where they show it too: the first homonym of Jean Toto, and somebody
/// whose name ends like the suffix.
fn totos(rules: &LoginRules) -> Option<(String, Named, Named)> {
    let Collision::Append { suffix, first } = &rules.collision else { return None };
    let suffix = suffix.replace("{n}", &first.to_string());
    let named = |first: &str, last: &str| Named { first: first.to_owned(), last: last.to_owned() };
    let login = login::candidates(rules, "Jean", "Toto").nth(1)?;
    let names = [named("Jean", &format!("Toto{suffix}")), named(&format!("Jean{suffix}"), "Toto")];
    let plain = names.into_iter().find(|p| login::candidates(rules, &p.first, &p.last).next().as_ref() == Some(&login));
    Some((login, plain?, named("Jean", "Toto")))
}

/// A name whose pieces have these octets; what the form does not look at is Jean or Toto.
pub(super) fn person(pieces: &[Piece], octets: &[(Option<usize>, u8)]) -> Named {
    let of = |wanted: &Piece| -> Option<String> {
        let index = pieces.iter().position(|piece| piece == wanted)?;
        let own = octets.iter().filter(|(piece, _)| *piece == Some(index));
        Some(own.map(|(_, octet)| char::from(*octet)).collect())
    };
    let initials =
        || of(&Piece::Initials).map(|letters| letters.chars().map(String::from).collect::<Vec<_>>().join("-"));
    Named {
        first: of(&Piece::First).or_else(initials).unwrap_or_else(|| "Jean".to_owned()),
        last: of(&Piece::Last).unwrap_or_else(|| "Toto".to_owned()),
    }
}

/// `Jean Toto`; a name that gives nothing is shown as what it is.
fn shown(named: &Named) -> String {
    format!("{} {}", capital(&named.first), capital(&named.last))
}

fn capital(name: &str) -> String {
    let mut after = '-';
    let mut shown = String::new();
    for c in name.chars() {
        shown.push(if after == '-' { c.to_ascii_uppercase() } else { c });
        after = c;
    }
    if shown.is_empty() { "…".to_owned() } else { shown }
}
