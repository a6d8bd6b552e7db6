//! What a case got for one event, and how that compares with what it expected.

use std::fmt;

use decide::Refusal;
use plan::{Loss, Tell};

use super::model::{At, Expectation};

/// What one event came to. Steps are recipients, connections, logins; a message refused at MAIL or at the final dot is
/// one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Got {
    pub asked: u64,
    pub accepted: u64,
    /// Accepted before the first refusal.
    pub first_accepted: u64,
    /// What was heard and how often, the latest last.
    pub refused: Vec<(Refused, u64)>,
    pub end: Option<End>,
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub at: At,
    pub code: u16,
    pub by: String,
    /// The record the policy leaves of it.
    pub recorded: Option<Loss>,
}

/// How an event ended beside its steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Nothing,
    Delivered { rescan: bool, tagged: bool, told: Tell },
    Quarantined(Stopped),
    Dropped(Stopped),
    Allowed { by: String },
    Denied { by: String },
    OnGrant { by: String },
    Gets { login: String, address: String },
}

/// A message that was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    pub told: Tell,
    pub reply: u16,
    pub recorded: Option<Loss>,
    pub by: String,
}

impl Refused {
    pub fn of(at: At, refusal: &Refusal, recorded: Option<Loss>) -> Refused {
        Refused { at, code: refusal.code.basic, by: refusal.rule.clone(), recorded }
    }
}

impl Got {
    pub fn ended(end: End) -> Got {
        Got { end: Some(end), ..Got::default() }
    }

    pub fn accept(&mut self, steps: u64) {
        self.asked += steps;
        self.accepted += steps;
        if self.refused.is_empty() {
            self.first_accepted += steps;
        }
    }

    pub fn refuse(&mut self, refused: Refused, steps: u64) {
        self.asked += steps;
        let mut times = steps;
        if let Some(place) = self.refused.iter().position(|(known, _)| *known == refused) {
            times += self.refused.remove(place).1;
        }
        self.refused.push((refused, times));
    }

    /// A refusal at the final dot: nobody of this message was accepted after all.
    pub fn take_back(&mut self) {
        self.asked -= self.accepted;
        (self.accepted, self.first_accepted) = (0, 0);
    }

    /// Adds what a later part came to.
    pub fn absorb(&mut self, part: Got) {
        if self.refused.is_empty() {
            self.first_accepted += part.first_accepted;
        }
        self.asked += part.asked;
        self.accepted += part.accepted;
        for (refused, times) in part.refused {
            self.asked -= times;
            self.refuse(refused, times);
        }
        self.end = part.end.or(self.end.take());
    }

    /// The rule that decided: of the last refusal, or of the end.
    pub fn rule(&self) -> Option<&str> {
        if let Some((refused, _)) = self.refused.last() {
            return Some(&refused.by);
        }
        match self.end.as_ref()? {
            End::Quarantined(stopped) | End::Dropped(stopped) => Some(&stopped.by),
            End::Allowed { by } | End::Denied { by } | End::OnGrant { by } => Some(by),
            End::Nothing | End::Delivered { .. } | End::Gets { .. } => None,
        }
    }

    /// Is this what was expected?
    pub fn is(&self, expected: &Expectation) -> bool {
        match expected {
            Expectation::AllAccepted => {
                let stopped = matches!(self.end, Some(End::Quarantined(_) | End::Dropped(_)));
                self.asked > 0 && self.refused.is_empty() && !stopped
            }
            Expectation::FirstAccepted(count) => {
                let only = self.first_accepted == u64::from(*count) && self.accepted == self.first_accepted;
                only && !self.refused.is_empty()
            }
            Expectation::Nothing => self.end == Some(End::Nothing),
            Expectation::Refused { at, code, by, times, recorded } => {
                self.refused.last().is_some_and(|(last, heard)| {
                    let same = last.at == *at && last.code == *code && last.by == *by;
                    same && times.is_none_or(|times| times == *heard) && said(recorded, &last.recorded)
                })
            }
            Expectation::Quarantined { told, reply, recorded } => match &self.end {
                Some(End::Quarantined(stopped)) => stopped.is(*told, *reply, recorded),
                _ => false,
            },
            Expectation::Dropped { told, reply, recorded } => match &self.end {
                Some(End::Dropped(stopped)) => stopped.is(*told, *reply, recorded),
                _ => false,
            },
            Expectation::Delivered { rescan, tagged, told } => match &self.end {
                Some(End::Delivered { rescan: owed, tagged: marked, told: tell }) => {
                    let same = rescan.is_none_or(|it| it == *owed) && tagged.is_none_or(|it| it == *marked);
                    same && told.is_none_or(|it| it == *tell) && self.refused.is_empty()
                }
                _ => false,
            },
            Expectation::Allowed { by } => self.end == Some(End::Allowed { by: by.clone() }),
            Expectation::Denied { by } => self.end == Some(End::Denied { by: by.clone() }),
            Expectation::OnGrant { by } => self.end == Some(End::OnGrant { by: by.clone() }),
            Expectation::Gets { login, address } => match &self.end {
                Some(End::Gets { login: got, address: at }) => {
                    login.as_ref().is_none_or(|login| login == got) && address.as_ref().is_none_or(|it| it == at)
                }
                _ => false,
            },
            Expectation::All(all) => all.values().all(|expected| self.is(expected)),
        }
    }
}

impl Stopped {
    fn is(&self, told: Tell, reply: u16, recorded: &Option<Loss>) -> bool {
        self.told == told && self.reply == reply && said(recorded, &self.recorded)
    }
}

/// What is not said is not compared.
fn said(expected: &Option<Loss>, got: &Option<Loss>) -> bool {
    expected.is_none() || expected == got
}

/// As it would be written in a test.
impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.refused.last(), &self.end) {
            (Some((refused, times)), _) if self.accepted == 0 && *times == self.asked => write!(f, "{refused})"),
            (Some((refused, times)), _) if self.accepted == self.first_accepted => {
                write!(f, "All([FirstAccepted({}), {refused}, times: {times})])", self.accepted)
            }
            (Some((refused, times)), _) => write!(f, "{refused}, times: {times})"),
            (None, Some(end)) => end.fmt(f),
            (None, None) if self.asked > 0 => f.write_str("AllAccepted"),
            (None, None) => f.write_str("Nothing"),
        }
    }
}

/// Without its last bracket.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refused(at: {:?}, code: {}, by: {:?}", self.at, self.code, self.by)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Nothing => f.write_str("Nothing"),
            End::Delivered { rescan, tagged, told } => {
                let told = Some(*told).filter(|told| *told != Tell::Nobody);
                delivered(f, rescan.then_some(true), tagged.then_some(true), told)
            }

            End::Quarantined(stopped) => write!(f, "Quarantined({stopped})"),
            End::Dropped(stopped) => write!(f, "Dropped({stopped})"),
            End::Allowed { by } => write!(f, "Allowed(by: {by:?})"),
            End::Denied { by } => write!(f, "Denied(by: {by:?})"),
            End::OnGrant { by } => write!(f, "OnGrant(by: {by:?})"),
            End::Gets { login, address } => write!(f, "Gets(login: {login:?}, address: {address:?})"),
        }
    }
}

fn delivered(
    f: &mut fmt::Formatter<'_>,
    rescan: Option<bool>,
    tagged: Option<bool>,
    told: Option<Tell>,
) -> fmt::Result {
    let rescan = rescan.map(|rescan| format!("rescan: {rescan}"));
    let tagged = tagged.map(|tagged| format!("tagged: {tagged}"));
    let told = told.map(|told| format!("told: {told:?}"));
    let said: Vec<String> = tagged.into_iter().chain(rescan).chain(told).collect();
    write!(f, "Delivered({})", said.join(", "))
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "told: {:?}, reply: {}", self.told, self.reply)?;
        self.recorded.map_or(Ok(()), |loss| write!(f, ", recorded: {loss:?}"))
    }
}

/// As it is written in a test.
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stopped = |told: &Tell, reply: &u16, recorded: &Option<Loss>| Stopped {
            told: *told,
            reply: *reply,
            recorded: *recorded,
            by: String::new(),
        };
        match self {
            Expectation::AllAccepted => f.write_str("AllAccepted"),
            Expectation::FirstAccepted(count) => write!(f, "FirstAccepted({count})"),
            Expectation::Nothing => f.write_str("Nothing"),
            Expectation::Refused { at, code, by, times, recorded } => {
                let refused = Refused { at: *at, code: *code, by: by.clone(), recorded: *recorded };
                write!(f, "{refused}")?;
                times.map_or(Ok(()), |times| write!(f, ", times: {times}"))?;
                recorded.map_or(Ok(()), |loss| write!(f, ", recorded: {loss:?}"))?;
                f.write_str(")")
            }
            Expectation::Quarantined { told, reply, recorded } => {
                write!(f, "Quarantined({})", stopped(told, reply, recorded))
            }
            Expectation::Dropped { told, reply, recorded } => write!(f, "Dropped({})", stopped(told, reply, recorded)),
            Expectation::Delivered { rescan, tagged, told } => delivered(f, *rescan, *tagged, *told),
            Expectation::Allowed { by } => write!(f, "Allowed(by: {by:?})"),
            Expectation::Denied { by } => write!(f, "Denied(by: {by:?})"),
            Expectation::OnGrant { by } => write!(f, "OnGrant(by: {by:?})"),
            Expectation::Gets { login, address } => {
                let login = login.as_ref().map(|login| format!("login: {login:?}"));
                let address = address.as_ref().map(|address| format!("address: {address:?}"));
                let said: Vec<String> = login.into_iter().chain(address).collect();
                write!(f, "Gets({})", said.join(", "))
            }
            Expectation::All(all) => {
                let all: Vec<String> = all.values().map(Expectation::to_string).collect();
                write!(f, "All([{}])", all.join(", "))
            }
        }
    }
}
