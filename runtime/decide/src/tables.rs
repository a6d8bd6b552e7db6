//! The structures that answer fast, built once per plan.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use mail::{Domain, ReversePath};
use plan::{Listener, Plan, ReceiveBlock, SendBlock, UnknownSenders, Windows};

use crate::blocked::Register;
use crate::class::{Block, Class, ClassId, ClassKind, Classes, Client, ListenerId};
use crate::content_table;
use crate::domains::{self, DomainKind};
use crate::envelope::{self, Auth, Cell, Reachable, RecipientClass, SenderClass, Verdict};
use crate::reason::{Reason, Refusal};
use crate::redirect::Redirects;
use crate::row;

/// Most cells a plan may have; fifty networks and twenty listeners stay far below.
const CELLS_MAX: usize = 3_000_000;
/// TLS × login × sender class × recipient class.
const CELLS_PER_PAIR: usize = 2 * Auth::ALL.len() * SenderClass::ALL.len() * RecipientClass::ALL.len();
/// Widest window in seconds (E0202).
const WIDTH_S_MAX: u32 = 86_400;

/// A plan with its lookup structures.
#[derive(Debug)]
pub struct Tables {
    plan: Plan,
    listeners: Vec<(String, Listener)>,
    classes: Classes,
    send: Vec<(String, SendBlock)>,
    receive: Vec<(String, ReceiveBlock)>,
    read: Vec<String>,
    /// By listener × class.
    blocks: Vec<Option<Block>>,
    /// Listeners with envelopes, and each one's place in the table's radix.
    smtp: Vec<ListenerId>,
    smtp_place: Vec<Option<u16>>,
    verdicts: Vec<Verdict>,
    /// By cell, an index into `verdicts`.
    envelope: Vec<u16>,
    pub(crate) keep: row::Keep,
    pub(crate) keep_observed: row::Keep,
    pub(crate) redirects: Redirects,
    pub(crate) blocked: Register,
}

/// Why a plan cannot be served: it is not what a compiler writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsound {
    NoRest,
    TooLarge,
    /// A path in the plan and the name there that is not defined.
    Unknown(String, String),
    /// The pair of listener and client class has two blocks.
    TwoBlocks(String, String),
    /// A limit of 0, or a window of no width or wider than a day.
    Window(String),
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsound::NoRest => f.write_str("no network is `Rest`"),
            Unsound::TooLarge => f.write_str("the decision table would be too large"),
            Unsound::Unknown(path, name) => write!(f, "`{path}` names `{name}`, which is not defined"),
            Unsound::TwoBlocks(listener, class) => write!(f, "two blocks serve listener `{listener}` × `{class}`"),
            Unsound::Window(path) => write!(f, "`{path}` holds a window no ring can keep"),
        }
    }
}

impl std::error::Error for Unsound {}

impl Tables {
    /// Builds and verifies; a corrupt plan is refused before it replaces a running one.
    pub fn new(plan: Plan) -> Result<Tables, Unsound> {
        let classes = Classes::new(&plan).ok_or(Unsound::NoRest)?;
        let listeners: Vec<(String, Listener)> = plan.listeners.iter().map(|(n, l)| (n.clone(), l.clone())).collect();
        let envelopes = listeners.len().saturating_mul(classes.list.len()).saturating_mul(CELLS_PER_PAIR);
        if envelopes.saturating_add(content_table::cells_of(&plan)) > CELLS_MAX {
            return Err(Unsound::TooLarge);
        }
        let mut tables = Tables {
            send: plan.may_send.iter().map(|(n, b)| (n.clone(), b.clone())).collect(),
            receive: plan.may_receive.iter().map(|(n, b)| (n.clone(), b.clone())).collect(),
            read: plan.may_read.keys().cloned().collect(),
            blocks: vec![None; listeners.len() * classes.list.len()],
            smtp: Vec::new(),
            smtp_place: vec![None; listeners.len()],
            verdicts: Vec::new(),
            envelope: Vec::new(),
            keep: row::Keep::of(&plan),
            keep_observed: row::Keep::of_observed(&plan),
            redirects: Redirects::new(&plan),
            blocked: Register::of_policy(&plan.blocked),
            plan,
            listeners,
            classes,
        };
        tables.verify_windows()?;
        tables.fill_blocks()?;
        tables.fill_envelope()?;
        Ok(tables)
    }

    fn verify_windows(&self) -> Result<(), Unsound> {
        for (path, windows) in row::all_windows(&self.plan) {
            let sound = |w: &plan::Window| w.max > 0 && w.width_s > 0 && w.width_s <= WIDTH_S_MAX;
            let empty = matches!(windows, Windows::Within(list) if list.is_empty());
            if empty || !windows.list().iter().all(sound) {
                return Err(Unsound::Window(path));
            }
        }
        Ok(())
    }

    fn fill_blocks(&mut self) -> Result<(), Unsound> {
        let mut pairs = Vec::new();
        for (index, (name, block)) in self.plan.may_send.iter().enumerate() {
            pairs.push((format!("may_send.{name}"), &block.connecting_to, &block.from, Block::Send(index as u16)));
        }
        for (index, (name, block)) in self.plan.may_receive.iter().enumerate() {
            pairs.push((
                format!("may_receive.{name}"),
                &block.connecting_to,
                &block.from,
                Block::Receive(index as u16),
            ));
        }
        for (index, (name, block)) in self.plan.may_read.iter().enumerate() {
            pairs.push((format!("may_read.{name}"), &block.connecting_to, &block.from, Block::Read(index as u16)));
        }
        for (path, connecting_to, from, block) in pairs {
            for listener_name in connecting_to {
                let unknown = || Unsound::Unknown(format!("{path}.connecting_to"), listener_name.clone());
                let listener = self.listener(listener_name).ok_or_else(unknown)?;
                for network in from {
                    let unknown = || Unsound::Unknown(format!("{path}.from"), network.clone());
                    let class = self.network(network).ok_or_else(unknown)?;
                    let place = self.place(listener, class);
                    if self.blocks[place].is_some() {
                        return Err(Unsound::TwoBlocks(listener_name.clone(), network.clone()));
                    }
                    self.blocks[place] = Some(block);
                }
            }
        }
        self.carve_classes();
        Ok(())
    }

    /// Gateways and applications are carved out of the networks that hold their addresses.
    fn carve_classes(&mut self) {
        let networks = self.classes.list.iter().filter(|c| c.kind == ClassKind::Network).count();
        for class in networks..self.classes.list.len() {
            let Class { name, kind, network } = self.classes.list[class].clone();
            for listener in 0..self.listeners.len() {
                let of_network = self.blocks[self.place(ListenerId(listener as u16), network)];
                let block = match kind {
                    ClassKind::Network | ClassKind::Application => of_network,
                    // It can only hand in mail, on those listeners.
                    ClassKind::Gateway => {
                        let on = &self.plan.gateways[&name].on;
                        self.receiving(&self.listeners[listener].0).filter(|_| on.contains(&self.listeners[listener].0))
                    }
                };
                let place = self.place(ListenerId(listener as u16), ClassId(class as u16));
                self.blocks[place] = block;
            }
        }
        self.turn_others_away();
    }

    /// `gateways.*.refuse_others` and `senders.unknown: Refuse`.
    fn turn_others_away(&mut self) {
        for listener in 0..self.listeners.len() {
            let name = self.listeners[listener].0.clone();
            let guarded = self.plan.gateways.values().any(|g| g.refuse_others && g.on.contains(&name));
            for class in 0..self.classes.list.len() {
                let place = self.place(ListenerId(listener as u16), ClassId(class as u16));
                let kind = self.classes.list[class].kind;
                let is_rest = ClassId(class as u16) == self.classes.rest();
                let unregistered = match (self.blocks[place], &self.plan.senders) {
                    (Some(Block::Send(index)), Some(senders)) => {
                        kind != ClassKind::Application
                            && senders.unknown == UnknownSenders::Refuse
                            && senders.of.contains(&self.send[usize::from(index)].0)
                    }
                    _ => false,
                };
                if unregistered || (guarded && is_rest) {
                    self.blocks[place] = None;
                }
            }
        }
    }

    fn receiving(&self, listener: &str) -> Option<Block> {
        let found = self.receive.iter().position(|(_, block)| block.connecting_to.iter().any(|l| l == listener));
        found.map(|index| Block::Receive(index as u16))
    }

    fn fill_envelope(&mut self) -> Result<(), Unsound> {
        for (index, (_, listener)) in self.listeners.iter().enumerate() {
            if envelope::has_envelopes(listener.speaks) {
                self.smtp_place[index] = Some(self.smtp.len() as u16);
                self.smtp.push(ListenerId(index as u16));
            }
        }
        let cells: Vec<Cell> = self.cells().collect();
        let mut envelope = Vec::with_capacity(cells.len());
        let mut verdicts: Vec<Verdict> = Vec::new();
        // Numbered in the order of cells; the map only finds them again, so its own order shows nowhere.
        let mut known: HashMap<Verdict, usize> = HashMap::new();
        for cell in cells {
            let verdict = envelope::judge(self, cell);
            let index = known.get(&verdict).copied().unwrap_or_else(|| {
                verdicts.push(verdict.clone());
                known.insert(verdict, verdicts.len() - 1);
                verdicts.len() - 1
            });
            envelope.push(u16::try_from(index).map_err(|_| Unsound::TooLarge)?);
        }
        self.envelope = envelope;
        self.verdicts = verdicts;
        Ok(())
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn listener(&self, name: &str) -> Option<ListenerId> {
        self.listeners.iter().position(|(n, _)| n == name).map(|index| ListenerId(index as u16))
    }

    /// All listeners, in order of name.
    pub fn listeners(&self) -> impl Iterator<Item = (ListenerId, &str, &Listener)> {
        self.listeners.iter().enumerate().map(|(index, (name, rules))| (ListenerId(index as u16), name.as_str(), rules))
    }

    pub fn listener_name(&self, id: ListenerId) -> &str {
        &self.listeners[usize::from(id.0)].0
    }

    pub fn listener_rules(&self, id: ListenerId) -> &Listener {
        &self.listeners[usize::from(id.0)].1
    }

    /// The client class of an address: longest prefix, else `Rest`.
    pub fn class_of(&self, client: IpAddr) -> ClassId {
        self.classes.of(client)
    }

    pub fn classes(&self) -> impl Iterator<Item = ClassId> + use<> {
        (0..self.classes.list.len() as u16).map(ClassId)
    }

    pub fn class_name(&self, id: ClassId) -> &str {
        &self.class(id).name
    }

    pub fn class_kind(&self, id: ClassId) -> ClassKind {
        self.class(id).kind
    }

    /// The network that holds a class's addresses; a network itself.
    pub fn class_network(&self, id: ClassId) -> ClassId {
        self.class(id).network
    }

    /// The class of a network's name.
    pub fn network(&self, name: &str) -> Option<ClassId> {
        let is_it = |class: &Class| class.kind == ClassKind::Network && class.name == name;
        self.classes.list.iter().position(is_it).map(|index| ClassId(index as u16))
    }

    pub(crate) fn class(&self, id: ClassId) -> &Class {
        &self.classes.list[usize::from(id.0)]
    }

    /// The block of a pair; a pair without one is turned away at the banner.
    pub fn block(&self, listener: ListenerId, class: ClassId) -> Option<Block> {
        self.blocks[self.place(listener, class)]
    }

    /// The verdict at the banner.
    pub fn connection(&self, listener: ListenerId, class: ClassId) -> Result<Block, Refusal> {
        self.block(listener, class).ok_or_else(|| {
            let rule = format!("listeners.{}", self.listener_name(listener));
            Refusal::new(mail::reply::TURNED_AWAY, Reason::NoBlock, rule, "nothing here for you")
        })
    }

    pub fn send_block(&self, index: u16) -> (&str, &SendBlock) {
        let (name, block) = &self.send[usize::from(index)];
        (name, block)
    }

    pub fn receive_block(&self, index: u16) -> (&str, &ReceiveBlock) {
        let (name, block) = &self.receive[usize::from(index)];
        (name, block)
    }

    /// `may_send.person-outside`.
    pub fn block_path(&self, block: Block) -> String {
        match block {
            Block::Send(index) => format!("may_send.{}", self.send[usize::from(index)].0),
            Block::Receive(index) => format!("may_receive.{}", self.receive[usize::from(index)].0),
            Block::Read(index) => format!("may_read.{}", self.read[usize::from(index)]),
        }
    }

    /// RCPTMAX of the connection (RFC 9422): the per-message limit of its block, else the plan's ceiling.
    pub fn recipients_max(&self, client: &Client) -> u32 {
        row::recipients_max(self, client)
    }

    /// The place in the plan's list of the limit grant that holds for a client on a day.
    pub fn grant(&self, client: &Client, today: &str) -> Option<u32> {
        row::place_of_grant(self, client, today)
    }

    /// The client class of a name, with the network that holds its addresses where it is none itself.
    pub fn class_named(&self, name: &str, network: &str) -> Option<ClassId> {
        if network.is_empty() {
            return self.network(name);
        }
        let is_it = |class: &ClassId| {
            let (of, kind) = (self.class(*class), self.class_kind(*class));
            kind != ClassKind::Network && of.name == name && self.class_name(of.network) == network
        };
        self.classes().find(is_it)
    }

    /// Has this listener envelopes?
    pub fn has_envelopes(&self, listener: ListenerId) -> bool {
        self.smtp_place[usize::from(listener.0)].is_some()
    }

    /// The row of limits a client has in a sending block on a day, with the path its rule ids begin with.
    pub fn limits(&self, client: &Client, today: &str) -> Option<(&plan::Row, String)> {
        match self.block(client.listener, client.class)? {
            Block::Send(index) => {
                let row::RowOf { row, path } = row::of(self, index, client, today);
                Some((row, path))
            }
            Block::Receive(_) | Block::Read(_) => None,
        }
    }

    /// What the policy says of a domain.
    pub fn domain(&self, domain: &Domain) -> DomainKind {
        domains::find(&self.plan, domain)
    }

    /// The class of a reverse-path. `owns`: the account, or the registered application, may write this address.
    pub fn sender_class(&self, reverse_path: &ReversePath, owns: bool) -> SenderClass {
        match reverse_path {
            ReversePath::Null => SenderClass::Empty,
            ReversePath::Address(_) if owns => SenderClass::Own,
            ReversePath::Address(address) if domains::is_ours(&self.plan, address.domain()) => SenderClass::OwnDomain,
            ReversePath::Address(_) => SenderClass::Foreign,
        }
    }

    /// The verdict on a cell.
    pub fn envelope(&self, cell: Cell) -> &Verdict {
        &self.verdicts[usize::from(self.envelope[self.cell_place(cell)])]
    }

    /// The answer to AUTH where no login is possible (RFC 4954 4): 502 where there is none, 538 in the clear where TLS is
    /// to be had.
    pub fn login_barred(&self, listener: ListenerId, tls: bool) -> Option<Refusal> {
        envelope::login_barred(self, listener, tls)
    }

    /// Can a client bring this cell about?
    pub fn reachable(&self, cell: Cell) -> Reachable {
        envelope::reachable(self, cell)
    }

    /// Every cell, in the order of the table's radix.
    pub fn cells(&self) -> impl Iterator<Item = Cell> + '_ {
        self.smtp.iter().flat_map(move |&listener| {
            self.classes().flat_map(move |class| {
                [false, true].into_iter().flat_map(move |tls| {
                    Auth::ALL.into_iter().flat_map(move |auth| {
                        SenderClass::ALL.into_iter().flat_map(move |sender| {
                            RecipientClass::ALL.into_iter().map(move |recipient| Cell {
                                listener,
                                class,
                                tls,
                                auth,
                                sender,
                                recipient,
                            })
                        })
                    })
                })
            })
        })
    }

    fn cell_place(&self, cell: Cell) -> usize {
        // INVARIANT (smtp-cells): a `Cell` is only made for a listener that speaks SMTP or LMTP.
        let listener = usize::from(self.smtp_place[usize::from(cell.listener.0)].unwrap_or(0));
        let mut place = listener * self.classes.list.len() + usize::from(cell.class.0);
        place = place * 2 + usize::from(cell.tls);
        place = place * Auth::ALL.len() + cell.auth as usize;
        place = place * SenderClass::ALL.len() + cell.sender as usize;
        place * RecipientClass::ALL.len() + cell.recipient as usize
    }

    fn place(&self, listener: ListenerId, class: ClassId) -> usize {
        usize::from(listener.0) * self.classes.list.len() + usize::from(class.0)
    }
}
