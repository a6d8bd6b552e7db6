//! Whose something is: the key that names a person for as long as anybody remembers what they were given.

use crate::fold::fold;

/// The id in their directory, else name and first day (`YYYY-MM-DD` or nothing), folded so that a spelling is no other person.
pub fn holder(first: &str, last: &str, foreign_id: &str, registered: &str) -> String {
    if foreign_id.is_empty() { format!("{} {} {registered}", fold(first), fold(last)) } else { foreign_id.to_owned() }
}
