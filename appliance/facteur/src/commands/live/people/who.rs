//! `facteur explain --who NAME --data FOLDER`: who that is in the directory as it is now, and what the next person of that name
//! would get, judged as an import judges it.

use std::path::Path;

use mail::Address;
use policy::explain::Explanation;
use server::operate::{
    ImportPeople, ImportedPeople, ListAddresses, ListPeople, ListedPerson, ShowPerson, ShownPerson, WantedPerson,
};

use super::super::{Place, counted, failed, follow, number, size};
use crate::Exit;
use crate::cli::Format;

/// Most people one answer lists.
const PEOPLE_MAX: u32 = 20;
/// The id of the person who would be new: nobody in a directory has it.
const NOBODY: &str = "explain --who";

/// Everybody a name, login or address may mean; then, for a name, what a namesake would get.
pub fn who(data: Option<&Path>, site: Option<&Path>, text: &str) -> Result<Vec<Explanation>, Exit> {
    let place = Place::here(data, site);
    answer(&place, text.trim()).map_err(|why| failed(Format::Human, &why, Exit::Trouble))
}

fn answer(place: &Place, text: &str) -> Result<Vec<Explanation>, String> {
    let like = ListPeople { like: Some(text.to_owned()), limit: PEOPLE_MAX, ..ListPeople::default() };
    let found = follow(place, like, |_| ())?;
    let mut logins: Vec<String> = found.into_iter().filter_map(|listed| listed.person.login).collect();
    if let Ok(address) = text.parse::<Address>() {
        logins.extend(behind(place, &address)?);
    }
    let mut explanations = Vec::new();
    for (at, login) in logins.iter().enumerate() {
        if !logins[..at].contains(login) && explanations.len() < PEOPLE_MAX as usize {
            let shown = follow(place, ShowPerson { login: login.clone() }, |_| ())?;
            explanations.push(one(&shown));
        }
    }
    explanations.extend(namesake(place, text));
    Ok(explanations)
}

/// Whom an alias, a former or a functional address leads to.
fn behind(place: &Place, address: &Address) -> Result<Vec<String>, String> {
    let folded = address.folded();
    let mut after = folded.clone();
    after.pop();
    let listed = follow(place, ListAddresses { after }, |_| ())?;
    let is = |text: &str| text.parse::<Address>().is_ok_and(|it| it.folded() == folded);
    Ok(listed.into_iter().find(|it| is(&it.address)).map(|it| it.members).unwrap_or_default())
}

fn one(shown: &ShownPerson) -> Explanation {
    let ShownPerson { listed: ListedPerson { person, source }, aliases, functions, used_octets, messages, .. } = shown;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let quota = size(person.quota_octets.unwrap_or_default());
    let title = format!("{}, {}, {quota}", text(&person.login), text(&person.address));
    let mut facts = vec![format!("{} {}", person.first, person.last).trim().to_owned()];
    let mut say = |what: &str, value: String| {
        if !value.is_empty() {
            facts.push(format!("{what} {value}"));
        }
    };
    let list = |all: &[(String, u64)]| all.iter().map(|(address, _)| address.as_str()).collect::<Vec<_>>().join(", ");
    say("profile", text(&person.profile));
    say("unit", text(&person.unit));
    say("the mailbox lives at", text(&person.home));
    say("former addresses:", person.former.join(", "));
    say("aliases:", list(aliases));
    say("functional addresses:", list(functions));
    say("first day", person.registered.clone());
    say("last day", text(&person.until));
    say("uses", format!("{} in {}", size(*used_octets), counted(*messages, "message", "messages")));
    say("comes from", source.clone());
    Explanation { title, facts, ..Explanation::default() }
}

/// For a first and a last name. Who cannot be judged is said with the reason.
fn namesake(place: &Place, text: &str) -> Option<Explanation> {
    let (first, last) = text.split_once(char::is_whitespace).filter(|_| !text.contains('@'))?;
    let (id, first, last) = (NOBODY.to_owned(), first.to_owned(), last.trim().to_owned());
    let person = WantedPerson { line: 1, id, first, last, ..WantedPerson::default() };
    let request = ImportPeople { people: vec![person], dry_run: true, ..ImportPeople::default() };
    Some(match follow(place, request, |_| ()) {
        Ok(judged) => would_get(text, &judged),
        Err(why) => {
            Explanation { title: format!("what a new {text} would get is not known: {why}"), ..Explanation::default() }
        }
    })
}

fn would_get(text: &str, judged: &ImportedPeople) -> Explanation {
    let facts = judged.mistakes.iter().map(|mistake| mistake.what.clone());
    let Some(new) = judged.people.first() else {
        let title = format!("a new {text} could not be taken on as it stands");
        return Explanation { title, facts: facts.collect(), ..Explanation::default() };
    };
    let title = format!("a new {text} would get login {} and address {}", new.login, new.address);
    let taken = new.instead_of.iter().map(|(wanted, given)| format!("{wanted} is taken: {given}"));
    let among = format!("judged among {} people, and what was ever given", number(judged.known));
    Explanation { title, facts: facts.chain(taken).chain([among]).collect(), ..Explanation::default() }
}
