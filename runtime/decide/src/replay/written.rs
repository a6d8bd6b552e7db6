//! A log written anew while it is replayed.

use std::collections::HashMap;

use crate::envelope::RecipientClass;
use crate::facts::{End, Facts, Judged, Recorder};
use crate::reason::Refusal;
use crate::rings::Tick;

#[derive(Debug, Default)]
pub(super) struct Written {
    open: HashMap<u32, Recorder>,
    pub rows: Vec<Facts>,
}

impl Written {
    pub fn mail(&mut self, row: u32, facts: &Facts, plan: &str, grant: Option<u32>, refused: Option<&Refusal>) {
        let mail = refused.map(Judged::from);
        let is_over = mail.is_some() || facts.end.is_none();
        let facts = Facts { plan: plan.to_owned(), grant, mail, recipients: Vec::new(), end: None, ..facts.clone() };
        if is_over {
            self.rows.push(facts);
        } else {
            self.open.insert(row, Recorder::new(facts));
        }
    }

    pub fn recipient(
        &mut self,
        row: u32,
        (turn, now): (u64, Tick),
        to: RecipientClass,
        address: &str,
        refused: Option<Judged>,
    ) {
        if let Some(recorder) = self.open.get_mut(&row) {
            recorder.recipient(turn, now, to, address, refused);
        }
    }

    pub fn end(&mut self, row: u32, (turn, now): (u64, Tick), end: End, accepted: bool) {
        if let Some(mut recorder) = self.open.remove(&row) {
            *recorder.content() = end;
            self.rows.push(recorder.end(turn, now, accepted));
        }
    }
}
