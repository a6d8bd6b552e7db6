//! What overlays did, for what can be judged only when the composed policy is typed and its names are resolved: a field
//! that no group knows (E0110), and a name that is gone and still used (E0112).

use std::collections::BTreeMap;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Sources};
use crate::edits;
use crate::model::domain::Remote;
use crate::model::{Policy, Switch};
use crate::syntax::{GroupBody, Kind, Node, Span, near, quote};

use super::layer::{Edit, shown};

/// Uses of a removed name that are shown.
const USES_MAX: usize = 3;

#[derive(Default)]
pub(crate) struct Done {
    /// Fields that the base did not have: where the path is written, and the path.
    pub(super) fields: BTreeMap<Span, String>,
    pub(super) removed: Vec<Removed>,
    /// Where `backup` is switched off: the path and the whole edit.
    no_backup: Option<(Span, Span)>,
}

/// An entry that was taken out.
pub(super) struct Removed {
    /// The path of the map or list.
    pub from: String,
    pub name: String,
    pub place: Span,
}

impl Done {
    pub(super) fn note_set(&mut self, edit: &Edit, value: &Node) {
        if edit.path == "backup" {
            self.no_backup = is_none(value).then_some((edit.place, edit.whole));
        }
    }

    /// Judges what typing and resolving found, in the light of the edits.
    pub fn judge(&self, policy: &Policy, sources: &Sources, sink: &mut Vec<Diagnostic>) {
        self.unknown_fields(sink);
        self.still_used(sources, sink);
        self.nothing_kept(policy, sources, sink);
    }

    /// E0002 at the path of an overlay is E0110.
    fn unknown_fields(&self, sink: &mut [Diagnostic]) {
        if self.fields.is_empty() {
            return;
        }
        for found in sink.iter_mut().filter(|found| found.code == Code::E0002) {
            let Some((place, path)) = found.place().and_then(|place| self.fields.get_key_value(&place)) else {
                continue;
            };
            let fields = found.help.take().unwrap_or_default();
            let listed = fields.rsplit_once(": ").map_or("", |(_, listed)| listed);
            let (outer, wrong) = path.rsplit_once('.').unwrap_or(("", path));
            found.code = Code::E0110;
            found.message = format!("overlay path `{}` does not exist: {}", shown(path), found.message);
            found.fix.clear();
            found.help = Some(fields.clone());
            if let Some(near) = near::nearest(wrong, listed.split(", ").filter(|name| *name != "…")) {
                let path = format!("{outer}.{near}");
                found.help = Some(format!("nearest: `{path}`"));
                *found = found.clone().edit(*place, format!("{path:?}"));
            }
        }
    }

    /// E0101 and its like about a name that an overlay removed are E0112, once for each removal.
    fn still_used(&self, sources: &Sources, sink: &mut Vec<Diagnostic>) {
        if self.removed.is_empty() {
            return;
        }
        let mut by_name: BTreeMap<String, &Removed> = BTreeMap::new();
        for removed in &self.removed {
            let kind = match removed.from.as_str() {
                "networks" => "network",
                "listeners" => "listener",
                "may_send" => "sending block",
                "scanners" => "scanner",
                "mailboxes.profiles" => "profile",
                "domains" => "domain",
                _ => continue,
            };
            by_name.insert(format!("{kind} \"{}\"", removed.name), removed);
        }
        let mut uses: BTreeMap<Span, (&Removed, Vec<Diagnostic>)> = BTreeMap::new();
        let about = |found: &Diagnostic| {
            let (kind, name) = match found.code {
                Code::E0101 => found.message.strip_prefix("unknown ")?.split_once(" \"")?,
                Code::E0902 => found.message.split_once(" is empty: ")?.1.split_once(" \"")?,
                Code::E0519 => ("domain", found.message.split_once(" is an alias of \"")?.1),
                _ => return None,
            };
            let name = name.split('"').next().unwrap_or(name);
            by_name.get(&format!("{kind} \"{name}\"")).copied()
        };
        sink.retain(|found| match about(found) {
            Some(removed) => {
                uses.entry(removed.place).or_insert((removed, Vec::new())).1.push(found.clone());
                false
            }
            None => true,
        });
        sink.extend(uses.into_values().map(|(removed, uses)| {
            let path = |found: &Diagnostic| found.rule.clone().unwrap_or_default();
            let first = uses.first().map(path).unwrap_or_default();
            let message = format!("overlay removes \"{}\", still used by `{first}`", quote(&removed.name));
            let mut found = Diagnostic::new(Code::E0112, message)
                .help("remove or redirect that use too")
                .at(removed.place, "")
                .edit(edits::entry(sources, removed.place), "");
            for used in uses.iter().take(USES_MAX).filter_map(Diagnostic::place) {
                found = found.also(used, "used here");
            }
            if uses.len() > USES_MAX {
                let others: Vec<String> = uses.iter().skip(USES_MAX).take(16).map(path).collect();
                found = found.note(format!("also used by {}", others.join(", ")));
            }
            found
        }));
    }

    /// E0112 for a backup that is switched off while mail is real.
    fn nothing_kept(&self, policy: &Policy, sources: &Sources, sink: &mut Vec<Diagnostic>) {
        let Some((place, whole)) = self.no_backup else { return };
        let off = policy.backup.seen().is_some_and(|backup| matches!(backup, Switch::Off));
        let captures = match policy.routes.seen() {
            Some(routes) => matches!(routes.remote, Remote::Capture(_)),
            // The default is to deliver.
            None if policy.routes.is_absent() => false,
            None => true,
        };
        if off && !captures {
            let message = "overlay removes \"backup\", still used by `routes.remote`: what replaces it?";
            let found = Diagnostic::new(Code::E0112, message)
                .help("mail from the outside would be in one place only; `routes.remote: Capture(…)` makes it a test")
                .at(place, "")
                .rule("backup")
                .edit(edits::entry(sources, whole), "");
            sink.push(found);
        }
    }
}

fn is_none(value: &Node) -> bool {
    match &value.kind {
        Kind::Group(group) => {
            group.body == GroupBody::Absent && group.name.as_ref().is_some_and(|name| &*name.text == "None")
        }
        _ => false,
    }
}
