//! Message size, profiles and quotas.

use super::list;
use crate::model;
use crate::model::mailboxes::{Full, Mailboxes, Quota, QuotaGrant};

pub(super) fn mailboxes(mailboxes: &Mailboxes) -> plan::MailboxRules {
    let Full::TryLater { for_ } = mailboxes.when_full.full;
    plan::MailboxRules {
        message_size_octets: mailboxes.message_size.value.0,
        profiles: model::sorted(&mailboxes.profiles, |profile| plan::Profile {
            label: profile.label.clone(),
            quota: match profile.quota {
                Quota::Fixed(size) => plan::Quota::Fixed { octets: size.0 },
                Quota::OnRequest { above } => plan::Quota::OnRequest { above_octets: above.0 },
            },
        }),
        otherwise: mailboxes.otherwise.value.clone(),
        grants: mailboxes.grants.values().map(grant).collect(),
        counts: list(&mailboxes.counts),
        when_full: plan::WhenFull {
            warn_at_percent: mailboxes.when_full.warn_at.values().map(|share| share.0).collect(),
            grace_percent: mailboxes.when_full.grace.0,
            full_try_later_s: for_.0,
            then: mailboxes.when_full.then,
        },
    }
}

fn grant(grant: &QuotaGrant) -> plan::QuotaGrant {
    plan::QuotaGrant {
        login: grant.login.clone(),
        octets: grant.quota.0,
        because: grant.because.clone(),
        until: grant.until.0.clone(),
    }
}
