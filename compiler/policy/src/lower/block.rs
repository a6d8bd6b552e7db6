//! Blocks, limits, grants, applications, guessing and floods.

use std::collections::BTreeMap;

use plan::{Limits, Window};

use super::{Scope, list, set, try_sorted};
use crate::model::block::{
    LimitGrant, Logins, Observed, ReadBlock, ReceiveBlock, Row, SendBlock, SenderApplication, Senders, Strangers,
    WhenOverLimits, Windows,
};
use crate::model::literal::NetworkPrefix;
use crate::model::{self, Switch};
use crate::syntax::{Entries, Items, Spanned, WordOr};

pub(super) fn may_send(scope: &Scope, blocks: &Entries<SendBlock>) -> Option<BTreeMap<String, plan::SendBlock>> {
    try_sorted(blocks, |block| send(scope, block))
}

/// `None` for a block without exactly one row, which `check` has reported.
fn send(scope: &Scope, block: &SendBlock) -> Option<plan::SendBlock> {
    let limits = match block.row()? {
        ("each_account", limits) => Limits::EachAccount(row(limits)),
        (_, limits) => Limits::EachClientAddress(row(limits)),
    };
    Some(plan::SendBlock {
        connecting_to: set(&block.connecting_to),
        from: scope.networks(&block.from),
        to: block.to.value,
        as_: block.as_.value,
        header_from: block.header_from.unwrap_or(plan::HeaderFrom::AsReversePath),
        empty_sender: block.empty_sender,
        source: block.source.clone(),
        limits,
        by_profile: model::sorted(&block.by_profile, row),
        warn_at_percent: block.warn_at.map_or(0, |share| share.0),
    })
}

pub(super) fn receive(scope: &Scope, block: &ReceiveBlock) -> plan::ReceiveBlock {
    plan::ReceiveBlock {
        connecting_to: set(&block.connecting_to),
        from: scope.networks(&block.from),
        to: block.to.value,
    }
}

pub(super) fn read(scope: &Scope, block: &ReadBlock) -> plan::ReadBlock {
    plan::ReadBlock { connecting_to: set(&block.connecting_to), from: scope.networks(&block.from) }
}

pub(crate) fn row(row: &Row) -> plan::Row {
    let counted = |count: &Option<Spanned<Windows>>| match count {
        Some(count) => windows(count),
        None => plan::Windows::NotCounted,
    };
    plan::Row {
        recipients_in_one_message: row.recipients_in_one_message.value,
        messages_attempted: counted(&row.messages_attempted),
        messages_accepted: counted(&row.messages_accepted),
        recipients_attempted: counted(&row.recipients_attempted),
        recipients_accepted: counted(&row.recipients_accepted),
        observed: row.observed.as_ref().map(|observed| self::observed(observed)),
    }
}

fn observed(observed: &Observed) -> plan::Observed {
    let counted = |count: &Option<Spanned<Windows>>| match count {
        Some(count) => windows(count),
        None => plan::Windows::NotCounted,
    };
    plan::Observed {
        recipients_in_one_message: observed.recipients_in_one_message.as_ref().map(|most| most.value),
        messages_attempted: counted(&observed.messages_attempted),
        messages_accepted: counted(&observed.messages_accepted),
        recipients_attempted: counted(&observed.recipients_attempted),
        recipients_accepted: counted(&observed.recipients_accepted),
    }
}

/// The shortest first.
pub(super) fn windows(windows: &Windows) -> plan::Windows {
    match windows {
        WordOr::Word(_) => plan::Windows::Unlimited,
        WordOr::Value(rates) => {
            let mut list: Vec<Window> = rates.values().map(|rate| rate.0).collect();
            list.sort_by_key(|window| (window.width_s, window.max));
            plan::Windows::Within(list)
        }
    }
}

pub(super) fn when_over(when_over: &WhenOverLimits) -> plan::WhenOverLimits {
    plan::WhenOverLimits { recipients_in_one_message: when_over.recipients_in_one_message, window: when_over.window }
}

pub(super) fn limit_grant(grant: &LimitGrant) -> plan::LimitGrant {
    plan::LimitGrant {
        login: grant.login.clone(),
        block: grant.block.value.clone(),
        because: grant.because.clone(),
        approver: grant.approver.clone(),
        until: grant.until.0.clone(),
        limits: row(&grant.limits),
    }
}

pub(super) fn senders(senders: &Senders) -> plan::Senders {
    plan::Senders { of: set(&senders.of), unknown: senders.unknown, known: model::sorted(&senders.known, application) }
}

fn application(application: &SenderApplication) -> plan::SenderApplication {
    plan::SenderApplication {
        from: prefixes(&application.from),
        as_: list(&application.as_).into_iter().map(|address| address.0).collect(),
        owner: application.owner.0.clone(),
        until: application.until.0.clone(),
        limits: row(&application.limits),
    }
}

pub(super) fn prefixes(prefixes: &Items<NetworkPrefix>) -> Vec<plan::Prefix> {
    let mut prefixes: Vec<plan::Prefix> = prefixes.values().map(|prefix| prefix.0).collect();
    prefixes.sort();
    prefixes.dedup();
    prefixes
}

/// Switched off is `Unlimited`, so that the Plan has one way to say it.
pub(super) fn logins(logins: &Switch<Logins>) -> plan::Logins {
    match logins {
        Switch::Off => plan::Logins {
            each_account_and_network: plan::Windows::Unlimited,
            each_client_address: plan::Windows::Unlimited,
            delay: plan::Delay { after: 0, at_most_s: 0 },
            when_over: plan::WhenOver::TryLater,
        },
        Switch::On(logins) => plan::Logins {
            each_account_and_network: windows(&logins.each_account_and_network.failed),
            each_client_address: windows(&logins.each_client_address.failed),
            delay: logins.delay.as_ref().map_or(plan::Delay { after: 3, at_most_s: 8 }, |delay| plan::Delay {
                after: delay.value.after,
                at_most_s: u32::try_from(delay.value.at_most.0).unwrap_or(u32::MAX),
            }),
            when_over: logins.when_over,
        },
    }
}

pub(super) fn strangers(strangers: &Strangers) -> plan::Strangers {
    plan::Strangers {
        connections_at_once: strangers.connections_at_once.value,
        connections_attempted: windows(&strangers.connections_attempted),
        messages_attempted: windows(&strangers.messages_attempted),
        recipients_in_one_message: strangers.recipients_in_one_message.value,
        unknown_recipients_attempted: windows(&strangers.unknown_recipients_attempted),
        not_for: set(&strangers.not_for),
        when_over: strangers.when_over,
    }
}
