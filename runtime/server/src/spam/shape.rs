//! What a judgement makes of the copies of a message: lines in front, and the tag inside.

use std::sync::Arc;

use mail::tag;
use queue::MessageFacts;

use super::{Judgement, fields};
use crate::content::Content;
use crate::drive::Open;
use crate::service::Service;

/// A message as some of its copies have it.
#[derive(Clone)]
pub struct Shape {
    /// Whole lines that go in front, with those of the server.
    pub lines: Vec<u8>,
    pub content: Arc<Content>,
}

/// The shapes of one message.
pub struct Shapes {
    /// Of what stays.
    pub here: Shape,
    /// Of what leaves the house; `None` when it is the same.
    pub away: Option<Shape>,
    /// Without any mark.
    pub plain: Shape,
}

impl Shape {
    fn plain(content: &Arc<Content>) -> Shape {
        Shape { lines: Vec::new(), content: content.clone() }
    }
}

impl Shapes {
    /// Is there any mark on it at all?
    pub fn is_marked(&self) -> bool {
        !self.here.lines.is_empty()
    }

    pub fn away(&self) -> &Shape {
        self.away.as_ref().unwrap_or(&self.here)
    }

    /// `start` is the beginning of `content`, with its header section. `unaligned` is the rule by which it is tagged for
    /// what its From claims.
    pub fn of(
        service: &Service,
        judgement: Option<&Judgement>,
        unaligned: Option<&str>,
        content: &Arc<Content>,
        start: &[u8],
    ) -> Shapes {
        let plain = Shape::plain(content);
        if judgement.is_none() && unaligned.is_none() {
            return Shapes { here: plain.clone(), away: None, plain };
        }
        let (lines, tagged) = lines(service, judgement, unaligned);
        let edit = service.spam.tag.as_ref().filter(|_| tagged).and_then(|tag| tag::edit(start, tag));
        let mut here = Shape { lines: lines.into_bytes(), content: content.clone() };
        if let Some(edit) = edit {
            here.lines.extend(edit.front);
            if let Some(insertion) = edit.insertion {
                here.content = Arc::new(Content::with(content, insertion));
            }
        }
        let away = (!decide::tags_what_leaves(&service.tables)).then(|| plain.clone());
        Shapes { here, away, plain }
    }
}

/// What the spool keeps of the marks of a message whose copies are made later: fields, and whether it is tagged.
pub fn kept(service: &Service, open: &Open) -> (String, bool) {
    if open.judgement.is_none() && open.authenticated.tagged.is_none() {
        return (String::new(), false);
    }
    lines(service, open.judgement.as_ref(), open.authenticated.tagged)
}

/// The message with the marks that were kept.
pub fn marked(service: &Service, facts: &MessageFacts, message: Vec<u8>) -> Vec<u8> {
    if facts.spam_fields.is_empty() {
        return message;
    }
    let edit = service.spam.tag.as_ref().filter(|_| facts.spam_tagged).and_then(|tag| tag::edit(&message, tag));
    let tagged = edit.map(|edit| edit.made(&message)).unwrap_or(message);
    [facts.spam_fields.as_bytes(), &tagged].concat()
}

/// The fields of ours, and whether the message is tagged.
fn lines(service: &Service, judgement: Option<&Judgement>, unaligned: Option<&str>) -> (String, bool) {
    let threshold = service.tables.plan().antispam.as_ref().map_or(0, |rules| rules.tag_below_thousandths);
    let tagged_by: Vec<&str> = judgement.and_then(|judgement| judgement.tagged).into_iter().chain(unaligned).collect();
    // Mail whose From alone speaks against it was judged by no pass.
    let nothing = Judgement { passes: Vec::new(), total: None, tagged: None, plan: service.plan.clone() };
    (fields::written(judgement.unwrap_or(&nothing), threshold, &tagged_by), !tagged_by.is_empty())
}
