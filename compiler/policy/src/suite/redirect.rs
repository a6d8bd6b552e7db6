//! A person asks for a redirect.

use std::collections::BTreeSet;

use decide::RedirectVerdict;
use mail::{Address, Domain};

use super::got::{End, Got};
use super::house::House;

/// `home`: the domain of the institution the person comes from.
pub(super) fn asked(house: &House, address: &str, home: Option<&str>, hits: &mut BTreeSet<String>) -> Got {
    // Addresses and domains of a test were parsed before.
    let Ok(target) = address.parse::<Address>() else { return Got::default() };
    let home: Option<Domain> = home.and_then(|home| home.parse().ok());
    let (end, rule) = match decide::redirect_from(&house.tables, &target, home.as_ref()) {
        RedirectVerdict::Allowed { rule } => (End::Allowed { by: rule.clone() }, rule),
        RedirectVerdict::OnGrant { rule } => (End::OnGrant { by: rule.clone() }, rule),
        RedirectVerdict::Denied { rule, .. } => (End::Denied { by: rule.clone() }, rule),
    };
    hits.insert(rule);
    Got::ended(end)
}
