//! `replace_hosts`: a suffix of every host, domain, address, URL and form of addresses is renamed, keys of maps
//! included. Untyped on purpose: what looks like a host in a policy is one. Prose, and whatever has white space, is left
//! alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Sources};
use crate::model::literal::DomainName;
use crate::syntax::{Document, Entry, GroupBody, Kind, Node, Span, quote};

use super::grown::key_name;

/// Fields that hold words for people, or names and paths of the policy itself.
const NOT_HOSTS: [&str; 7] = ["name", "guide", "label", "because", "subject", "include", "locked"];

/// Longer texts hold no host.
const TEXT_BYTES_MAX: usize = 1024;

#[derive(Default)]
pub(super) struct Hosts {
    /// Old suffix in lower case to new one.
    names: BTreeMap<String, String>,
    /// The new suffixes in lower case.
    new: BTreeSet<String>,
    /// Where `replace_hosts` stands.
    place: Span,
}

impl Hosts {
    /// The table of an overlay. Mistakes go to the sink.
    pub fn of(document: &Document, sink: &mut Vec<Diagnostic>) -> Hosts {
        let typed = document.decode_field::<crate::syntax::Entries<DomainName, DomainName>>("replace_hosts", sink);
        let Some(section) = document.section("replace_hosts") else { return Hosts::default() };
        let mut hosts = Hosts { place: section.name_span, ..Hosts::default() };
        for (from, to) in typed.best().iter().flat_map(crate::syntax::Entries::iter) {
            let (old, new) = (from.value.0.as_str(), to.value.0.as_str());
            if !old.contains('.') {
                let message = format!("expected a domain with a dot, found a word: `{}`", quote(old));
                let found = Diagnostic::new(Code::E0104, message).help("for example `example.org`");
                sink.push(found.at(from.span, "").rule("replace_hosts"));
                continue;
            }
            hosts.new.insert(new.to_ascii_lowercase());
            hosts.names.insert(old.to_ascii_lowercase(), new.to_owned());
        }
        hosts
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Renames everywhere below a node. Two keys that become one are told.
    pub fn rename(&self, node: &mut Node, sources: &Sources, sink: &mut Vec<Diagnostic>) {
        if !self.is_empty() {
            let mut twice = Vec::new();
            self.walk(node, &mut |text| self.renamed(text), &mut twice);
            sink.extend(twice.into_iter().map(|(key, first, second)| self.twice(sources, &key, first, second)));
        }
    }

    /// Renames what does not have its new name yet: people may be written for the base or for the overlay.
    pub fn rename_again(&self, node: &mut Node) {
        if !self.is_empty() {
            let rename = |text: &str| if self.is_renamed(text) { None } else { self.renamed(text) };
            self.walk(node, &mut { rename }, &mut Vec::new());
        }
    }

    /// Recursion is as deep as the tree.
    fn walk(
        &self,
        node: &mut Node,
        rename: &mut impl FnMut(&str) -> Option<String>,
        twice: &mut Vec<(String, Span, Span)>,
    ) {
        match &mut node.kind {
            Kind::Text(text) => {
                if let Some(new) = rename(text) {
                    *text = new.into();
                }
            }
            Kind::List(items) => items.iter_mut().for_each(|item| self.walk(item, rename, twice)),
            Kind::Map(entries) => {
                let mut renamed = false;
                for entry in entries.iter_mut() {
                    if let Kind::Text(key) = &mut entry.key.kind
                        && let Some(new) = rename(key)
                    {
                        *key = new.into();
                        renamed = true;
                    }
                    self.walk(&mut entry.value, rename, twice);
                }
                if renamed {
                    keep_first(entries, twice);
                }
            }
            Kind::Group(group) => match &mut group.body {
                GroupBody::Items(items) => items.iter_mut().for_each(|item| self.walk(item, rename, twice)),
                GroupBody::Fields(fields) => {
                    let fields = fields.iter_mut().filter(|field| !NOT_HOSTS.contains(&&*field.name.text));
                    fields.for_each(|field| self.walk(&mut field.value, rename, twice));
                }
                GroupBody::Absent | GroupBody::Empty => {}
            },
            Kind::Broken | Kind::Bool(_) | Kind::Integer(_) | Kind::OddNumber | Kind::Char(_) => {}
        }
    }

    /// The text with the suffix of its host replaced: the longest that fits, once, at the boundary of a label.
    fn renamed(&self, text: &str) -> Option<String> {
        let (start, end) = host(text)?;
        let host = text[start..end].to_ascii_lowercase();
        let (label, new) = suffixes(&host).find_map(|(label, suffix)| Some((label, self.names.get(suffix)?)))?;
        Some(format!("{}{new}{}", &text[..start + label], &text[end..]))
    }

    fn is_renamed(&self, text: &str) -> bool {
        let Some((start, end)) = host(text) else { return false };
        let host = text[start..end].to_ascii_lowercase();
        suffixes(&host).any(|(_, suffix)| self.new.contains(suffix))
    }

    fn twice(&self, sources: &Sources, key: &str, first: Span, second: Span) -> Diagnostic {
        let message = format!("\"{}\" is defined twice once hosts are replaced", quote(key));
        Diagnostic::new(Code::E0103, message)
            .help("give the two different new names")
            .at(self.place, "")
            .also(first, format!("first in {}", sources.name(first.file)))
            .also(second, "again here")
    }
}

/// Entries whose keys have become one: the first stays.
fn keep_first(entries: &mut Vec<Entry>, twice: &mut Vec<(String, Span, Span)>) {
    let mut first: BTreeMap<String, Span> = BTreeMap::new();
    entries.retain(|entry| {
        let Some(name) = key_name(&entry.key) else { return true };
        match first.get(name) {
            Some(there) => {
                twice.push((name.to_owned(), *there, entry.key.span()));
                false
            }
            None => first.insert(name.to_owned(), entry.key.span()).is_none(),
        }
    });
}

/// A host without its first labels, none of them first, with where each begins.
fn suffixes(host: &str) -> impl Iterator<Item = (usize, &str)> {
    let labels = std::iter::once(0).chain(host.match_indices('.').map(|(dot, _)| dot + 1));
    labels.map(|label| (label, &host[label..]))
}

/// Where the host stands in `https://host/…`, `local@host`, `host:port` or `host`.
fn host(text: &str) -> Option<(usize, usize)> {
    if text.len() > TEXT_BYTES_MAX || text.contains(char::is_whitespace) {
        return None;
    }
    let url = text.find("://").map(|at| at + 3);
    let from = url.unwrap_or(0);
    let authority = match url {
        Some(from) => from + text[from..].find(['/', '?', '#']).unwrap_or(text.len() - from),
        None => text.len(),
    };
    let start = text[from..authority].rfind('@').map_or(from, |at| from + at + 1);
    let end = text[start..authority].find(':').map_or(authority, |port| start + port);
    let end = start + text[start..end].trim_end_matches('.').len();
    (start < end).then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        let names = [("univ.fr", "test.univ.fr"), ("med.univ.fr", "med.fr"), ("univ.lan", "univ.lab")];
        let new = names.iter().map(|(_, new)| (*new).to_owned()).collect();
        let names = names.into_iter().map(|(old, new)| (old.to_owned(), new.to_owned())).collect();
        Hosts { names, new, place: Span::default() }
    }

    #[test]
    fn the_longest_suffix_of_a_host_is_renamed_at_a_label_and_once() {
        let check =
            |text: &str, expected: Option<&str>| assert_eq!(hosts().renamed(text).as_deref(), expected, "{text}");
        check("univ.fr", Some("test.univ.fr"));
        check("mx.univ.fr", Some("mx.test.univ.fr"));
        check("{unit}.univ.fr", Some("{unit}.test.univ.fr"));
        check("{First}.{Last}@univ.fr", Some("{First}.{Last}@test.univ.fr"));
        check("x.med.univ.fr", Some("x.med.fr"));
        check("MX.Univ.FR", Some("MX.test.univ.fr"));
        check("scan.univ.lan:1344", Some("scan.univ.lab:1344"));
        check("https://mail.univ.fr/x?univ.fr", Some("https://mail.test.univ.fr/x?univ.fr"));
        check("my-univ.fr", None);
        check("univ.fr.evil.example", None);
        check("univ.fr@elsewhere.example", None);
        check("see univ.fr", None);
        check("500 / 15 min", None);
    }

    #[test]
    fn what_has_its_new_name_is_known() {
        assert!(hosts().is_renamed("a@test.univ.fr") && hosts().is_renamed("x.med.fr"));
        assert!(!hosts().is_renamed("a@univ.fr") && !hosts().is_renamed("latest.univ.frx"));
    }
}
