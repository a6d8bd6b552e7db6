//! Where mail goes: redirects of Nantes.

use decide::{RedirectDenial, RedirectVerdict, Tables, redirect, redirect_from};

use super::*;

fn tables(text: &str) -> Tables {
    Tables::new(check(text).plan.expect("no error").plan).expect("a sound plan")
}

#[test]
fn redirects_of_nantes_go_to_laboratories_and_not_to_free_mailboxes() {
    let tables = tables(NANTES);
    let allowed = |rule: &str| RedirectVerdict::Allowed { rule: rule.to_owned() };
    let denied = |rule: &str, because| RedirectVerdict::Denied { rule: rule.to_owned(), because };
    for (target, expected) in [
        ("jean@in2p3.fr", allowed("redirects.allow.in2p3")),
        // The wider of two suffixes decides (L0606).
        ("jean@subatech.in2p3.fr", allowed("redirects.allow.in2p3")),
        ("jean@mail.CNRS.fr", allowed("redirects.allow.cnrs")),
        ("jean@hotmail.co.uk", denied("redirects.refused_examples", RedirectDenial::Example)),
        ("jean@laposte.net", denied("redirects.refused_examples", RedirectDenial::Example)),
        ("jean@mon-site.example", denied("redirects.otherwise", RedirectDenial::NotAllowed)),
        ("jean@notcnrs.fr", denied("redirects.otherwise", RedirectDenial::NotAllowed)),
        ("jean@[192.0.2.1]", denied("redirects.otherwise", RedirectDenial::NotAllowed)),
        ("jean@univ-nantes.fr", denied("domains.univ-nantes.fr", RedirectDenial::Ours)),
        ("jean@droit.univ-nantes.fr", denied("domains.{unit}.univ-nantes.fr", RedirectDenial::Ours)),
    ] {
        assert_eq!(redirect(&tables, &target.parse().unwrap()), expected, "{target}");
    }
}

#[test]
fn a_foreign_researcher_is_sent_home_on_grant_alone() {
    let home = "uni-heidelberg.example".parse().unwrap();
    let verdict = |target: &str| redirect_from(&tables(NANTES), &target.parse().unwrap(), Some(&home));
    let granted = RedirectVerdict::OnGrant { rule: "redirects.on_grant.foreign-researcher".to_owned() };
    assert_eq!(verdict("eva@physik.uni-heidelberg.example"), granted);
    assert!(matches!(verdict("eva@gmail.com"), RedirectVerdict::Denied { .. }));
}

#[test]
fn a_policy_that_asks_denies_its_examples_all_the_same() {
    let tables = tables(&with(NANTES, "otherwise: Refuse,\n    ),\n    routes", "otherwise: Ask,\n    ),\n    routes"));
    let asked = RedirectVerdict::OnGrant { rule: "redirects.otherwise".to_owned() };
    assert_eq!(redirect(&tables, &"jean@mon-site.example".parse().unwrap()), asked);
    let verdict = redirect(&tables, &"jean@yahoo.fr".parse().unwrap());
    assert!(matches!(verdict, RedirectVerdict::Denied { because: RedirectDenial::Example, .. }), "{verdict:?}");
}
