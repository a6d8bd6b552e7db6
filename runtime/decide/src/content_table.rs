//! The content table: one verdict for each direction × each engine's result × score sign × size × From claim × NOTIFY
//! (`policy-language` 6.1).
//!
//! `judge` walks the plan's steps with the same functions the server calls one by one: `antivirus`, `authenticate`,
//! `antispam`, `dsn`.

use mail::reply;
use plan::{ElseTag, EngineDown, Loss, OwnDomains, Plan, Tell};
use serde::{Deserialize, Serialize};

use crate::content::{self, AntivirusVerdict, ContentDirection, EngineResult};
use crate::reason::{Reason, Refusal};
use crate::spam::{SpamVerdict, antispam};
use crate::steps::{Step, steps};
use crate::tables::Tables;
use crate::transaction;

/// Score sign × size × From claim × NOTIFY.
const CELLS_PER_RESULT: usize = 3 * 2 * 3 * 5;

/// What one engine said, as far as a verdict can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EngineState {
    Clean,
    Suspect,
    Infected,
    /// For less than `engine_down.for`.
    Down,
    /// For `engine_down.for` or longer.
    DownPast,
}

impl EngineState {
    pub const ALL: [EngineState; 5] =
        [EngineState::Clean, EngineState::Suspect, EngineState::Infected, EngineState::Down, EngineState::DownPast];

    /// Did it give a verdict?
    pub fn looked(self) -> bool {
        match self {
            EngineState::Clean | EngineState::Suspect | EngineState::Infected => true,
            EngineState::Down | EngineState::DownPast => false,
        }
    }
}

/// The total of the spam passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Score {
    /// Below 0, and below what is tagged and what is refused.
    Negative,
    Zero,
    Positive,
}

/// What the header From says of where the message is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FromClaim {
    /// A domain of ours, and SPF or DKIM agree with it (RFC 7489 3.1).
    OursAligned,
    OursNotAligned,
    Another,
}

/// NOTIFY of RFC 3461 4.1, one word at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Notify {
    Absent,
    Never,
    Success,
    Failure,
    Delay,
}

impl Score {
    pub const ALL: [Score; 3] = [Score::Negative, Score::Zero, Score::Positive];
}

impl FromClaim {
    pub const ALL: [FromClaim; 3] = [FromClaim::OursAligned, FromClaim::OursNotAligned, FromClaim::Another];
}

impl Notify {
    pub const ALL: [Notify; 5] = [Notify::Absent, Notify::Never, Notify::Success, Notify::Failure, Notify::Delay];
}

/// One cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentCell {
    pub direction: ContentDirection,
    /// The engines' results in mixed radix, the plan's first engine the highest digit; see [`Tables::engine_states`].
    pub engines: u32,
    pub score: Score,
    pub fits: bool,
    pub from: FromClaim,
    pub notify: Notify,
}

/// A delivery status notification that is due at once (RFC 3461 5.2, 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dsn {
    /// Delivered; or relayed, where the next hop takes no NOTIFY.
    Success,
    Failure,
}

/// Where a message ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In mailboxes and the spool.
    Delivered,
    Quarantined,
    /// The client hears this.
    Refused(Refusal),
    /// Answered 250 and kept nowhere.
    Dropped,
}

/// What a cell comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentVerdict {
    pub ending: Ending,
    /// The rule by which it is tagged.
    pub tagged: Option<&'static str>,
    /// Who hears of a finding. With a refusal, `Sender` is the reply itself.
    pub tell: Tell,
    pub dsn: Option<Dsn>,
    /// Owed a second look by engines that were down.
    pub rescan: bool,
    /// The kind of loss, for what is not delivered and will not be tried again.
    pub loss: Option<Loss>,
    /// The rule that decided; empty when it is delivered.
    pub rule: String,
    /// Places in the plan's list of steps, from 0: where it ended, where the engines were asked, where 250 was certain.
    pub ended_at: Option<usize>,
    pub scanned_at: Option<usize>,
    pub accepted_at: Option<usize>,
}

impl ContentVerdict {
    pub fn is_delivered(&self) -> bool {
        self.ending == Ending::Delivered
    }

    /// The basic code at the final dot.
    pub fn code(&self) -> u16 {
        match &self.ending {
            Ending::Refused(refusal) => refusal.code.basic,
            Ending::Delivered | Ending::Quarantined | Ending::Dropped => reply::CONTENT_OK.basic,
        }
    }
}

/// The verdict of the step `Authenticate` on a From claim that is not aligned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unaligned {
    Pass,
    /// Tagged as spam is.
    Tag(&'static str),
    Refuse(Refusal),
}

/// The step `Authenticate`: mail that says it is from us and is not (`authenticate.own_domains_from_outside`).
pub fn authenticate(tables: &Tables, claim: FromClaim) -> Unaligned {
    const RULE: &str = "authenticate.own_domains_from_outside";
    match (claim, tables.plan().authenticate.own_domains_from_outside) {
        (FromClaim::OursAligned | FromClaim::Another, _) | (_, OwnDomains::Ignore) => Unaligned::Pass,
        (FromClaim::OursNotAligned, OwnDomains::RequireAligned { else_: ElseTag::Tag }) => {
            // Without `antispam` there is no tag to put on it.
            if tables.plan().antispam.is_some() { Unaligned::Tag(RULE) } else { Unaligned::Pass }
        }
        (FromClaim::OursNotAligned, OwnDomains::RequireAligned { else_: ElseTag::Refuse }) => {
            let text = "the sender in the header is one of ours, and the message is not from us";
            Unaligned::Refuse(Refusal::new(reply::POLICY, Reason::PosesAsUs, RULE, text))
        }
    }
}

/// The notification that is due for a message that was answered 250. What ended in silence gets none, whatever was
/// asked for: a deviation from RFC 3461 5.2, because it would answer a forged sender.
pub fn dsn(delivered: bool, silent: bool, notify: Notify) -> Option<Dsn> {
    match (notify, delivered) {
        _ if silent => None,
        (Notify::Success, true) => Some(Dsn::Success),
        (Notify::Absent | Notify::Failure, false) => Some(Dsn::Failure),
        (Notify::Absent | Notify::Failure | Notify::Never | Notify::Delay, true) => None,
        (Notify::Success | Notify::Never | Notify::Delay, false) => None,
    }
}

/// Cells a plan's table has.
pub(crate) fn cells_of(plan: &Plan) -> usize {
    let engines = plan.antivirus.as_ref().map_or(0, |antivirus| antivirus.engines.len());
    let results = (0..engines).fold(1usize, |product, _| product.saturating_mul(EngineState::ALL.len()));
    results.saturating_mul(ContentDirection::ALL.len() * CELLS_PER_RESULT)
}

impl Tables {
    fn engines(&self) -> &[String] {
        self.plan().antivirus.as_ref().map_or(&[], |antivirus| &antivirus.engines)
    }

    /// Every cell of the content table, in the order of its radix.
    pub fn content_cells(&self) -> impl Iterator<Item = ContentCell> + use<> {
        let results = (cells_of(self.plan()) / (ContentDirection::ALL.len() * CELLS_PER_RESULT)) as u32;
        ContentDirection::ALL.into_iter().flat_map(move |direction| {
            (0..results).flat_map(move |engines| {
                Score::ALL.into_iter().flat_map(move |score| {
                    [true, false].into_iter().flat_map(move |fits| {
                        FromClaim::ALL.into_iter().flat_map(move |from| {
                            Notify::ALL.into_iter().map(move |notify| ContentCell {
                                direction,
                                engines,
                                score,
                                fits,
                                from,
                                notify,
                            })
                        })
                    })
                })
            })
        })
    }

    /// The engines of the plan and what each said in this cell.
    pub fn engine_states(&self, cell: ContentCell) -> impl Iterator<Item = (&str, EngineState)> {
        let states = EngineState::ALL.len() as u32;
        let last = self.engines().len().saturating_sub(1) as u32;
        self.engines().iter().enumerate().map(move |(index, name)| {
            let digit = cell.engines / states.saturating_pow(last.saturating_sub(index as u32)) % states;
            (name.as_str(), EngineState::ALL[digit as usize])
        })
    }

    /// The verdict on a cell of the content table.
    pub fn content(&self, cell: ContentCell) -> ContentVerdict {
        judge(self, cell)
    }
}

/// Engine states as an engine would have said them.
fn results(tables: &Tables, cell: ContentCell) -> Vec<(String, EngineResult)> {
    let for_s = match tables.plan().antivirus.as_ref().map(|antivirus| &antivirus.engine_down) {
        Some(EngineDown::TryLater { for_s, .. }) => *for_s,
        None => 0,
    };
    let result = |state| match state {
        EngineState::Clean => EngineResult::Clean,
        EngineState::Suspect => EngineResult::Suspect(String::new()),
        EngineState::Infected => EngineResult::Infected(String::new()),
        EngineState::Down => EngineResult::Down { for_s: for_s.saturating_sub(1) },
        EngineState::DownPast => EngineResult::Down { for_s },
    };
    tables.engine_states(cell).map(|(name, state)| (name.to_owned(), result(state))).collect()
}

/// The smallest number of thousandths for each sign: what is tagged at all is tagged for `Negative`.
fn thousandths(plan: &Plan, score: Score) -> i64 {
    match score {
        Score::Negative => {
            let rules = plan.antispam.as_ref();
            let tagged = rules.map_or(0, |rules| rules.tag_below_thousandths);
            let refused = rules.and_then(|rules| rules.refuse_below_thousandths).unwrap_or(0);
            tagged.min(refused).min(0).saturating_sub(1)
        }
        Score::Zero => 0,
        Score::Positive => 1,
    }
}

/// Where the walk through the steps is.
struct Walk {
    notify: Notify,
    verdict: ContentVerdict,
}

fn judge(tables: &Tables, cell: ContentCell) -> ContentVerdict {
    let begun = ContentVerdict {
        ending: Ending::Dropped,
        tagged: None,
        tell: Tell::Nobody,
        dsn: None,
        rescan: false,
        loss: None,
        rule: String::new(),
        ended_at: None,
        scanned_at: None,
        accepted_at: None,
    };
    let mut walk = Walk { notify: cell.notify, verdict: begun };
    if !cell.fits {
        let refusal = transaction::too_large(tables.plan().mailboxes.message_size_octets);
        return walk.refused(None, refusal);
    }
    for (at, step) in steps(tables.plan(), cell.direction).into_iter().enumerate() {
        match step {
            Step::Earlier | Step::Filters | Step::Redirect => {}
            Step::Accept => walk.verdict.accepted_at = Some(at),
            Step::Authenticate => match authenticate(tables, cell.from) {
                Unaligned::Pass => {}
                Unaligned::Tag(rule) => walk.verdict.tagged = Some(rule),
                Unaligned::Refuse(refusal) => return walk.refused(Some(at), refusal),
            },
            Step::Antivirus if !content::is_scanned(tables, cell.direction) => {}
            Step::Antivirus => {
                walk.verdict.scanned_at = Some(at);
                match content::antivirus(tables, cell.direction, &results(tables, cell)) {
                    AntivirusVerdict::Pass { rescan, tell } => {
                        walk.verdict.rescan |= rescan;
                        walk.verdict.tell = tell;
                    }
                    AntivirusVerdict::Stop(fate) => return walk.stopped(at, fate),
                }
            }
            Step::Antispam => match antispam(tables, thousandths(tables.plan(), cell.score)) {
                SpamVerdict::Pass => {}
                SpamVerdict::Tag(rule) => walk.verdict.tagged = Some(rule),
                SpamVerdict::Refuse(refusal) => return walk.refused(Some(at), refusal),
            },
            Step::Place => return walk.ended(Some(at), Ending::Delivered, false),
        }
    }
    walk.verdict.loss = Some(Loss::NotDelivered);
    walk.ended(None, Ending::Dropped, false)
}

impl Walk {
    /// A refusal; behind `Accept` the message is kept instead.
    fn refused(mut self, at: Option<usize>, refusal: Refusal) -> ContentVerdict {
        self.verdict.rule.clone_from(&refusal.rule);
        // What is temporary stays with the client.
        self.verdict.loss = if refusal.code.is_temporary() { None } else { refusal.reason.loss() };
        if self.verdict.accepted_at.is_none() {
            return self.ended(at, Ending::Refused(refusal), true);
        }
        self.verdict.loss = Some(refusal.reason.loss().unwrap_or(Loss::NotDelivered));
        self.ended(at, Ending::Quarantined, false)
    }

    fn stopped(mut self, at: usize, fate: content::Fate) -> ContentVerdict {
        self.verdict.tell = fate.tell;
        if let Some(refusal) = fate.refusal {
            return self.refused(Some(at), refusal);
        }
        self.verdict.rule = fate.rule;
        self.verdict.loss = Some(fate.loss);
        let ending = if fate.quarantine { Ending::Quarantined } else { Ending::Dropped };
        self.ended(Some(at), ending, fate.silent)
    }

    fn ended(mut self, at: Option<usize>, ending: Ending, silent: bool) -> ContentVerdict {
        self.verdict.dsn = dsn(ending == Ending::Delivered, silent, self.notify);
        self.verdict.ended_at = at;
        self.verdict.ending = ending;
        self.verdict
    }
}
