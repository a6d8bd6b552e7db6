//! An entry of a search result (RFC 4511 4.5.2), read without trust in its shape.

use ldap3::asn1::{PL, StructureTag};

/// Values of one attribute that are kept: nobody has more addresses.
const VALUES_MAX: usize = 100;
/// Octets of a value; a longer one is cut, so that whoever reads it finds it too long.
const VALUE_OCTETS_MAX: usize = 1_024;
const ENTRY: u64 = 4;

/// The attributes of one entry that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Distinguished name (RFC 4514).
    pub dn: String,
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// `None` when it has not the shape of an entry.
    pub fn read(tag: StructureTag) -> Option<Entry> {
        if tag.id != ENTRY {
            return None;
        }
        let PL::C(parts) = tag.payload else { return None };
        let mut parts = parts.into_iter();
        let dn = String::from_utf8(parts.next()?.expect_primitive()?).ok()?;
        let mut attributes = Vec::new();
        for attribute in parts.next()?.expect_constructed()? {
            let mut parts = attribute.expect_constructed()?.into_iter();
            let name = String::from_utf8(parts.next()?.expect_primitive()?).ok()?;
            let mut values = Vec::new();
            for value in parts.next()?.expect_constructed()?.into_iter().take(VALUES_MAX) {
                let mut value = value.expect_primitive()?;
                value.truncate(VALUE_OCTETS_MAX + 1);
                values.push(value);
            }
            attributes.push((name, values));
        }
        Some(Entry { dn, attributes })
    }

    /// The values of `name`, in an order of their own: a directory gives a set (RFC 4511 4.1.7), and each of its servers
    /// perhaps another order. Nothing for an empty name.
    pub fn values(&self, name: &str) -> Vec<&[u8]> {
        let named = self.attributes.iter().filter(|(given, _)| !name.is_empty() && given.eq_ignore_ascii_case(name));
        let mut values: Vec<&[u8]> = named.flat_map(|(_, values)| values).map(Vec::as_slice).collect();
        values.sort_unstable();
        values
    }

    /// For tests of what is made of entries.
    #[cfg(test)]
    pub fn of(dn: &str, attributes: &[(&str, &[&str])]) -> Entry {
        let octets = |values: &[&str]| values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let attributes = attributes.iter().map(|(name, values)| ((*name).to_owned(), octets(values))).collect();
        Entry { dn: dn.to_owned(), attributes }
    }
}

#[cfg(test)]
mod tests {
    use ldap3::asn1::TagClass;
    use proptest::prelude::*;

    use super::*;

    fn text(octets: &[u8]) -> StructureTag {
        StructureTag { class: TagClass::Universal, id: 4, payload: PL::P(octets.to_vec()) }
    }

    fn list(parts: Vec<StructureTag>) -> StructureTag {
        StructureTag { class: TagClass::Universal, id: 16, payload: PL::C(parts) }
    }

    fn entry(parts: Vec<StructureTag>) -> StructureTag {
        StructureTag { class: TagClass::Application, id: ENTRY, payload: PL::C(parts) }
    }

    #[test]
    fn names_of_attributes_have_no_case_and_values_one_order() {
        let mail = list(vec![text(b"Mail"), list(vec![text(b"b@x"), text(b"a@x")])]);
        let read = Entry::read(entry(vec![text(b"uid=a"), list(vec![mail])])).unwrap();
        assert_eq!(read.dn, "uid=a");
        assert_eq!(read.values("mAIL"), [b"a@x", b"b@x"]);
        assert_eq!((read.values("sn").len(), read.values("").len()), (0, 0));
    }

    fn any_tag() -> impl Strategy<Value = StructureTag> {
        let leaf = prop::collection::vec(any::<u8>(), 0..8).prop_map(|octets| text(&octets));
        leaf.prop_recursive(4, 32, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(list))
    }

    proptest! {
        #[test]
        fn no_shape_breaks_it(parts in prop::collection::vec(any_tag(), 0..4)) {
            let _ = Entry::read(entry(parts));
        }
    }
}
