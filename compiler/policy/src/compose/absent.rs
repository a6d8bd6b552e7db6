//! A section nobody wrote, for an overlay that edits a part of it: taken from the text of the defaults, with what
//! depends on the policy put in.

use crate::syntax::{Document, GroupBody, Kind, Node};

use super::grown::key_name;

/// Sections that stand in the defaults as they are used.
const STATIC: [&str; 29] = [
    "accounts",
    "roles",
    "portal",
    "compromise",
    "gateways",
    "web",
    "when_over",
    "one_account_in_several_blocks",
    "limit_grants",
    "senders",
    "counters",
    "logins",
    "dns_lists",
    "blocked",
    "mailboxes",
    "imap",
    "authenticate",
    "antivirus",
    "antispam",
    "filters",
    "losses",
    "response",
    "redirects",
    "routes",
    "delivery",
    "signing",
    "retention",
    "backup",
    "deployment",
    "waivers",
];

/// The default of a section; `None` where it is made from other sections.
pub(super) fn section(name: &str, defaults: &Document, root: &Node) -> Option<Node> {
    let mut node = defaults.section(name)?.node.clone();
    match name {
        "tls" => append(text_in(field_in(&mut node, "certificate")?)?, root)?,
        "identity" => append(text_in(field_in(field_in(&mut node, "address")?, "official")?)?, root)?,
        "guarantees" => {
            let rest = networks(root, true)?;
            let Kind::List(guarantees) = &mut node.kind else { return None };
            let from = guarantees.iter_mut().filter_map(|guarantee| field_in(guarantee, "from"));
            from.for_each(|from| from.kind = Kind::List(rest.clone()));
        }
        "strangers" => field_in(&mut node, "not_for")?.kind = Kind::List(networks(root, false)?),
        _ if STATIC.contains(&name) => {}
        _ => return None,
    }
    Some(node)
}

fn field_in<'n>(node: &'n mut Node, name: &str) -> Option<&'n mut Node> {
    let Kind::Group(group) = &mut node.kind else { return None };
    let GroupBody::Fields(fields) = &mut group.body else { return None };
    fields.iter_mut().find(|field| &*field.name.text == name).map(|field| &mut field.value)
}

/// The text of a node, or of the one value in its brackets.
fn text_in(node: &mut Node) -> Option<&mut Box<str>> {
    match &mut node.kind {
        Kind::Text(text) => Some(text),
        Kind::Group(group) => match &mut group.body {
            GroupBody::Items(items) => match items.first_mut().map(|item| &mut item.kind) {
                Some(Kind::Text(text)) => Some(text),
                Some(_) | None => None,
            },
            GroupBody::Absent | GroupBody::Empty | GroupBody::Fields(_) => None,
        },
        _ => None,
    }
}

/// `@` and the domain of the institution.
fn append(text: &mut Box<str>, root: &Node) -> Option<()> {
    let institution = root.fields().iter().find(|field| &*field.name.text == "institution")?;
    let domain = institution.value.fields().iter().find(|field| &*field.name.text == "domain")?;
    *text = format!("{text}@{}", key_name(&domain.value)?).into();
    Some(())
}

/// The names of the networks that are `Rest`, or of the others.
fn networks(root: &Node, rest: bool) -> Option<Vec<Node>> {
    let networks = root.fields().iter().find(|field| &*field.name.text == "networks")?;
    let Kind::Map(entries) = &networks.value.kind else { return None };
    let is_rest = |node: &Node| key_name(node) == Some("Rest");
    Some(entries.iter().filter(|entry| is_rest(&entry.value) == rest).map(|entry| entry.key.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Sources;

    #[test]
    fn every_section_of_the_defaults_is_taken_as_it_is_or_known_to_be_made_from_others() {
        let mut sources = Sources::new();
        let (defaults, _) = crate::defaults::document(&mut sources);
        let text = "Policy(institution: (domain: \"a.example\"), networks: { \"in\": In([]), \"out\": Rest })";
        let file = sources.add("policy.ron", text);
        let policy = crate::syntax::read(file, text, &mut Vec::new());
        let made = ["may_send", "may_receive", "may_read", "reception", "sending", "scanners"];
        for written in defaults.sections() {
            let taken = section(written.name, &defaults, &policy.tree.root).is_some();
            assert_eq!(taken, !made.contains(&written.name), "{}", written.name);
        }
    }
}
