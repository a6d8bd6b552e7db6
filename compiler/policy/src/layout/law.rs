//! What must hold of the layout of any file.

use super::format;

/// A file that can be read is laid out as one that can be read, and laying it out again changes nothing.
pub fn fuzz(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let Ok(once) = format("policy.ron", text) else { return };
    match format("policy.ron", &once) {
        Ok(twice) => assert_eq!(twice, once, "laid out twice"),
        Err((_, found)) => panic!("{found:?}\n{once}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::NANTES;

    #[test]
    fn a_policy_that_lost_a_character_keeps_the_law() {
        for at in (0..NANTES.len()).step_by(97).filter(|at| NANTES.is_char_boundary(*at)) {
            let character = NANTES[at..].chars().next().map_or(0, char::len_utf8);
            fuzz(format!("{}{}", &NANTES[..at], &NANTES[at + character..]).as_bytes());
        }
    }
}
