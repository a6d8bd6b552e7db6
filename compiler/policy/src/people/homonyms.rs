//! E0801 and E0803 for the people there are: two of them get one address, or a plain login of one is the suffixed login
//! of another. Needs only the rules, so it speaks even where the policy gives no plan.

use std::collections::BTreeMap;

use decide::login;
use mail::Address;
use plan::{Homonyms, Identity};

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::people as written;
use crate::syntax::{Span, Spanned};

/// Who got something, and where they stand.
struct Holder<'p> {
    person: &'p written::Person,
    place: Span,
}

/// Enough for one run.
const REPORTS_MAX: usize = 200;

/// `logins_apart`: the proof about the login rule found nothing, so no two people can be mistaken.
pub(crate) fn check(people: &written::People, identity: &Identity, logins_apart: bool, sink: &mut Vec<Diagnostic>) {
    addresses(people, identity, sink);
    if !logins_apart {
        logins(people, identity, sink);
    }
}

/// An official address as it is compared.
fn derived(identity: &Identity, person: &written::Person) -> Option<Address> {
    login::official_address(identity, &person.first, &person.last).parse().ok()
}

/// E0801: nobody says which of the two gets the address.
fn addresses(people: &written::People, identity: &Identity, sink: &mut Vec<Diagnostic>) {
    let is_form = identity.address.official.len() <= crate::check::accounts::FORM_OCTETS_MAX;
    if matches!(identity.address.homonyms, Homonyms::Append { .. }) || !is_form {
        return;
    }
    let mut taken: BTreeMap<String, Holder<'_>> = BTreeMap::new();
    for Spanned { value: person, span } in people.people.seen().into_iter().flatten() {
        let given = person.address.as_ref().map(|address| address.value.0.clone());
        let is_given = given.is_some();
        let Some(address) = given.or_else(|| derived(identity, person)) else { continue };
        let holder = Holder { person, place: *span };
        let Some(first) = taken.get(&address.folded()) else {
            taken.insert(address.folded(), holder);
            continue;
        };
        // An address that is given twice is E0811.
        if is_given {
            continue;
        }
        let message = format!("{} and {} get the same address {address}", who(first.person), who(person));
        let diagnostic = Diagnostic::new(Code::E0801, message)
            .help(
                "`address: \"…\"` for one of them, or `homonyms: Append(…)`; logins are told apart, addresses are not",
            )
            .at(*span, "again here")
            .also(first.place, "first here");
        sink.push(diagnostic);
    }
}

/// E0803: in order of registration, who gets a suffixed login that is somebody's plain one.
fn logins(people: &written::People, identity: &Identity, sink: &mut Vec<Diagnostic>) {
    let mut taken: BTreeMap<String, Holder<'_>> = BTreeMap::new();
    // Logins given with a suffix; and plain ones.
    let mut suffixed: BTreeMap<String, Holder<'_>> = BTreeMap::new();
    let mut plain: BTreeMap<String, Holder<'_>> = BTreeMap::new();
    let enough = sink.len() + REPORTS_MAX;
    for Spanned { value: person, span } in people.people.seen().into_iter().flatten() {
        if sink.len() >= enough {
            return;
        }
        let holder = || Holder { person, place: *span };
        if let Some(given) = &person.login {
            taken.entry(given.value.clone()).or_insert_with(holder);
            continue;
        }
        let mut candidates = login::candidates(&identity.login, &person.first, &person.last);
        let Some(first) = candidates.next() else { continue };
        if let Some(other) = suffixed.get(&first) {
            sink.push(ambiguous(&first, &holder(), other));
        }
        plain.entry(first.clone()).or_insert_with(holder);
        if taken.contains_key(&first) {
            // Those before the free one belong to somebody: by their own name, or as homonyms.
            for login in candidates {
                if let Some(other) = plain.get(&login)
                    && sink.len() < enough
                {
                    sink.push(ambiguous(&login, other, &holder()));
                }
                if taken.contains_key(&login) {
                    continue;
                }
                suffixed.insert(login.clone(), holder());
                taken.insert(login, holder());
                break;
            }
        } else {
            taken.insert(first, holder());
        }
    }
}

fn ambiguous(login: &str, plain: &Holder<'_>, suffixed: &Holder<'_>) -> Diagnostic {
    let message = format!(
        "login `{login}` can come from two different people: {} plain, {} with suffix",
        who(plain.person),
        who(suffixed.person)
    );
    Diagnostic::new(Code::E0803, message)
        .help("choose a suffix no initial can imitate, or give one of them `login: \"…\"`")
        .at(suffixed.place, "with suffix")
        .also(plain.place, "plain")
}

fn who(person: &written::Person) -> String {
    format!("{} {}", person.first, person.last)
}
