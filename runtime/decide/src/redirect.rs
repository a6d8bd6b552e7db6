//! Redirection: may mail for a person here go on to this address (guide §5, policy-language.md `redirects`)?

use mail::{Address, Domain};
use plan::{GrantTo, Plan, RedirectOtherwise};

use crate::domain_set::DomainSet;
use crate::domains;
use crate::tables::Tables;

/// The answer to a person who asks for a redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectVerdict {
    Allowed {
        /// `redirects.allow.NAME`.
        rule: String,
    },
    /// A person must approve it; what that grant must have stands in the plan.
    OnGrant {
        /// `redirects.on_grant.NAME`, or `redirects.otherwise` where that says `Ask`.
        rule: String,
    },
    Denied {
        /// `redirects.refused_examples`, `redirects.otherwise`, or the entry of `domains` that makes it ours.
        rule: String,
        because: RedirectDenial,
    },
}

/// Why not, for the page and the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectDenial {
    /// The domain is ours: the mail would come back.
    Ours,
    /// The policy names it as a case that is refused.
    Example,
    /// Nothing allows it.
    NotAllowed,
}

/// The redirect sets of a plan, built once.
#[derive(Debug)]
pub(crate) struct Redirects {
    allow: DomainSet,
    /// By number in `allow`.
    names: Vec<String>,
    refused: DomainSet,
}

impl Redirects {
    pub(crate) fn new(plan: &Plan) -> Redirects {
        let allow = plan.redirects.allow.values().zip(0..);
        Redirects {
            allow: DomainSet::new(allow),
            names: plan.redirects.allow.keys().cloned().collect(),
            refused: DomainSet::new(plan.redirects.refused_examples.iter().zip(0..)),
        }
    }
}

/// [`redirect_from`] for a person of whom no home institution is known.
pub fn redirect(tables: &Tables, target: &Address) -> RedirectVerdict {
    redirect_from(tables, target, None)
}

/// Our own domains first, then what is allowed, then what a person may approve, then the rest. `home`: the domain of
/// the institution the person comes from, which `on_grant` to `HomeInstitution` is about.
pub fn redirect_from(tables: &Tables, target: &Address, home: Option<&Domain>) -> RedirectVerdict {
    let domain = target.domain();
    let rules = &tables.plan().redirects;
    if let Some(key) = domains::key(tables.plan(), domain) {
        return RedirectVerdict::Denied { rule: format!("domains.{key}"), because: RedirectDenial::Ours };
    }
    if let Some(name) = tables.redirects.allow.find(domain).and_then(|rule| tables.redirects.names.get(rule as usize)) {
        return RedirectVerdict::Allowed { rule: format!("redirects.allow.{name}") };
    }
    let is_home = |home: &Domain| !home.is_literal() && domain.is_within(home);
    let granted = rules.on_grant.iter().find(|(_, grant)| match grant.to {
        GrantTo::HomeInstitution => home.is_some_and(is_home),
        GrantTo::AnyDomain => true,
    });
    if let Some((name, _)) = granted {
        return RedirectVerdict::OnGrant { rule: format!("redirects.on_grant.{name}") };
    }
    if tables.redirects.refused.find(domain).is_some() {
        let rule = "redirects.refused_examples".to_owned();
        return RedirectVerdict::Denied { rule, because: RedirectDenial::Example };
    }
    let rule = "redirects.otherwise".to_owned();
    match rules.otherwise {
        RedirectOtherwise::Refuse => RedirectVerdict::Denied { rule, because: RedirectDenial::NotAllowed },
        RedirectOtherwise::Ask => RedirectVerdict::OnGrant { rule },
    }
}
