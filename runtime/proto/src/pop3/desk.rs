//! The store of a session in memory, for its law and its tests: what it answers is what a real one must.

use mail::Flags;
use mail::date::DateTime;
use mail::index::{Entry, Index};

use crate::pop3::question::{Answer, Maildrop, Question, Trouble};
use crate::sasl::{Claim, LoginFailure, Salt};

/// A mailbox in memory of somebody with the login `toto-j` and the password `secret`.
#[derive(Clone, Debug)]
pub struct Desk {
    /// UID and octets, ascending.
    pub messages: Vec<(u32, Vec<u8>)>,
    /// What every claim fails for.
    pub logins: Option<LoginFailure>,
    /// What questions fail for, once so many were answered.
    pub broken: Option<(Trouble, usize)>,
}

impl Desk {
    pub fn of(messages: &[&[u8]]) -> Desk {
        let messages = (1..).zip(messages).map(|(uid, octets)| (uid, octets.to_vec())).collect();
        Desk { messages, logins: None, broken: None }
    }

    pub fn answer(&mut self, question: &Question) -> Answer {
        match question {
            Question::Salt { .. } => {
                return Answer::Salt(Salt { octets: vec![7; 16], iterations: 4_096, nonce: "s".into() });
            }
            Question::Authenticate(claim) => return self.judge(claim),
            Question::Maildrop | Question::Read { .. } | Question::Update { .. } => {}
        }
        match &mut self.broken {
            Some((trouble, 0)) => {
                let trouble = *trouble;
                self.broken = None;
                return Answer::Failed(trouble);
            }
            Some((_, left)) => *left -= 1,
            None => {}
        }
        match question {
            Question::Read { uid, from, octets, .. } => self.read(*uid, *from, *octets),
            Question::Update { removed } => {
                self.messages.retain(|(uid, _)| !removed.contains(uid));
                Answer::Done
            }
            _ => Answer::Maildrop(Maildrop { uid_validity: 9, index: self.index() }),
        }
    }

    fn judge(&self, claim: &Claim) -> Answer {
        if let Some(failure) = self.logins.clone() {
            return Answer::NotAuthenticated(failure);
        }
        match claim {
            Claim::Password(it) if it.login == "toto-j" && it.secret.reveal() == "secret" => {
                Answer::Authenticated { server_signature: None }
            }
            Claim::Scram(_) => Answer::Authenticated { server_signature: Some(b"signed".to_vec()) },
            Claim::Password(_) | Claim::Token(_) => Answer::NotAuthenticated(LoginFailure::Wrong),
        }
    }

    fn index(&self) -> Index {
        let (flags, internal_date) = (Flags::default(), DateTime::utc(0));
        let mut index = Index::default();
        index.append(self.messages.iter().map(|(uid, octets)| Entry {
            uid: *uid,
            mod_seq: 1,
            flags: &flags,
            size_octets: octets.len() as u64,
            internal_date,
        }));
        index
    }

    fn read(&self, uid: u32, from: u64, octets: usize) -> Answer {
        let found = self.messages.iter().find(|(of, _)| *of == uid).map(|(_, octets)| octets.as_slice());
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let part = found.map(|whole| whole.get(from..from.saturating_add(octets)));
        match part {
            Some(Some(part)) => Answer::Octets(part.to_vec()),
            Some(None) => panic!("more octets are asked for than message {uid} has"),
            None => Answer::Failed(Trouble::Gone),
        }
    }
}
