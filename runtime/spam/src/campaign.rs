//! Is a message one of many copies of the same? Senders of spam change the name, the amount, the address of a link and some
//! words in each copy; what stays the same is most of the text, and often where its links lead.
//!
//! The text is compared by a sketch: the least hashes of its runs of three words (A. Broder, On the resemblance and
//! containment of documents, 1997). Equal places of two sketches are as frequent as runs the texts have in common.

use mail::fold;

use crate::view::View;

/// Places of a sketch.
const PLACES: usize = 32;
/// Words of a run.
const RUN: usize = 3;
/// Words of a message that are looked at.
const WORDS_MAX: usize = 4_000;
/// A text of fewer runs has no sketch: chance would make it like others.
const RUNS_MIN: usize = 12;
/// Hosts that are kept.
const HOSTS_MAX: usize = 16;
/// Equal places of copies: of any, and of those whose links lead to the same host.
const ALIKE: usize = PLACES * 6 / 10;
const ALIKE_WITH_HOST: usize = PLACES * 3 / 10;

/// What copies of a message have in common. Equal on every machine and in every version that reads [`Fingerprint::octets`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// [`PLACES`] hashes, or none.
    sketch: Vec<u32>,
    /// Hashes of the hosts its links lead to, sorted, at most [`HOSTS_MAX`].
    hosts: Vec<u32>,
    /// Of the words of the Subject; 0 without any.
    subject: u32,
}

impl Fingerprint {
    pub fn of(view: &View<'_>) -> Fingerprint {
        let subject = words(view.subject.as_deref().unwrap_or_default()).collect::<Vec<_>>();
        let text: Vec<u32> = view.own_texts().flat_map(|text| words(&text.text)).take(WORDS_MAX).collect();
        let mut hosts: Vec<u32> = view.url_hosts().into_iter().take(HOSTS_MAX).map(hash).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let run = |words: &[u32]| words.iter().fold(0_u32, |run, word| mixed(run ^ *word));
        let runs: Vec<u32> = text.windows(RUN).map(run).collect();
        let sketch = if runs.len() < RUNS_MIN { Vec::new() } else { sketch(&runs) };
        Fingerprint { sketch, hosts, subject: if subject.is_empty() { 0 } else { run(&subject) } }
    }

    /// Are they copies of one message? Not for certain, and the same both ways.
    pub fn is_like(&self, other: &Fingerprint) -> bool {
        let same_host = self.hosts.iter().any(|host| other.hosts.binary_search(host).is_ok());
        if self.sketch.is_empty() || other.sketch.is_empty() {
            let same_subject = self.subject != 0 && self.subject == other.subject;
            return self.sketch.len() == other.sketch.len() && same_host && same_subject;
        }
        let equal = self.sketch.iter().zip(&other.sketch).filter(|(one, two)| one == two).count();
        equal >= if same_host { ALIKE_WITH_HOST } else { ALIKE }
    }

    /// For whoever keeps it.
    pub fn octets(&self) -> Vec<u8> {
        let counts = [self.sketch.len() as u8, self.hosts.len() as u8];
        let numbers = self.sketch.iter().chain(&self.hosts).chain([&self.subject]);
        counts.into_iter().chain(numbers.flat_map(|number| number.to_le_bytes())).collect()
    }

    /// What [`Fingerprint::octets`] gave; `None` of anything else.
    pub fn from_octets(octets: &[u8]) -> Option<Fingerprint> {
        let ([places, hosts], rest) = (octets.first_chunk::<2>()?, &octets[2..]);
        let (places, hosts) = (usize::from(*places), usize::from(*hosts));
        let known = (places == 0 || places == PLACES) && hosts <= HOSTS_MAX;
        if !known || rest.len() != (places + hosts + 1) * 4 {
            return None;
        }
        let numbers: Vec<u32> = rest.as_chunks().0.iter().map(|four| u32::from_le_bytes(*four)).collect();
        let (sketch, rest) = numbers.split_at(places);
        let (hosts, subject) = rest.split_at(hosts);
        Some(Fingerprint { sketch: sketch.to_vec(), hosts: hosts.to_vec(), subject: subject[0] })
    }
}

/// Hashes of the words, without those that have a digit or are part of an address: copies differ in them.
fn words(text: &str) -> impl Iterator<Item = u32> {
    let bare = text.split_whitespace().filter(|word| !word.contains(['@', '/']) && !word.contains(char::is_numeric));
    let parts = bare.flat_map(|word| word.split(|c: char| !c.is_alphanumeric()));
    parts.filter(|word| !word.is_empty()).map(|word| hash(&fold(word)))
}

fn sketch(runs: &[u32]) -> Vec<u32> {
    let least = |place: u32| {
        let seed = mixed(place.wrapping_add(1));
        runs.iter().map(|run| mixed(run ^ seed)).min().unwrap_or(u32::MAX)
    };
    (0..PLACES as u32).map(least).collect()
}

/// FNV-1a, finished by [`mixed`].
fn hash(text: &str) -> u32 {
    mixed(text.bytes().fold(0x811c_9dc5, |hash: u32, octet| (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193)))
}

/// The finisher of MurmurHash3.
fn mixed(mut hash: u32) -> u32 {
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHISH: &str = "Dear NAME,\r\n\r\nwe noticed that the storage of your university mailbox has reached its limit of AMOUNT MB. \
        Messages that arrive from now on will be kept back and you will not be able to send any more. To keep your mailbox \
        open, confirm your account within one day at the following address: LINK\r\n\r\nIf you do not confirm, all of your \
        messages and contacts will be removed for good. This notice was sent by the help desk of the computer centre.\r\n";
    const OTHER: &str = "Dear colleagues,\r\n\r\nthe seminar of next Thursday has been moved to the large lecture hall, because \
        many of you have announced that you want to come. Please bring your own cup, the coffee machine of the second floor \
        will be taken downstairs for the break. The programme of the day and the abstracts are at LINK\r\n\r\nSee you there.\r\n";

    fn of(subject: &str, text: &str) -> Fingerprint {
        let message = format!("From: a@a.example\r\nSubject: {subject}\r\n\r\n{text}");
        Fingerprint::of(&View::read(message.as_bytes()))
    }

    fn copy(text: &str, name: &str, amount: &str, link: &str) -> Fingerprint {
        of("Your mailbox is full", &text.replace("NAME", name).replace("AMOUNT", amount).replace("LINK", link))
    }

    #[test]
    fn copies_with_other_names_amounts_and_links_are_alike_and_other_mail_is_not() {
        let first = copy(PHISH, "Jean Toto", "500", "https://a.phish.example/x?id=1");
        let others = [
            copy(PHISH, "Marie-Claude de la Tour", "1024", "https://b.phish.example/y?id=77777"),
            copy(&PHISH.to_uppercase().replace("AMOUNT MB", "MB"), "X", "", "https://c.example/"),
            copy(
                &format!("{PHISH}random words that beat filters follow here often"),
                "Paul",
                "1",
                "http://a.phish.example/",
            ),
            copy(&PHISH.replace("help desk of the computer centre", "team"), "Paul", "1", "http://d.example/"),
        ];
        for other in &others {
            assert!(first.is_like(other) && other.is_like(&first));
        }
        let link = "https://a.phish.example/x?id=1";
        for other in [copy(OTHER, "", "", link), of("Your mailbox is full", "")] {
            assert!(!first.is_like(&other) && !other.is_like(&first), "{other:?}");
        }
        assert!(!Fingerprint::default().is_like(&Fingerprint::default()), "nothing is like nothing");
    }

    #[test]
    fn a_text_of_few_words_is_a_copy_only_with_its_subject_and_a_host() {
        let short = |subject: &str, host: &str| of(subject, &format!("look: https://{host}/a"));
        let first = short("Photos from Paul", "x.example");
        assert!(first.is_like(&short("photos FROM Paul", "x.example")));
        assert!(!first.is_like(&short("Photos from Anna", "x.example")));
        assert!(!first.is_like(&short("Photos from Paul", "y.example")));
        assert!(!of("hello", "hello").is_like(&of("hello", "hello")));
    }

    #[test]
    fn a_fingerprint_is_kept_as_octets_and_nothing_else_is_read_as_one() {
        for print in
            [copy(PHISH, "a", "b", "https://x.example/ https://y.example/"), of("x", "y"), Fingerprint::default()]
        {
            let octets = print.octets();
            assert_eq!(Fingerprint::from_octets(&octets), Some(print));
            assert_eq!(Fingerprint::from_octets(&octets[..octets.len() - 1]), None);
        }
        assert_eq!(Fingerprint::from_octets(&[]), None);
        assert_eq!(Fingerprint::from_octets(&[255; 400]), None);
    }

    #[test]
    fn a_hash_is_the_same_for_ever() {
        assert_eq!(mixed(1), 0x514e_28b7);
        assert_eq!(hash(""), mixed(0x811c_9dc5));
    }
}
