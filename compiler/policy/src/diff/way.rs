//! Which way each fact of a plan runs: whether less of it is tighter, more of it, or neither. What the decision table
//! judges is classed by its cells first (`cells`); this table speaks where no cell moves.

use super::Class;
use crate::table::step::Step;
use crate::verify::node::{Kind, Node, unescaped};

/// How two values of one fact compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Words for people: nothing decides by them.
    Text,
    /// The smaller number is tighter; of lives the shorter.
    Smaller,
    /// The larger number is tighter; of lives the longer.
    Larger,
    /// As `Smaller`, and 0 is without end.
    SmallerNeverZero,
    /// Each member more is looser.
    Fewer,
    /// Each member more is tighter.
    More,
    /// Words from the loosest to the tightest.
    Scale(&'static [&'static str]),
    /// Of dates the later is looser.
    Earlier,
    /// Of dates the later is tighter, and none is tighter than any.
    Later,
    Different,
}

use Way::{Different, Earlier, Fewer, Larger, Later, More, Scale, Smaller, SmallerNeverZero, Text};

const WHEN_OVER: Way = Scale(&["TryLater", "Refuse"]);
const LIMITS: &str = "recipients_in_one_message";

/// The first pattern that fits holds; `*` is any one step, `**` any number of them.
const WAYS: &[(&str, Way)] = &[
    ("institution.domain", Different),
    ("institution.time_zone", Different),
    ("institution.*", Text),
    ("domains.*", Fewer),
    ("identity.oauth", Fewer),
    ("identity.sign_in", Fewer),
    ("identity.ldap.stale_at_most_s", Smaller),
    ("identity.ldap.refresh_s", Smaller),
    ("identity.login.examples.**", Text),
    ("identity.login.examples", Text),
    ("identity.newcomers", Scale(&["AddressOnArrival", "OnRequest"])),
    ("identity.password.case_sensitive", Scale(&["false", "true"])),
    ("identity.password.quality", Scale(&["Any", "HardToGuess"])),
    ("identity.password.renew_every_months", SmallerNeverZero),
    ("identity.password.at_expiry", Scale(&["WarnOnly", "ReadOnlyImap", "Refuse"])),
    ("identity.password.change_at", Text),
    ("identity.password.change_from", Fewer),
    ("identity.password.sent_as", Fewer),
    ("identity.password.hash.memory_kib", Larger),
    ("identity.password.hash.passes", Larger),
    ("identity.password.warn_before_s", Text),
    ("identity.password.second_factor", Scale(&["Never", "Offered", "RequiredFor"])),
    ("accounts.arriving_s", Smaller),
    ("accounts.leaving.*", Fewer),
    ("accounts.leaving.*.for_s", Smaller),
    ("accounts.notices_before_s", Text),
    ("accounts.reuse_after", Larger),
    ("accounts.mass_change.at_most_percent", Smaller),
    ("accounts.mass_change.floor", Smaller),
    ("roles.managers", Fewer),
    ("roles.administrators", Fewer),
    ("portal", Fewer),
    ("portal.at", Text),
    ("portal.from", Fewer),
    ("portal.managers_from", Fewer),
    ("portal.idle_s", Smaller),
    ("portal.session_at_most_s", Smaller),
    ("compromise.*", More),
    ("compromise.*.when", Smaller),
    ("compromise.*.when.*", Smaller),
    ("compromise.*.then", More),
    ("logins.delay.after", Smaller),
    ("logins.delay.at_most_s", Larger),
    ("gateways.*.refuse_others", Scale(&["false", "true"])),
    ("tls.oldest", Scale(&["Tls12", "Tls13"])),
    ("tls.called_ssl_by", Text),
    ("listeners.*", Fewer),
    ("listeners.*.tls", Scale(&["None", "Offered", "Required"])),
    ("listeners.*.auth", Scale(&["Never", "Required"])),
    ("web.*", Text),
    ("never_reachable_beyond.*", Fewer),
    ("may_send.*", Fewer),
    ("may_receive.*", Fewer),
    ("may_read.*", Fewer),
    ("may_send.*.connecting_to", Fewer),
    ("may_receive.*.connecting_to", Fewer),
    ("may_read.*.connecting_to", Fewer),
    ("may_send.*.from", Fewer),
    ("may_receive.*.from", Fewer),
    ("may_read.*.from", Fewer),
    ("may_send.*.to", Scale(&["Anyone", "OurAddresses"])),
    ("may_receive.*.to", Scale(&["Anyone", "OurAddresses"])),
    ("may_send.*.as", Scale(&["AnyAddress", "OwnDomain", "OwnAddresses"])),
    ("may_send.*.header_from", Scale(&["AnyAddress", "OwnDomain", "OwnAddresses"])),
    ("may_send.*.empty_sender", Scale(&["ReportsOnly", "Refuse"])),
    ("when_over.*", WHEN_OVER),
    ("one_account_in_several_blocks", Scale(&["CountedSeparately", "CountedTogether"])),
    ("limit_grants.*.because", Text),
    ("limit_grants.*.approver", Text),
    ("limit_grants.*.until", Earlier),
    ("senders.of", Different),
    ("senders.unknown", Scale(&["Shadow", "Refuse"])),
    ("senders.known.*", Fewer),
    ("senders.known.*.as", Fewer),
    ("senders.known.*.owner", Text),
    ("senders.known.*.until", Earlier),
    ("logins.when_over", WHEN_OVER),
    ("strangers.connections_at_once", Smaller),
    ("strangers.not_for", Fewer),
    ("strangers.when_over", WHEN_OVER),
    ("dns_lists.*", More),
    ("dns_lists.*.on", More),
    ("dns_lists.*.answers", More),
    ("dns_lists.*.then", Scale(&["Note", "TryLater", "Refuse"])),
    ("blocked.*", More),
    ("blocked.*.because", Text),
    ("blocked.*.until", Later),
    ("mailboxes.message_size_octets", Smaller),
    ("mailboxes.profiles.*.label", Text),
    ("mailboxes.profiles.*.quota", Smaller),
    ("mailboxes.grants.*", Fewer),
    ("mailboxes.grants.*.octets", Smaller),
    ("mailboxes.grants.*.because", Text),
    ("mailboxes.grants.*.until", Earlier),
    ("mailboxes.counts", More),
    ("mailboxes.when_full.warn_at_percent", Text),
    ("mailboxes.when_full.grace_percent", Smaller),
    ("mailboxes.when_full.full_try_later_s", Smaller),
    ("mailboxes.when_full.then", Scale(&["TryLater", "Refuse"])),
    ("deployment", Text),
    ("deployment.**", Text),
    ("imap", Text),
    ("imap.**", Text),
    ("authenticate.own_domains_from_outside", Scale(&["Ignore", "Tag", "Refuse"])),
    ("authenticate.trusted_sealers", Fewer),
    ("delivery.connections_at_once", Smaller),
    ("delivery.providers.*", More),
    ("delivery.providers.*.connections_at_once", Smaller),
    ("delivery.dane", Scale(&["false", "true"])),
    ("delivery.mta_sts", Scale(&["false", "true"])),
    ("delivery.tls_always_to", More),
    ("signing", More),
    ("signing.algorithms", More),
    ("signing.rotate_every_days", SmallerNeverZero),
    ("scanners.*.updates_at_least", Larger),
    ("antivirus", More),
    ("antivirus.engines", More),
    ("antivirus.on", More),
    ("antivirus.infected_when", Scale(&["EveryEngine", "AnyEngine"])),
    ("antivirus.*.*.keep", Scale(&["Deliver", "Quarantine"])),
    ("antivirus.*.*.reply", Scale(&["Accept", "Refuse"])),
    ("antivirus.engine_down.then", Fewer),
    ("antivirus.engine_down.then.at_least", Larger),
    ("antivirus.engine_down.then.rescan", Scale(&["false", "true"])),
    ("antivirus.rescan_within_s", Larger),
    ("antispam", More),
    ("antispam.tag_below_thousandths", Larger),
    ("antispam.tag.subject", Text),
    ("antispam.always", Scale(&["Deliver", "Refuse"])),
    ("antispam.taught_by", Fewer),
    ("filters.*", Fewer),
    ("losses.record", More),
    ("response.recall_alone_at_most", Smaller),
    ("response.block_at_most_s", Smaller),
    ("redirects.allow.*", Fewer),
    ("redirects.on_grant.*", Fewer),
    ("redirects.on_grant.*.to", Scale(&["AnyDomain", "HomeInstitution"])),
    ("redirects.on_grant.*.needs", More),
    ("redirects.refused_examples.*", More),
    ("redirects.otherwise", Scale(&["Ask", "Refuse"])),
    // A login is never given twice, and a window is not forgotten: here a longer life is the stricter one.
    ("retention.ledger", Larger),
    ("retention.limits", Larger),
    ("retention.*", Smaller),
    ("backup", More),
    ("backup.covers", More),
    ("backup.keep_at_least_s", Larger),
    ("backup.keep_at_most_s", Smaller),
    ("guarantees.*", More),
    ("guarantees.*.late", Smaller),
    ("guarantees.*.except", Fewer),
    ("guarantees.*.recipients", Smaller),
    ("guarantees.*.via", Different),
    ("guarantees.*.*", More),
    ("waivers.**", Text),
    ("waivers", Text),
];

/// The way of the fact at `at`, by the names of the plan.
pub(super) fn of(at: &[Step<'_>]) -> Way {
    let names: Vec<&str> = at.iter().map(Step::name).collect();
    if names.last() == Some(&LIMITS) && names.first() != Some(&"when_over") {
        return Smaller;
    }
    WAYS.iter().find(|(pattern, _)| fits(pattern, &names)).map_or(Different, |(_, way)| *way)
}

/// Does a path fit `a.*.b` or `a.**`?
pub(super) fn fits(pattern: &str, names: &[&str]) -> bool {
    if let Some(above) = pattern.strip_suffix(".**") {
        let steps = above.split('.').count();
        return names.len() > steps && fits(above, &names[..steps]);
    }
    let mut steps = pattern.split('.');
    names.iter().all(|name| steps.next().is_some_and(|step| step == "*" || step == *name)) && steps.next().is_none()
}

impl Way {
    /// A value became another one.
    pub fn changed(self, old: &Node<'_>, new: &Node<'_>) -> Class {
        let by_number = |smaller: Class| match (magnitude(old), magnitude(new)) {
            (Some((of, a)), Some((as_well, b))) if of == as_well && a != b => {
                if b < a {
                    smaller
                } else {
                    smaller.opposite()
                }
            }
            _ => Class::Different,
        };
        match self {
            Way::Text => Class::Text,
            Way::Smaller => by_number(Class::Tighter),
            // What is not promised is less than any number.
            Way::Larger => match (old.word(), new.word()) {
                (Some("None"), _) => Class::Tighter,
                (_, Some("None")) => Class::Looser,
                _ => by_number(Class::Looser),
            },
            Way::SmallerNeverZero => match (old.word(), new.word()) {
                (Some("0"), _) => Class::Tighter,
                (_, Some("0")) => Class::Looser,
                _ => by_number(Class::Tighter),
            },
            Way::Scale(words) => match (step_of(words, old), step_of(words, new)) {
                (Some(a), Some(b)) if b > a => Class::Tighter,
                (Some(a), Some(b)) if b < a => Class::Looser,
                _ => Class::Different,
            },
            Way::Earlier => match (old.leaf().map(unescaped), new.leaf().map(unescaped)) {
                // Dates are `YYYY-MM-DD`: text order is the order of days.
                (Some(a), Some(b)) if b > a => Class::Looser,
                (Some(a), Some(b)) if b < a => Class::Tighter,
                _ => Class::Different,
            },
            Way::Later => match (old.word(), new.word()) {
                (Some("None"), _) => Class::Looser,
                (_, Some("None")) => Class::Tighter,
                _ => Way::Earlier.changed(old, new).opposite(),
            },
            // `None` and `Some(…)`: something is switched on or off.
            Way::Fewer | Way::More => match (old.word(), new.word()) {
                (Some("None"), _) => self.members(true, false),
                (_, Some("None")) => self.members(false, true),
                _ => Class::Different,
            },
            Way::Different => Class::Different,
        }
    }

    /// Members or an entry came (`added`) and went.
    pub fn members(self, added: bool, removed: bool) -> Class {
        let more = match self {
            Way::Text => return Class::Text,
            Way::Fewer => Class::Looser,
            Way::More => Class::Tighter,
            Way::Smaller
            | Way::Larger
            | Way::SmallerNeverZero
            | Way::Scale(_)
            | Way::Earlier
            | Way::Later
            | Way::Different => {
                return Class::Different;
            }
        };
        match (added, removed) {
            (true, false) => more,
            (false, true) => more.opposite(),
            (true, true) | (false, false) => Class::Different,
        }
    }
}

/// What is measured, and how much of it: only like is compared with like.
fn magnitude(node: &Node<'_>) -> Option<(&'static str, i128)> {
    if let Some(window) = crate::table::step::window(node) {
        // Rates of equal width; others are neither more nor less.
        return Some(("rate", i128::from(window.max) * 86_400 / i128::from(window.width_s.max(1))));
    }
    match &node.kind {
        Kind::Word("Forever") => Some(("life", i128::MAX)),
        Kind::Word("WhileAccountLives") => Some(("life", i128::MAX - 1)),
        Kind::Word(word) => Some(("number", word.parse().ok()?)),
        Kind::Fields("For", fields) => Some(("life", number(fields)?)),
        Kind::Fields("Fixed", fields) => Some(("fixed", number(fields)?)),
        Kind::Fields("OnRequest", fields) => Some(("on request", number(fields)?)),
        Kind::Tuple("Some", parts) => magnitude(parts.first()?),
        Kind::Text(_) | Kind::List(_) | Kind::Map(_) | Kind::Fields(..) | Kind::Tuple(..) => None,
    }
}

fn number(fields: &[(&str, Node<'_>)]) -> Option<i128> {
    match fields {
        [(_, value)] => value.word()?.parse().ok(),
        _ => None,
    }
}

/// Where a value stands on a scale: its word, the word of its one field, or the one before its brackets.
fn step_of(words: &[&str], node: &Node<'_>) -> Option<usize> {
    let word = match &node.kind {
        Kind::Word(word) => *word,
        Kind::Fields(_, fields) => match fields.as_slice() {
            [(_, value)] => value.word()?,
            _ => return None,
        },
        Kind::Tuple(word, _) => *word,
        Kind::Text(_) | Kind::List(_) | Kind::Map(_) => return None,
    };
    words.iter().position(|step| *step == word)
}
