//! Which row of limits holds for a client, and all windows of a plan.

use plan::{LimitGrant, Plan, RECIPIENTS_CEILING, Row, Windows};

use crate::class::{Account, Block, ClassKind, Client};
use crate::tables::Tables;
use crate::told::Tells;

/// A row with the path its rule ids begin with.
pub(crate) struct RowOf<'t> {
    pub row: &'t Row,
    pub path: String,
}

/// The row of a sending block for this client: a grant, else the profile's, else the application's, else the block's.
pub(crate) fn of<'t>(tables: &'t Tables, index: u16, client: &Client, today: &str) -> RowOf<'t> {
    let (name, block) = tables.send_block(index);
    let plan = tables.plan();
    if let Some(account) = &client.account {
        if let Some((_, grant)) = grant(tables, name, account, today) {
            return RowOf { row: &grant.limits, path: format!("limit_grants.{}.{name}", grant.login) };
        }
        if let Some(row) = block.by_profile.get(&account.profile) {
            return RowOf { row, path: format!("may_send.{name}.by_profile.{}", account.profile) };
        }
    }
    let class = tables.class(client.class);
    // A person who logs in on a machine of an application has a person's limits.
    if client.account.is_none()
        && class.kind == ClassKind::Application
        && let Some(senders) = &plan.senders
        && senders.of.iter().any(|of| of == name)
        && let Some(application) = senders.known.get(&class.name)
    {
        return RowOf { row: &application.limits, path: format!("senders.{}", class.name) };
    }
    RowOf { row: block.limits.row(), path: format!("may_send.{name}") }
}

/// The limit grant that holds for an account in a block on a day, with its place in the plan's list.
fn grant<'t>(tables: &'t Tables, block: &str, account: &Account, today: &str) -> Option<(usize, &'t LimitGrant)> {
    // Dates are `YYYY-MM-DD`, so text order is the order of days.
    let holds = |grant: &LimitGrant| {
        grant.login == account.login.as_str() && grant.block == block && today <= grant.until.as_str()
    };
    tables.plan().limit_grants.iter().enumerate().find(|(_, grant)| holds(grant))
}

/// See [`Tables::grant`].
pub(crate) fn place_of_grant(tables: &Tables, client: &Client, today: &str) -> Option<u32> {
    let Some(Block::Send(index)) = tables.block(client.listener, client.class) else { return None };
    let (place, _) = grant(tables, tables.send_block(index).0, client.account.as_ref()?, today)?;
    u32::try_from(place).ok()
}

/// See [`Tables::recipients_max`]. A grant counts from its first day whatever the date: the limit itself is judged at
/// RCPT.
pub(crate) fn recipients_max(tables: &Tables, client: &Client) -> u32 {
    match tables.block(client.listener, client.class) {
        Some(Block::Send(index)) => of(tables, index, client, "").row.recipients_in_one_message,
        Some(Block::Receive(_)) if strangers_judge(tables, client) => tables.plan().strangers.recipients_in_one_message,
        Some(Block::Receive(_) | Block::Read(_)) | None => RECIPIENTS_CEILING,
    }
}

/// Do the limits of `strangers` judge this client?
pub(crate) fn strangers_judge(tables: &Tables, client: &Client) -> bool {
    // The true client of such a gateway is known with the content only: before it, all the world would be one client.
    if matches!(tables.tells(client.class), Tells::Received { .. }) {
        return false;
    }
    let network = tables.class_name(tables.class_network(client.class));
    !tables.plan().strangers.not_for.iter().any(|name| name == network)
}

/// Longest rings by event, over all rows, so that a ring shared by several blocks serves each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keep {
    pub messages_attempted: u32,
    pub messages_accepted: u32,
    pub recipients_attempted: u32,
    pub recipients_accepted: u32,
}

impl Keep {
    pub fn of(plan: &Plan) -> Keep {
        let windows = |row: &Row| {
            [&row.messages_attempted, &row.messages_accepted, &row.recipients_attempted, &row.recipients_accepted]
                .map(longest)
        };
        Keep::longest_of(rows(plan).into_iter().map(|(_, row)| windows(row)))
    }

    /// Of the limits that only watch: their rings are others.
    pub fn of_observed(plan: &Plan) -> Keep {
        let observed = rows(plan).into_iter().filter_map(|(_, row)| row.observed.as_ref());
        Keep::longest_of(observed.map(|observed| observed.windows().map(|(_, windows)| longest(windows))))
    }

    fn longest_of(rows: impl Iterator<Item = [u32; 4]>) -> Keep {
        let [messages_attempted, messages_accepted, recipients_attempted, recipients_accepted] =
            rows.fold([0; 4], |most, row| std::array::from_fn(|event| most[event].max(row[event])));
        Keep { messages_attempted, messages_accepted, recipients_attempted, recipients_accepted }
    }
}

fn longest(windows: &Windows) -> u32 {
    windows.list().iter().map(|w| w.max).max().unwrap_or(0)
}

fn rows(plan: &Plan) -> Vec<(String, &Row)> {
    let mut rows = Vec::new();
    for (name, block) in &plan.may_send {
        rows.push((format!("may_send.{name}"), block.limits.row()));
        for (profile, row) in &block.by_profile {
            rows.push((format!("may_send.{name}.by_profile.{profile}"), row));
        }
    }
    for grant in &plan.limit_grants {
        rows.push((format!("limit_grants.{}.{}", grant.login, grant.block), &grant.limits));
    }
    if let Some(senders) = &plan.senders {
        rows.extend(senders.known.iter().map(|(name, a)| (format!("senders.{name}"), &a.limits)));
    }
    rows
}

/// Every list of windows in a plan with its path.
pub fn all_windows(plan: &Plan) -> Vec<(String, &Windows)> {
    let mut all = Vec::new();
    for (path, row) in rows(plan) {
        all.push((format!("{path}.messages_attempted"), &row.messages_attempted));
        all.push((format!("{path}.messages_accepted"), &row.messages_accepted));
        all.push((format!("{path}.recipients_attempted"), &row.recipients_attempted));
        all.push((format!("{path}.recipients_accepted"), &row.recipients_accepted));
        for (event, windows) in row.observed.iter().flat_map(plan::Observed::windows) {
            all.push((format!("{path}.observed.{event}"), windows));
        }
    }
    all.push(("logins.each_account_and_network".into(), &plan.logins.each_account_and_network));
    all.push(("logins.each_client_address".into(), &plan.logins.each_client_address));
    all.push(("strangers.connections_attempted".into(), &plan.strangers.connections_attempted));
    all.push(("strangers.messages_attempted".into(), &plan.strangers.messages_attempted));
    all.push(("strangers.unknown_recipients_attempted".into(), &plan.strangers.unknown_recipients_attempted));
    all
}
