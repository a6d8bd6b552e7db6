//! The steps of a plan on a whole content, in order, as the server takes them.

use std::collections::BTreeSet;

use decide::{
    AntivirusVerdict, Block, Client, ContentDirection, DomainKind, EngineResult, Fate, FromClaim, Refusal, SpamVerdict,
    Step, Tables, Unaligned,
};

use mail::Address;

use super::got::{End, Stopped};

/// What the steps look at.
pub struct Content<'c> {
    pub engines: &'c [(String, EngineResult)],
    /// The total of the spam passes.
    pub score_thousandths: i64,
    pub claim: FromClaim,
}

/// What becomes of a message whose form is sound: how it ended, or the refusal at the final dot.
pub fn steps(
    tables: &Tables,
    client: &Client,
    block: Block,
    content: &Content<'_>,
    hits: &mut BTreeSet<String>,
) -> Result<End, Refusal> {
    let direction = ContentDirection::of(block, client.account.is_some());
    let (mut accepted, mut rescan, mut tagged, mut told) = (false, false, None, plan::Tell::Nobody);
    for step in decide::steps(tables.plan(), direction) {
        match step {
            Step::Earlier | Step::Filters | Step::Redirect => {}
            Step::Accept => accepted = true,
            Step::Authenticate => match decide::authenticate(tables, content.claim) {
                Unaligned::Pass => {}
                Unaligned::Tag(rule) => tagged = Some(rule),
                Unaligned::Refuse(refusal) => return refused(tables, refusal, accepted, hits),
            },
            Step::Antispam => match decide::antispam(tables, content.score_thousandths) {
                SpamVerdict::Pass => {}
                SpamVerdict::Tag(rule) => tagged = Some(rule),
                SpamVerdict::Refuse(refusal) => return refused(tables, refusal, accepted, hits),
            },
            Step::Antivirus if !decide::is_scanned(tables, direction) => {}
            Step::Antivirus => match decide::antivirus(tables, direction, content.engines) {
                AntivirusVerdict::Pass { rescan: owed, tell } => {
                    rescan |= owed;
                    told = tell;
                    hits.extend(owed.then(|| "antivirus.engine_down".to_owned()));
                    let suspect = content.engines.iter().any(|(_, said)| matches!(said, EngineResult::Suspect(_)));
                    hits.extend(suspect.then(|| suspect_rule(direction).to_owned()));
                }
                AntivirusVerdict::Stop(fate) => return stopped(tables, fate, accepted, hits),
            },
            Step::Place => {
                hits.extend(tagged.map(str::to_owned));
                return Ok(End::Delivered { rescan, tagged: tagged.is_some(), told });
            }
        }
    }
    // Steps without `Deliver` or `Route` keep nothing.
    let told = plan::Tell::Nobody;
    let (reply, recorded) = (mail::reply::CONTENT_OK.basic, record(tables, Some(plan::Loss::NotDelivered)));
    Ok(End::Dropped(Stopped { told, reply, recorded, by: String::new() }))
}

/// What a header From with this address says of where the message is from.
pub fn claim(tables: &Tables, from: Option<&Address>, aligned: bool) -> FromClaim {
    let ours = from.is_some_and(|from| tables.domain(from.domain()) != DomainKind::NotOurs);
    match (ours, aligned) {
        (false, _) => FromClaim::Another,
        (true, true) => FromClaim::OursAligned,
        (true, false) => FromClaim::OursNotAligned,
    }
}

/// The rule that lets a suspect message pass.
fn suspect_rule(direction: ContentDirection) -> &'static str {
    match direction {
        ContentDirection::Inbound => "antivirus.inbound.suspect",
        ContentDirection::FromPerson => "antivirus.outbound_from_person.suspect",
        ContentDirection::FromMachine => "antivirus.outbound_from_machine.suspect",
    }
}

fn record(tables: &Tables, loss: Option<plan::Loss>) -> Option<plan::Loss> {
    loss.filter(|loss| tables.plan().losses.record.contains(loss))
}

/// A refusal; behind `Accept` the message is kept instead.
fn refused(tables: &Tables, refusal: Refusal, accepted: bool, hits: &mut BTreeSet<String>) -> Result<End, Refusal> {
    hits.insert(refusal.rule.clone());
    if !accepted {
        return Err(refusal);
    }
    let loss = refusal.reason.loss().unwrap_or(plan::Loss::NotDelivered);
    let (told, reply, by) = (plan::Tell::Nobody, mail::reply::CONTENT_OK.basic, refusal.rule);
    Ok(End::Quarantined(Stopped { told, reply, recorded: record(tables, Some(loss)), by }))
}

fn stopped(tables: &Tables, fate: Fate, accepted: bool, hits: &mut BTreeSet<String>) -> Result<End, Refusal> {
    hits.insert(fate.rule.clone());
    if let Some(refusal) = fate.refusal {
        return refused(tables, refusal, accepted, hits);
    }
    let recorded = record(tables, Some(fate.loss));
    let stopped = Stopped { told: fate.tell, reply: mail::reply::CONTENT_OK.basic, recorded, by: fate.rule };
    Ok(if fate.quarantine { End::Quarantined(stopped) } else { End::Dropped(stopped) })
}
