//! Redirection: may mail for a person here go on to this address (guide §5, policy-language.md `redirects`)?

use mail::{Address, Domain};
use plan::{GrantNeeds, GrantTo, Plan, RedirectOtherwise};

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
    // An institution somebody says they come from makes no mailbox provider an institution.
    let is_example = tables.redirects.refused.find(domain).is_some();
    let is_home = |home: &Domain| !is_example && !home.is_literal() && domain.is_within(home);
    let granted = rules.on_grant.iter().find(|(_, grant)| match grant.to {
        GrantTo::HomeInstitution => home.is_some_and(is_home),
        GrantTo::AnyDomain => true,
    });
    if let Some((name, _)) = granted {
        return RedirectVerdict::OnGrant { rule: format!("redirects.on_grant.{name}") };
    }
    if is_example {
        let rule = "redirects.refused_examples".to_owned();
        return RedirectVerdict::Denied { rule, because: RedirectDenial::Example };
    }
    let rule = "redirects.otherwise".to_owned();
    match rules.otherwise {
        RedirectOtherwise::Refuse => RedirectVerdict::Denied { rule, because: RedirectDenial::NotAllowed },
        RedirectOtherwise::Ask => RedirectVerdict::OnGrant { rule },
    }
}

/// What somebody approved, for [`redirect_holds`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grant<'g> {
    /// The domain of the institution the person comes from, as the approver says.
    pub home: Option<&'g Domain>,
    pub approver: &'g str,
    pub because: &'g str,
    /// The last day, `YYYY-MM-DD`; empty when it has none.
    pub until: &'g str,
}

/// Why mail does not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectStop {
    Denied {
        rule: String,
        because: RedirectDenial,
    },
    /// A person has to approve it, and what is known of the approval lacks this.
    Lacks {
        rule: String,
        needs: Vec<GrantNeeds>,
    },
    /// The approval ended on this day.
    Ended {
        rule: String,
        until: String,
    },
}

impl RedirectStop {
    /// Path in the policy.
    pub fn rule(&self) -> &str {
        match self {
            RedirectStop::Denied { rule, .. } | RedirectStop::Lacks { rule, .. } | RedirectStop::Ended { rule, .. } => {
                rule
            }
        }
    }
}

/// May mail go on to `target` on `today` (`YYYY-MM-DD`)? Asked when a redirect is set, and again for each message. `Ok`
/// is the rule that allows it. Where `redirects.otherwise` asks a person, everything about the approval is needed.
pub fn redirect_holds(
    tables: &Tables,
    target: &Address,
    grant: Option<Grant<'_>>,
    today: &str,
) -> Result<String, RedirectStop> {
    let grant_of = grant.unwrap_or_default();
    let rule = match redirect_from(tables, target, grant_of.home) {
        RedirectVerdict::Allowed { rule } => return Ok(rule),
        RedirectVerdict::Denied { rule, because } => return Err(RedirectStop::Denied { rule, because }),
        RedirectVerdict::OnGrant { rule } => rule,
    };
    let all = [GrantNeeds::Approver, GrantNeeds::Reason, GrantNeeds::EndDate];
    let named = rule.strip_prefix("redirects.on_grant.").and_then(|name| tables.plan().redirects.on_grant.get(name));
    let needs = named.map_or(&all[..], |grant| grant.needs.as_slice());
    let lacks = |need: &&GrantNeeds| match need {
        GrantNeeds::Approver => grant_of.approver.trim().is_empty(),
        GrantNeeds::Reason => grant_of.because.trim().is_empty(),
        GrantNeeds::EndDate => grant_of.until.is_empty(),
    };
    let lacking: Vec<GrantNeeds> = needs.iter().filter(lacks).copied().collect();
    // An approval nobody gave is none, even where nothing about it is asked for.
    if grant.is_none() || !lacking.is_empty() {
        let needs = if lacking.is_empty() { vec![GrantNeeds::Approver] } else { lacking };
        return Err(RedirectStop::Lacks { rule, needs });
    }
    // Dates are `YYYY-MM-DD`, so text order is the order of days.
    if !grant_of.until.is_empty() && today > grant_of.until {
        return Err(RedirectStop::Ended { rule, until: grant_of.until.to_owned() });
    }
    Ok(rule)
}
