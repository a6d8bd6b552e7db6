//! Public suffixes: under which names anyone may register (publicsuffix.org/list, the list a plan pins).

use std::sync::LazyLock;

use mail::Domain;

/// The two divisions of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// Names registries sell under: `fr`, `co.uk`.
    Icann,
    /// Also names whose owner lets others have names under them: `github.io`.
    Private,
}

/// The rules of the list, sorted by name.
#[derive(Debug)]
pub struct PublicSuffixes {
    rules: Vec<(Box<str>, u8)>,
}

/// What the list says of one name. `WILD` is `*.name`, `EXCEPT` is `!name`; one set for each division.
const PLAIN: u8 = 1;
const WILD: u8 = 2;
const EXCEPT: u8 = 4;
const PRIVATE_SHIFT: u8 = 3;

/// The line after which the list is about private domains.
const BEGIN_PRIVATE: &str = "// ===BEGIN PRIVATE DOMAINS===";

/// Read once: the text is part of the program.
static PINNED: LazyLock<PublicSuffixes> = LazyLock::new(|| PublicSuffixes::read(plan::PUBLIC_SUFFIXES));

impl PublicSuffixes {
    /// The list this build pins.
    pub fn pinned() -> &'static PublicSuffixes {
        &PINNED
    }

    /// Reads a list: one rule a line up to the first white space, `//` begins a comment. Lines that are no rule are
    /// passed over.
    pub fn read(text: &str) -> PublicSuffixes {
        let mut rules: Vec<(Box<str>, u8)> = Vec::new();
        let mut shift = 0;
        for line in text.lines() {
            if line.starts_with(BEGIN_PRIVATE) {
                shift = PRIVATE_SHIFT;
            }
            let rule = line.split_whitespace().next().unwrap_or("");
            if rule.is_empty() || rule.starts_with("//") {
                continue;
            }
            let (name, kind) = match (rule.strip_prefix("*."), rule.strip_prefix('!')) {
                (Some(under), _) => (under, WILD),
                (None, Some(name)) => (name, EXCEPT),
                (None, None) => (rule, PLAIN),
            };
            if let Ok(name) = name.parse::<Domain>() {
                rules.push((name.as_str().into(), kind << shift));
            }
        }
        rules.sort_unstable();
        rules.dedup_by(|again, first| {
            let same = again.0 == first.0;
            if same {
                first.1 |= again.1;
            }
            same
        });
        PublicSuffixes { rules }
    }

    /// The public suffix of a domain: itself when it is one. A name no rule is about ends in its last label (rule `*`
    /// of the list's algorithm). None of an address literal.
    pub fn suffix_of<'d>(&self, domain: &'d Domain, division: Division) -> Option<&'d str> {
        if domain.is_literal() {
            return None;
        }
        let mut longest: Option<&str> = None;
        let mut rest = Some(domain.as_str());
        while let Some(name) = rest {
            let parent = name.split_once('.').map(|(_, parent)| parent);
            let said = self.said(name, division);
            if said & EXCEPT != 0 {
                return parent;
            }
            let wild = parent.is_some_and(|parent| self.said(parent, division) & WILD != 0);
            if longest.is_none() && (said & PLAIN != 0 || wild || parent.is_none()) {
                longest = Some(name);
            }
            rest = parent;
        }
        longest
    }

    /// The last label of a domain, when no rule of the list is about it: nobody sells names under it, so no public
    /// authority vouches for them.
    pub fn unknown_suffix_of<'d>(&self, domain: &'d Domain) -> Option<&'d str> {
        let last = domain.as_str().rsplit('.').next().filter(|_| !domain.is_literal())?;
        (self.said(last, Division::Private) == 0).then_some(last)
    }

    /// Is this name itself a public suffix?
    pub fn is_suffix(&self, domain: &Domain, division: Division) -> bool {
        self.suffix_of(domain, division) == Some(domain.as_str())
    }

    /// The label its owner registered: the one before the public suffix.
    pub fn registered_label<'d>(&self, domain: &'d Domain, division: Division) -> Option<&'d str> {
        let suffix = self.suffix_of(domain, division)?;
        let before = domain.as_str().strip_suffix(suffix)?.strip_suffix('.')?;
        before.rsplit('.').next()
    }

    fn said(&self, name: &str, division: Division) -> u8 {
        let place = self.rules.binary_search_by(|(known, _)| known.as_ref().cmp(name));
        let bits = place.map_or(0, |place| self.rules[place].1);
        match division {
            Division::Icann => bits & ((1 << PRIVATE_SHIFT) - 1),
            Division::Private => (bits | bits >> PRIVATE_SHIFT) & ((1 << PRIVATE_SHIFT) - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is registered: public suffix and one label, as the list's own test vectors have it.
    fn registrable(name: &str) -> Option<String> {
        let domain: Domain = name.parse().unwrap();
        let list = PublicSuffixes::pinned();
        let suffix = list.suffix_of(&domain, Division::Private)?;
        Some(format!("{}.{suffix}", list.registered_label(&domain, Division::Private)?))
    }

    #[test]
    fn the_vectors_of_the_list_hold() {
        for (name, expected) in [
            ("com", None),
            ("example.com", Some("example.com")),
            ("b.example.com", Some("example.com")),
            ("a.b.example.com", Some("example.com")),
            ("uk.com", None),
            ("example.uk.com", Some("example.uk.com")),
            ("a.b.example.uk.com", Some("example.uk.com")),
            ("test.ac", Some("test.ac")),
            ("WwW.Example.COM", Some("example.com")),
            // No rule is about it: `*`.
            ("example", None),
            ("b.example.example", Some("example.example")),
            ("biz", None),
            ("a.b.domain.biz", Some("domain.biz")),
            // Wildcards and exceptions.
            ("ck", None),
            ("test.ck", None),
            ("b.test.ck", Some("b.test.ck")),
            ("a.b.test.ck", Some("b.test.ck")),
            ("www.ck", Some("www.ck")),
            ("www.www.ck", Some("www.ck")),
            ("c.mm", None),
            ("a.b.c.mm", Some("b.c.mm")),
            ("city.kobe.jp", Some("city.kobe.jp")),
            ("www.city.kobe.jp", Some("city.kobe.jp")),
            ("c.kobe.jp", None),
            ("a.b.c.kobe.jp", Some("b.c.kobe.jp")),
            ("ide.kyoto.jp", None),
            ("a.b.ide.kyoto.jp", Some("b.ide.kyoto.jp")),
            ("test.k12.ak.us", Some("test.k12.ak.us")),
            ("www.test.k12.ak.us", Some("test.k12.ak.us")),
            ("k12.ak.us", None),
            ("yahoo.co.uk", Some("yahoo.co.uk")),
            // Outside ASCII, both spellings.
            ("食狮.com.cn", Some("xn--85x722f.com.cn")),
            ("食狮.公司.cn", Some("xn--85x722f.xn--55qx5d.cn")),
            ("www.xn--85x722f.xn--55qx5d.cn", Some("xn--85x722f.xn--55qx5d.cn")),
            ("公司.cn", None),
            ("shishi.中国", Some("shishi.xn--fiqs8s")),
            ("xn--fiqs8s", None),
        ] {
            assert_eq!(registrable(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn an_exception_wins_over_any_other_rule() {
        let list = PublicSuffixes::read("ck\n*.ck // cook\n!www.ck\na.www.ck\n");
        let suffix = |name: &str| list.suffix_of(&name.parse().unwrap(), Division::Icann).map(str::to_owned);
        assert_eq!(suffix("b.a.www.ck").as_deref(), Some("ck"));
        assert_eq!(suffix("b.a.ck").as_deref(), Some("a.ck"));
        assert_eq!(suffix("[192.0.2.1]"), None);
    }

    #[test]
    fn names_of_ones_own_making_have_an_unknown_suffix() {
        let list = PublicSuffixes::pinned();
        let unknown = |name: &str| list.unknown_suffix_of(&name.parse().unwrap()).map(str::to_owned);
        assert_eq!(unknown("smtp.univ-nantes.prive").as_deref(), Some("prive"));
        assert_eq!(unknown("localhost").as_deref(), Some("localhost"));
        for public in ["smtp.univ-nantes.fr", "mail.www.ck", "a.b.kobe.jp"] {
            assert_eq!(unknown(public), None, "{public}");
        }
    }

    #[test]
    fn private_names_are_suffixes_in_their_division_alone() {
        let list = PublicSuffixes::pinned();
        let domain: Domain = "yahoo.github.io".parse().unwrap();
        assert_eq!(list.registered_label(&domain, Division::Icann), Some("github"));
        assert_eq!(list.registered_label(&domain, Division::Private), Some("yahoo"));
        let fr: Domain = "fr".parse().unwrap();
        assert!(list.is_suffix(&fr, Division::Icann) && list.is_suffix(&fr, Division::Private));
        assert!(!list.is_suffix(&"cnrs.fr".parse().unwrap(), Division::Private));
    }
}
