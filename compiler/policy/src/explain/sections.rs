//! The sections of the language: what each decides, and what fills it when nobody writes it.

use super::Explanation;
use crate::compile::Sealed;
use crate::defaults;
use crate::diagnostic::Sources;
use crate::model::SECTIONS;
use crate::syntax::{Document, read};

/// What a section decides, one or two sentences.
fn about(section: &str) -> Option<&'static str> {
    Some(match section {
        "language" => "The version of the policy language the file is written in; this compiler reads 1.",
        "institution" => {
            "Whose policy it is: name, main domain, time zone (every local time is in it), contact, language of the pages."
        }
        "domains" => {
            "Which domains are ours: held here (`Held`), handed to another server (`PassOn`), or another name of one (`AliasOf`)."
        }
        "identity" => {
            "Who people are: where the directory is, how addresses and logins are made, what holds for passwords."
        }
        "networks" => {
            "Which client addresses are treated alike. The longest prefix wins; exactly one network is `Rest`."
        }
        "gateways" => "Trusted upstream hops that hand mail in and tell the true client address.",
        "tls" => "The oldest TLS spoken and where certificates come from.",
        "listeners" => "What the server listens on: host, port, protocol, TLS, and whether it asks for a login.",
        "web" => "Addresses of web clients, for the pages; it opens nothing.",
        "never_reachable_beyond" => {
            "A ceiling: how far each service may ever be reachable, whatever a block says. `Relay` lists who may send without a password."
        }
        "may_send" => {
            "Who may send mail: connecting to which listeners, from which networks, to whom, as whom, how much. A pair of listener and client class without a block is turned away."
        }
        "may_receive" => "From where mail for our addresses is taken.",
        "may_read" => "From where mailboxes may be read.",
        "when_over" => "Whether a full limit answers 4yz, try later, or 5yz, refused.",
        "one_account_in_several_blocks" => {
            "Whether an account that uses several blocks has one count in all of them (`CountedTogether`) or one in each."
        }
        "limit_grants" => "Other limits for one login in one block, with a reason, an approver and an end.",
        "senders" => "The register of applications that send without a login.",
        "logins" => "How many failed logins are taken before even the right password has to wait.",
        "strangers" => "Limits per client address for servers that bring mail in.",
        "dns_lists" => {
            "Lists in DNS of clients with a bad name, asked about strangers, and what a listed one is answered."
        }
        "blocked" => "Senders, clients, link hosts, attachments and reply addresses that mail is refused for.",
        "mailboxes" => "Message size, profiles and quotas, and what happens when a mailbox is full.",
        "imap" => "Which IMAP extensions a mail program is not told of, by the name it gives itself.",
        "reception" => "The ordered steps of an incoming message; after `Accept` no verdict may refuse.",
        "sending" => "The ordered steps of an outgoing message.",
        "authenticate" => "What is done with mail from outside that claims to be from one of our domains.",
        "scanners" => "The engines and passes there are, and how they are reached.",
        "antivirus" => "Which engines look, and what becomes of infected and suspect mail in each direction.",
        "antispam" => "How the score is made, when a message is tagged, who teaches the filter.",
        "filters" => "What people's own filters may look at and do.",
        "losses" => "Which reasons for losing a message are recorded.",
        "response" => "How far managers may go: mailboxes in one recall alone, and how long a block of theirs lasts.",
        "redirects" => "Where mail may be redirected, by whom that is asked, and what is refused.",
        "routes" => "Where mail goes: mailboxes here, the world, people whose mailbox lives elsewhere.",
        "delivery" => {
            "How mail leaves: when it is tried again, how many connections at once, which TLS it needs, what is reported."
        }
        "signing" => "Which signatures (DKIM) mail that leaves carries, and how often their keys change.",
        "retention" => "How long everything that is stored lives.",
        "backup" => "When and what is backed up, where to, and for how long it is kept.",
        "deployment" => {
            "How long a deployed plan is on trial, and what takes it back before: refused accounts, what is down, a queue that grows."
        }
        "guarantees" => {
            "What must stay true whoever edits the file; the compiler proves each or shows a counterexample."
        }
        "waivers" => "Lints the institution has looked at and keeps, each with a place, a reason and an end.",
        "locked" => "Sections and paths no overlay may change.",
        "include" => "Files whose entries are added to this one.",
        other => return about_people(other),
    })
}

/// The same, of sections about people.
fn about_people(section: &str) -> Option<&'static str> {
    Some(match section {
        "counters" => "How many accounts are counted for and how much memory their windows may take.",
        "accounts" => {
            "The life of an account: how long before the first day it is there, what happens after the last, and what stops an import that changes too much."
        }
        "roles" => "Who looks after people: correspondents of units, mail managers, administrators.",
        "portal" => "Where people manage their own account, from which networks, and how long a session lasts.",
        "compromise" => "By which signs a stolen account is known, and what is done then.",
        _ => return None,
    })
}

/// What a section decides, what is written here, and what its default is.
pub fn section(name: &str, policy: Option<(&Sealed, &Sources)>) -> Option<Explanation> {
    if !SECTIONS.contains(&name) {
        return None;
    }
    let mut explanation = Explanation::new(format!("section `{name}`"));
    explanation.facts.extend(about(name).map(str::to_owned));
    if let Some((sealed, _)) = policy {
        let place = sealed.map.places.get(name);
        let written = place
            .filter(|place| sealed.map.files.get(place.file as usize).is_none_or(|file| file != defaults::FILE_NAME));
        explanation.facts.push(match written {
            Some(place) => {
                let file = sealed.map.files.get(place.file as usize).map_or("", String::as_str);
                format!("written at {file}:{}", place.line)
            }
            None => "not written in this policy: the default holds".to_owned(),
        });
    }
    if defaults::REQUIRED.contains(&name) {
        explanation.facts.push("there is no default: every policy writes it".to_owned());
        return Some(explanation);
    }
    match fixed_default(name) {
        Some(text) => {
            explanation.text.push("default:".to_owned());
            explanation.text.extend(text.lines().map(str::to_owned));
        }
        None => explanation.facts.push("the default is derived from the other sections".to_owned()),
    }
    Some(explanation)
}

/// The sections a policy does not write, each with what holds instead, as the plan has it.
pub fn default_sections(sealed: &Sealed, written: impl Fn(&str) -> bool) -> Vec<Explanation> {
    let mut sources = Sources::new();
    let file = sources.add("plan", sealed.text.as_str());
    let mut sink = Vec::new();
    let plan = read(file, &sealed.text, &mut sink);
    let mut explanations = Vec::new();
    for name in SECTIONS.iter().filter(|name| !written(name) && !["include", "locked"].contains(name)) {
        let mut explanation = Explanation::new(format!("section `{name}`, by default"));
        explanation.facts.extend(about(name).map(str::to_owned));
        let text = match fixed_default(name).filter(|_| !is_derived(name)) {
            Some(text) => text,
            None => slice(&plan, name).unwrap_or_default(),
        };
        explanation.text.extend(text.lines().map(str::to_owned));
        explanations.push(explanation);
    }
    explanations
}

/// What depends on the policy: shown as the plan has it.
fn is_derived(section: &str) -> bool {
    let derived = [
        "identity",
        "tls",
        "may_send",
        "may_receive",
        "may_read",
        "reception",
        "sending",
        "strangers",
        "guarantees",
        "domains",
        "never_reachable_beyond",
        "scanners",
    ];
    derived.contains(&section)
}

fn fixed_default(section: &str) -> Option<String> {
    let mut sources = Sources::new();
    let file = sources.add(defaults::FILE_NAME, defaults::TEXT);
    let mut sink = Vec::new();
    slice(&read(file, defaults::TEXT, &mut sink), section)
}

/// The text of a section as its file has it.
fn slice(document: &Document, name: &str) -> Option<String> {
    let section = document.section(name)?;
    Some(format!("    {name}: {},", document.tree().slice(section.node)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_is_explained() {
        for name in SECTIONS {
            assert!(about(name).is_some_and(|text| text.ends_with('.')), "{name}");
        }
    }
}
