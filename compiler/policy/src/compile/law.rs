//! What must hold of a policy file with anything in it.

use super::{LoadError, Loader, compile};
use crate::render::human;

/// One file, and nothing beside it.
struct Alone<'a>(&'a str);

impl Loader for Alone<'_> {
    fn load(&self, name: &str) -> Result<String, LoadError> {
        if name == "policy.ron" { Ok(self.0.to_owned()) } else { Err(LoadError::NotFound) }
    }
}

/// Whatever stands in the file, each finding can be shown, and either there is an error or there is a plan, which a runtime
/// of this build reads back.
pub fn fuzz(octets: &[u8]) {
    let text = String::from_utf8_lossy(octets);
    let Ok(compiled) = compile(&Alone(&text), "policy.ron") else { panic!("the file is there") };
    for diagnostic in &compiled.diagnostics {
        assert!(!human::render(diagnostic, &compiled.sources, false).is_empty(), "a finding without words");
    }
    match &compiled.plan {
        None => assert!(compiled.has_errors(), "no plan and no error"),
        Some(sealed) => {
            assert!(!compiled.has_errors(), "a plan of a policy with errors");
            let (plan, hash) = plan::read(&sealed.text).unwrap_or_else(|error| panic!("{error}"));
            assert!(plan == sealed.plan && hash == sealed.hash, "another plan is read than was sealed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::OFFICE;

    #[test]
    fn every_beginning_of_a_policy_keeps_the_law() {
        fuzz(OFFICE.as_bytes());
        for end in (0..OFFICE.len()).step_by(29) {
            fuzz(&OFFICE.as_bytes()[..end]);
            fuzz(&[&OFFICE.as_bytes()[..end], &OFFICE.as_bytes()[end + 1..]].concat());
        }
    }
}
