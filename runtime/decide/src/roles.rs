//! Who may do what for others: a closed table of acts and roles. Everybody is a user and does what is about themselves; a
//! correspondent looks after the people of a unit; managers see to the mail of others; administrators see to people and
//! machine. Whoever is to be two of these is in both groups: no role holds another.

use std::collections::BTreeSet;
use std::fmt;

/// The roles somebody holds, beside being a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Units, as [`unit_key`] spells them.
    pub correspondent_of: BTreeSet<String>,
    pub manager: bool,
    pub administrator: bool,
    /// In one of the groups of `antispam.taught_by`.
    pub teacher: bool,
}

/// Who may do it, in an entry of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Whom it is about.
    Oneself,
    /// Of the unit of whom it is about.
    Correspondent,
    Manager,
    Administrator,
    /// One of `antispam.taught_by`.
    Teacher,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Oneself => "the person it is about",
            Role::Correspondent => "a correspondent of the unit",
            Role::Manager => "a mail manager",
            Role::Administrator => "a mail administrator",
            Role::Teacher => "one of those who teach the spam filter",
        })
    }
}

/// Whom an act is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Empty where that is unknown, or nobody.
    pub unit: &'a str,
    pub oneself: bool,
    /// What they hold themselves.
    pub held: &'a Held,
}

/// Of an act that is about nobody.
const NOTHING: &Held =
    &Held { correspondent_of: BTreeSet::new(), manager: false, administrator: false, teacher: false };

impl About<'static> {
    /// No person, or nobody that is known.
    pub const NOBODY: About<'static> = About { unit: "", oneself: false, held: NOTHING };
}

impl<'a> About<'a> {
    /// Everybody of a unit.
    pub fn unit(unit: &'a str) -> About<'a> {
        About { unit, oneself: false, held: NOTHING }
    }
}

/// Why it may not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAllowed {
    /// Only these may; nobody where there are none.
    Role(&'static [Role]),
    /// Nobody decides this for themselves.
    OwnCase,
    /// It would open the account of somebody who may do more.
    Higher,
}

impl fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAllowed::Role([]) => f.write_str("this is done on the server only"),
            NotAllowed::Role(roles) => {
                let names: Vec<String> = roles.iter().map(Role::to_string).collect();
                write!(f, "only {} may", names.join(" or "))
            }
            NotAllowed::OwnCase => f.write_str("nobody decides this for themselves: somebody else has to"),
            NotAllowed::Higher => f.write_str("this person holds a role of their own: only a mail administrator may"),
        }
    }
}

/// One row of the table.
struct Rule {
    roles: &'static [Role],
    /// Not about oneself, whatever one is.
    is_decision: bool,
    /// Whoever does it could use the account, or keep its owner from it.
    takes_hold: bool,
}

const fn by(roles: &'static [Role]) -> Rule {
    Rule { roles, is_decision: false, takes_hold: false }
}

const fn decided_by(roles: &'static [Role]) -> Rule {
    Rule { roles, is_decision: true, takes_hold: false }
}

const fn taken_hold_by(roles: &'static [Role]) -> Rule {
    Rule { roles, is_decision: true, takes_hold: true }
}

macro_rules! acts {
    ($($(#[$meta:meta])* $act:ident => $rule:expr,)+) => {
        /// What may be done. One that is about people of a unit is a correspondent's only for that unit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Act {
            $($(#[$meta])* $act,)+
        }

        impl Act {
            pub const ALL: &'static [Act] = &[$(Act::$act),+];

            fn rule(self) -> Rule {
                use Role::*;
                match self {
                    $(Act::$act => $rule,)+
                }
            }
        }
    };
}

acts! {
    /// What no role gives: work on the store and on backups, mailboxes of others as files.
    OperateMachine => by(&[]),
    /// Their own password, second factor, app passwords, requests.
    UseOwn => by(&[Oneself]),
    /// Find people by name, as in an address book.
    SearchAddressBook => by(&[Oneself, Correspondent, Manager, Administrator]),
    /// State, quota, profile, addresses, what was granted.
    SeePerson => by(&[Oneself, Correspondent, Manager, Administrator]),
    /// Last logins and sessions.
    SeeAccesses => by(&[Oneself, Correspondent, Manager, Administrator]),
    /// Which programs have a secret of their own, and taking that away.
    EndAppPasswords => by(&[Oneself, Correspondent, Manager, Administrator]),
    /// A new password, on a letter.
    ResetPassword => taken_hold_by(&[Correspondent, Manager, Administrator]),
    /// A second factor that was lost.
    EndSecondFactor => taken_hold_by(&[Manager, Administrator]),
    /// After too many failed logins.
    Unlock => by(&[Correspondent, Manager, Administrator]),
    /// A stolen account: everything that opens it is closed.
    Contain => taken_hold_by(&[Correspondent, Manager, Administrator]),
    UndoContain => taken_hold_by(&[Manager, Administrator]),
    /// Holds and locks on what somebody sends, and cases of detectors.
    SeeCompromise => by(&[Manager, Administrator]),
    LiftCompromise => decided_by(&[Manager, Administrator]),
    /// Add, change, remove, import people and aliases.
    ChangePeople => taken_hold_by(&[Administrator]),
    /// Functional addresses and their members: roles follow from them.
    ChangeFunctions => by(&[Administrator]),
    /// Suspend, resume, hold, close.
    ChangeState => taken_hold_by(&[Manager, Administrator]),
    ErasePerson => taken_hold_by(&[Administrator]),
    /// More room, until a day.
    GrantQuota => decided_by(&[Correspondent, Manager, Administrator]),
    /// Where mail of somebody may go on to.
    ApproveRedirect => decided_by(&[Correspondent, Manager]),
    /// Set one without a request.
    SetRedirect => decided_by(&[Manager]),
    EndRedirect => by(&[Oneself, Correspondent, Manager, Administrator]),
    SeeRedirects => by(&[Oneself, Correspondent, Manager, Administrator]),
    /// Who sends in somebody's name. The owner gives it, or a manager for them.
    Delegate => by(&[Oneself, Manager]),
    /// Who reads mailboxes of somebody.
    GrantRights => by(&[Oneself, Manager]),
    SeeRights => by(&[Oneself, Manager, Administrator]),
    SeeQuarantine => by(&[Manager]),
    ReleaseQuarantined => by(&[Manager]),
    PurgeQuarantined => by(&[Manager]),
    /// Delivered messages out of mailboxes, and back.
    TakeMessages => by(&[Manager]),
    SeeTeaching => by(&[Teacher, Manager]),
    Teach => by(&[Teacher]),
    SeeRecalls => by(&[Manager]),
    Recall => by(&[Manager]),
    SeeBlocks => by(&[Manager, Administrator]),
    Block => by(&[Manager]),
    /// Why something was refused, or where it went: what was decided about somebody.
    LookUpDecision => by(&[Oneself, Correspondent, Manager, Administrator]),
    /// The story of any message.
    LookUpMessage => by(&[Manager]),
    /// Commands and replies of somebody's sessions as they come.
    WatchSessions => by(&[Manager]),
    SeeQueue => by(&[Manager, Administrator]),
    ChangeQueue => by(&[Manager, Administrator]),
    Drain => by(&[Administrator]),
    /// Whose plans are taken, and who operates the machine from elsewhere.
    SeeControl => by(&[Administrator]),
    /// Bring a change of the plan keys that those who hold them signed; enrol the first, and say that an alarm was seen.
    ChangePlanKeys => by(&[Administrator]),
    /// Let somebody operate the machine from elsewhere.
    ChangeOperators => by(&[Administrator]),
    ReadAudit => by(&[Manager, Administrator]),
    SeeReports => by(&[Manager, Administrator]),
    SeeStatistics => by(&[Manager, Administrator]),
    /// How fresh the directory is.
    SeeDirectory => by(&[Manager, Administrator]),
    SyncDirectory => by(&[Administrator]),
    /// Lets a mass change go on that stopped to ask.
    AllowMassChange => by(&[Administrator]),
}

impl Act {
    /// Whose it is.
    pub fn roles(self) -> &'static [Role] {
        self.rule().roles
    }
}

impl Held {
    /// Is this somebody who may do anything for others?
    pub fn is_any(&self) -> bool {
        self.manager || self.administrator || self.teacher || !self.correspondent_of.is_empty()
    }

    fn is(&self, role: Role, about: About<'_>) -> bool {
        match role {
            Role::Oneself => about.oneself,
            Role::Correspondent => {
                let unit = unit_key(about.unit);
                !unit.is_empty() && self.correspondent_of.contains(&unit)
            }
            Role::Manager => self.manager,
            Role::Administrator => self.administrator,
            Role::Teacher => self.teacher,
        }
    }
}

/// May somebody who holds this do it? An act that is a decision is nobody's in their own case. One that could open an
/// account is, where its owner holds a role, only an administrator's: a correspondent does not become a manager by a reset
/// of the manager's password, and two managers are two people. Correspondents are users to managers.
pub fn allows(held: &Held, act: Act, about: About<'_>) -> Result<(), NotAllowed> {
    let rule = act.rule();
    if !rule.roles.iter().any(|role| held.is(*role, about)) {
        return Err(NotAllowed::Role(rule.roles));
    }
    if rule.is_decision && about.oneself {
        return Err(NotAllowed::OwnCase);
    }
    let may_more = about.held.manager || about.held.administrator || about.held.teacher;
    let is_peer = !about.held.correspondent_of.is_empty() && !held.manager;
    if rule.takes_hold && (may_more || is_peer) && !held.administrator {
        return Err(NotAllowed::Higher);
    }
    Ok(())
}

/// How a unit is spelled where units are compared: small letters, and one hyphen for what stands between words.
pub fn unit_key(unit: &str) -> String {
    unit.split_whitespace().collect::<Vec<_>>().join("-").to_lowercase()
}

/// The unit of a functional address of the form of `roles.correspondents`, as `Correspondant.{Unit}@univ-nantes.fr`; `None`
/// for another address.
pub fn unit_of_correspondents(form: &str, address: &str) -> Option<String> {
    let (form, address) = (form.to_lowercase(), address.to_lowercase());
    let (before, after) = form.split_once("{unit}")?;
    let unit = address.strip_prefix(before)?.strip_suffix(after)?;
    let is_one = !unit.is_empty() && !unit.contains('@');
    is_one.then(|| unit_key(unit))
}

#[cfg(test)]
mod tests;
