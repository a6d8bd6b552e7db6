//! `Each`: a table of a guide, line by line against the rows of the plan. Columns say who it is about, or what is
//! compared.

use std::collections::BTreeSet;

use decide::{Account, Block, Client, login};
use plan::{Window, Windows};

use super::given::Given;
use super::house::House;
use super::model::Each;
use super::scene::{Scene, unknown};
use super::table::{Cell, Row};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::model::literal::{Literal, Size};
use crate::syntax::{Span, Spanned};

/// One row compared.
pub(super) struct Line {
    pub place: Span,
    pub compared: Vec<Compared>,
}

/// One cell compared with the plan.
pub(super) struct Compared {
    pub column: &'static str,
    pub expected: String,
    pub got: String,
    /// The rule that has the value.
    pub rule: String,
}

/// Columns that say who it is about.
const FACTS: [&str; 8] = ["block", "listener", "network", "client", "login", "profile", "first", "last"];
/// Columns that are compared.
const VALUES: [&str; 10] = [
    "rcpt_per_msg",
    "msg_per_quarter",
    "msg_per_hour",
    "msg_per_day",
    "rcpt_per_quarter",
    "rcpt_per_hour",
    "rcpt_per_day",
    "quota",
    "address",
    "gets",
];

const QUARTER_S: u32 = 900;
const HOUR_S: u32 = 3_600;
const DAY_S: u32 = 86_400;

/// The rows, compared. `None` when there are mistakes.
pub(super) fn lines(each: &Each, house: &House, sink: &mut Vec<Diagnostic>) -> Option<Vec<Line>> {
    let before = sink.len();
    let known: BTreeSet<String> = FACTS.iter().chain(&VALUES).map(|name| (*name).to_owned()).collect();
    let mut columns: Vec<&'static str> = Vec::new();
    for column in &each.columns {
        match FACTS.iter().chain(&VALUES).find(|name| **name == column.value) {
            Some(name) => columns.push(name),
            None => sink.push(unknown("column", column, &known)),
        }
    }
    if sink.len() > before {
        return None;
    }
    let mut taken = BTreeSet::new();
    let mut lines = Vec::new();
    for row in &each.rows {
        lines.extend(line(&columns, row, house, &mut taken, sink));
    }
    (sink.len() == before).then_some(lines)
}

/// The cells of one row by column.
struct Cells<'r> {
    columns: &'r [&'static str],
    row: &'r Spanned<Row>,
}

impl<'r> Cells<'r> {
    fn of(&self, column: &str) -> Option<&'r Spanned<Option<Cell>>> {
        self.row.value.0.get(self.columns.iter().position(|name| *name == column)?)
    }

    fn text(&self, column: &str, sink: &mut Vec<Diagnostic>) -> Option<Spanned<String>> {
        let cell = self.of(column)?;
        match &cell.value {
            Some(Cell::Text(text)) => Some(Spanned::new(text.clone(), cell.span)),
            Some(Cell::Number(_)) | None => {
                let message = format!("expected a text in column \"{column}\"");
                sink.push(Diagnostic::new(Code::E0104, message).help("for example `\"…\"`").at(cell.span, ""));
                None
            }
        }
    }
}

fn line(
    columns: &[&'static str],
    row: &Spanned<Row>,
    house: &House,
    taken: &mut BTreeSet<String>,
    sink: &mut Vec<Diagnostic>,
) -> Option<Line> {
    let before = sink.len();
    if row.value.0.len() != columns.len() {
        let message = format!("expected {} values, one for each column, found {}", columns.len(), row.value.0.len());
        sink.push(Diagnostic::new(Code::E0104, message).at(row.span, ""));
        return None;
    }
    let cells = Cells { columns, row };
    let given = Given {
        block: cells.text("block", sink),
        listener: cells.text("listener", sink),
        network: cells.text("network", sink),
        client: cells.text("client", sink),
        login: cells.text("login", sink),
        ..Given::default()
    };
    let profile = cells.text("profile", sink);
    if let Some(profile) = &profile {
        let profiles: BTreeSet<String> = house.tables.plan().mailboxes.profiles.keys().cloned().collect();
        if !profiles.contains(&profile.value) {
            sink.push(unknown("profile", profile, &profiles));
        }
    }
    let limits = columns.iter().any(|name| name.starts_with("msg_") || name.starts_with("rcpt_"));
    let scene = Scene::of(house, &given, limits, row.span, sink)?;
    if sink.len() > before {
        return None;
    }
    let client = scene.client.clone().map(|client| with_profile(house, client, profile.as_ref()));
    let today = scene.start.to_zoned(scene.zone.clone()).date().to_string();
    let names = (cells.text("first", sink), cells.text("last", sink));
    let derived = names.0.as_ref().zip(names.1.as_ref()).map(|(first, last)| derive(house, first, last, taken));
    let mut compared = Vec::new();
    for (column, cell) in columns.iter().zip(&row.value.0).filter(|(column, _)| VALUES.contains(column)) {
        let (got, rule) = match (*column, &client, &derived) {
            ("quota", ..) => quota(house, profile.as_ref().map(|p| &*p.value), &scene),
            ("gets", _, Some((login, _))) => (quoted(login), "identity.login".to_owned()),
            ("address", _, Some((_, address))) => (quoted(address), "identity.address".to_owned()),
            ("gets" | "address", _, None) => {
                let message = format!("column \"{column}\" needs the columns \"first\" and \"last\"");
                sink.push(Diagnostic::new(Code::E0003, message).at(cell.span, ""));
                continue;
            }
            (limit, Some(client), _) => limit_of(house, client, &today, limit),
            (_, None, _) => continue,
        };
        let Some(expected) = expected(column, cell, sink) else { continue };
        compared.push(Compared { column, expected, got, rule });
    }
    (sink.len() == before).then_some(Line { place: row.span, compared })
}

/// What a cell says, spelled as the plan's value is.
fn expected(column: &str, cell: &Spanned<Option<Cell>>, sink: &mut Vec<Diagnostic>) -> Option<String> {
    let spelled = match (&cell.value, column) {
        (None, _) => Ok("None".to_owned()),
        (Some(Cell::Number(number)), "quota" | "gets" | "address") => Err(number.to_string()),
        (Some(Cell::Number(number)), _) => Ok(number.to_string()),
        (Some(Cell::Text(text)), "quota") => match Size::from_text(text) {
            Ok(size) => Ok(octets(size.0)),
            Err(refusal) => {
                let diagnostic = Diagnostic::new(refusal.code, refusal.message).at(cell.span, "");
                sink.push(diagnostic);
                return None;
            }
        },
        (Some(Cell::Text(text)), "gets" | "address") => Ok(quoted(text)),
        (Some(Cell::Text(text)), _) => Err(text.clone()),
    };
    match spelled {
        Ok(text) => Some(text),
        Err(found) => {
            let found = crate::shown::first_chars(&found, 40);
            let message = format!("column \"{column}\" does not hold `{found}`");
            sink.push(
                Diagnostic::new(Code::E0104, message)
                    .help("limits are numbers or `None`, the others texts")
                    .at(cell.span, ""),
            );
            None
        }
    }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn octets(octets: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(unit, _)| octets >= *unit && octets.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("\"{} {name}\"", octets / unit),
        None => format!("\"{octets} B\""),
    }
}

fn with_profile(house: &House, mut client: Client, profile: Option<&Spanned<String>>) -> Client {
    let Some(profile) = profile else { return client };
    let login = client.account.take().map(|account| account.login).or_else(|| mail::Login::new("somebody"));
    let auth = house.tables.listener_rules(client.listener).auth;
    if auth == plan::ListenerAuth::Required {
        client.account = login.map(|login| Account { login, profile: profile.value.clone() });
    }
    client
}

fn quota(house: &House, profile: Option<&str>, scene: &Scene) -> (String, String) {
    let rules = &house.tables.plan().mailboxes;
    if let (None, Some(person)) = (profile, &scene.person) {
        return (octets(person.quota_octets), format!("mailboxes.profiles.{}.quota", person.profile));
    }
    let name = profile.unwrap_or(&rules.otherwise);
    let got = rules.profiles.get(name).map_or_else(|| "None".to_owned(), |it| octets(it.quota.floor_octets()));
    (got, format!("mailboxes.profiles.{name}.quota"))
}

fn derive(house: &House, first: &str, last: &str, taken: &mut BTreeSet<String>) -> (String, String) {
    let identity = &house.tables.plan().identity;
    let login = login::candidates(&identity.login, first, last).find(|login| !taken.contains(login));
    let login = login.unwrap_or_default();
    taken.insert(login.clone());
    (login, login::official_address(identity, first, last))
}

/// The value of a limit and its rule.
fn limit_of(house: &House, client: &Client, today: &str, column: &str) -> (String, String) {
    let tables = &house.tables;
    let width_s = match column {
        "msg_per_quarter" | "rcpt_per_quarter" => QUARTER_S,
        "msg_per_hour" | "rcpt_per_hour" => HOUR_S,
        _ => DAY_S,
    };
    let of = |path: &str, counts: &[(&str, &Windows)]| {
        let windows = counts.iter().flat_map(|(event, windows)| windows.list().iter().map(move |w| (*event, w)));
        let tightest = windows.filter(|(_, window)| window.width_s == width_s).min_by_key(|(_, window)| window.max);
        match tightest {
            Some((event, window)) => (window.max.to_string(), format!("{path}.{event}/{}", Window::width_name(window))),
            None => ("None".to_owned(), path.to_owned()),
        }
    };
    if let Some((row, path)) = tables.limits(client, today) {
        if column == "rcpt_per_msg" {
            return (row.recipients_in_one_message.to_string(), format!("{path}.recipients_in_one_message"));
        }
        let messages = [("messages_attempted", &row.messages_attempted), ("messages_accepted", &row.messages_accepted)];
        let recipients =
            [("recipients_attempted", &row.recipients_attempted), ("recipients_accepted", &row.recipients_accepted)];
        return of(&path, if column.starts_with("msg_") { &messages } else { &recipients });
    }
    let strangers = &tables.plan().strangers;
    let network = tables.class_name(tables.class_network(client.class));
    let judged = !strangers.not_for.iter().any(|name| name == network);
    match tables.block(client.listener, client.class) {
        Some(Block::Receive(_)) if column == "rcpt_per_msg" => {
            (tables.recipients_max(client).to_string(), "strangers.recipients_in_one_message".to_owned())
        }
        Some(Block::Receive(_)) if judged && column.starts_with("msg_") => {
            of("strangers", &[("messages_attempted", &strangers.messages_attempted)])
        }
        Some(Block::Send(_) | Block::Receive(_) | Block::Read(_)) | None => ("None".to_owned(), "strangers".to_owned()),
    }
}
