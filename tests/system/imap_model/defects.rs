//! Defects put in on purpose, between the server and one client: the model has to find each.

use super::told::{FLAGS, Told, told};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// An EXPUNGE or VANISHED response does not come.
    LostExpunge,
    /// A MODSEQ is one too large.
    ModSeqOff,
    /// One flag stands for another.
    FlagSwapped,
    /// An EXISTS comes a second time, when it is no longer true.
    LateExists,
    /// A FETCH response names the next message.
    NumberOff,
}

/// Every fifth response that can be harmed is: a server with a defect does not have it once.
const EVERY: u64 = 5;

/// Sits between the server and a client.
#[derive(Debug)]
pub struct Harm {
    defect: Defect,
    /// An EXISTS line that was true once.
    old: Option<(usize, Vec<u8>)>,
    chances: u64,
    /// It did some.
    pub done: bool,
}

impl Harm {
    pub fn new(defect: Defect) -> Harm {
        Harm { defect, old: None, chances: 0, done: false }
    }

    /// The untagged response as it reaches the client: none, one or two.
    pub fn pass(&mut self, line: Vec<u8>) -> Vec<Vec<u8>> {
        let is = told(&line);
        let text = String::from_utf8_lossy(&line).into_owned();
        let harmed = match (self.defect, is) {
            (Defect::LostExpunge, Ok(Told::Expunge(_) | Told::Vanished { earlier: false, .. })) => Some(Vec::new()),
            (Defect::ModSeqOff, Ok(Told::Fetch(it))) => it.mod_seq.map(|mod_seq| {
                vec![text.replace(&format!("MODSEQ ({mod_seq})"), &format!("MODSEQ ({})", mod_seq + 1)).into_bytes()]
            }),
            (Defect::FlagSwapped, Ok(Told::Fetch(it))) => it.flags.filter(|bits| *bits != 0).map(|bits| {
                let from = FLAGS[bits.trailing_zeros() as usize];
                let to = FLAGS[bits.trailing_ones().max(1) as usize % FLAGS.len()];
                let to = if from == to { FLAGS[0] } else { to };
                vec![text.replacen(from, to, 1).into_bytes()]
            }),
            (Defect::NumberOff, Ok(Told::Fetch(it))) => {
                let rest = text.split_once(' ').map(|(_, rest)| rest).unwrap_or_default();
                Some(vec![format!("{} {rest}", it.number + 1).into_bytes()])
            }
            (Defect::LateExists, Ok(Told::Exists(count))) => match self.old.take() {
                Some((before, old)) if before != count => Some(vec![line.clone(), old]),
                _ => {
                    self.old = Some((count, line.clone()));
                    None
                }
            },
            _ => None,
        };
        let Some(harmed) = harmed.filter(|harmed| *harmed != [line.clone()]) else { return vec![line] };
        self.chances += 1;
        if !self.chances.is_multiple_of(EVERY) {
            return vec![line];
        }
        self.done = true;
        harmed
    }
}
