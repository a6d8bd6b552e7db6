//! Proposals that are about one thing: the same message, or copies of one campaign.

use std::collections::{BTreeSet, HashMap};

use store::QueueId;

use super::facts::{Integrity, Octets, Proposal};

/// A proposal that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub id: QueueId,
    pub at_s: i64,
    pub facts: Proposal,
}

/// What a manager decides at once. Never empty; the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub proposals: Vec<Waiting>,
}

/// Every proposal in one case, the case of the oldest first.
///
/// Each is compared with the first of each case, so the work grows with both.
pub fn cases(mut waiting: Vec<Waiting>) -> Vec<Case> {
    waiting.sort_by_key(|one| (one.at_s, one.id));
    let mut cases: Vec<(Case, Option<spam::campaign::Fingerprint>)> = Vec::new();
    let mut by_hash: HashMap<Octets, usize> = HashMap::new();
    for one in waiting {
        let usable = one.facts.unusable.is_empty();
        let print = one.facts.print().filter(|_| usable);
        let same = by_hash.get(&one.facts.hash).copied().filter(|_| usable);
        let alike = |first: &Option<spam::campaign::Fingerprint>| {
            first.as_ref().zip(print.as_ref()).is_some_and(|(first, print)| first.is_like(print))
        };
        let of = same.or_else(|| cases.iter().position(|(_, first)| alike(first)));
        let at = of.unwrap_or(cases.len());
        if usable {
            by_hash.entry(one.facts.hash.clone()).or_insert(at);
        }
        match of {
            Some(at) => cases[at].0.proposals.push(one),
            None => cases.push((Case { proposals: vec![one] }, print)),
        }
    }
    cases.into_iter().map(|(case, _)| case).collect()
}

impl Case {
    pub fn id(&self) -> QueueId {
        self.proposals[0].id
    }

    pub fn holds(&self, id: QueueId) -> bool {
        self.proposals.iter().any(|one| one.id == id)
    }

    /// What all of them say it is; `None` where they do not agree.
    pub fn spam(&self) -> Option<bool> {
        let first = self.proposals[0].facts.spam;
        self.proposals.iter().all(|one| one.facts.spam == first).then_some(first)
    }

    /// Mailboxes that received it, each delivery once.
    pub fn received(&self) -> u64 {
        let known = self.proposals.iter().filter(|one| !one.facts.delivery.is_empty());
        let deliveries: BTreeSet<(&str, u32)> =
            known.map(|one| (one.facts.delivery.as_str(), one.facts.received)).collect();
        deliveries.into_iter().map(|(_, received)| u64::from(received)).sum()
    }

    /// What can be learned from it, each message once: those we have as they were delivered, and only where there is none
    /// of these, what nobody here received. What was altered is nothing to learn from.
    pub fn messages(&self) -> Vec<&Waiting> {
        let usable = || self.proposals.iter().filter(|one| one.facts.unusable.is_empty());
        let ours: Vec<&Waiting> = usable().filter(|one| one.facts.ours).collect();
        let unknown = || usable().filter(|one| one.facts.integrity == Integrity::Unknown).collect();
        let mut seen = BTreeSet::new();
        let from: Vec<&Waiting> = if ours.is_empty() { unknown() } else { ours };
        from.into_iter().filter(|one| seen.insert(&one.facts.hash)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(number: u8, hash: u8, facts: Proposal) -> Waiting {
        let facts = Proposal { hash: Octets(vec![hash]), ..facts };
        Waiting { id: QueueId([number; 16]), at_s: i64::from(number), facts }
    }

    fn print(text: &str) -> Octets {
        let message =
            format!("Subject: x\r\n\r\n{text} one two three four five six seven eight nine ten eleven twelve\r\n");
        let view = spam::view::View::read(message.as_bytes());
        Octets(spam::campaign::Fingerprint::of(&view).octets())
    }

    fn numbers(cases: &[Case]) -> Vec<Vec<u8>> {
        cases.iter().map(|case| case.proposals.iter().map(|one| one.id.0[0]).collect()).collect()
    }

    #[test]
    fn the_same_message_and_copies_of_one_campaign_are_one_case() {
        let like = |text: &str| Proposal { fingerprint: print(text), ..Proposal::default() };
        let cases = cases(vec![
            one(4, 9, like("dear paul this is the text of a campaign that many people get here")),
            one(2, 7, like("something else altogether was written in this letter to you my friend and no")),
            one(1, 8, like("dear jean this is the text of a campaign that many people get here")),
            one(3, 7, Proposal::default()),
            one(5, 7, Proposal { unusable: "no".to_owned(), ..Proposal::default() }),
        ]);
        assert_eq!(numbers(&cases), [vec![1, 4], vec![2, 3], vec![5]]);
        assert_eq!(cases[0].id(), QueueId([1; 16]));
        assert!(cases[1].holds(QueueId([3; 16])) && !cases[1].holds(QueueId([5; 16])));
    }

    #[test]
    fn a_case_counts_each_delivery_once_and_says_whether_all_agree() {
        let of = |delivery: &str, received, spam| Proposal {
            delivery: delivery.to_owned(),
            received,
            spam,
            ..Proposal::default()
        };
        let case = |last| Case {
            proposals: vec![
                one(1, 1, of("a", 3, true)),
                one(2, 1, of("a", 3, true)),
                one(3, 1, of("b", 2, true)),
                last,
            ],
        };
        let agreed = case(one(4, 1, of("", 0, true)));
        assert_eq!((agreed.received(), agreed.spam()), (5, Some(true)));
        assert_eq!(case(one(4, 1, of("", 0, false))).spam(), None);
    }

    #[test]
    fn what_is_learned_is_what_was_delivered_and_never_what_was_altered() {
        let ours = Proposal { ours: true, integrity: Integrity::Intact, ..Proposal::default() };
        let altered = Proposal { integrity: Integrity::Altered(Vec::new()), ..Proposal::default() };
        let unusable = Proposal { unusable: "x".to_owned(), ..Proposal::default() };
        let learned = |proposals: &[(u8, &Proposal)]| -> Vec<u8> {
            let proposals = proposals.iter().zip(1..).map(|((hash, facts), id)| one(id, *hash, (*facts).clone()));
            Case { proposals: proposals.collect() }.messages().iter().map(|one| one.id.0[0]).collect()
        };
        let unknown = Proposal::default();
        assert_eq!(learned(&[(1, &unknown), (2, &ours), (2, &ours), (3, &ours), (4, &altered)]), [2, 4]);
        assert_eq!(learned(&[(1, &unknown), (1, &unknown), (2, &altered)]), [1]);
        assert!(learned(&[(2, &altered), (3, &unusable)]).is_empty());
    }
}
