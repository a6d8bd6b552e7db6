//! What a policy makes of the scores of a message.

use decide::{SpamVerdict, Tables, antispam, spam_total};
use plan::{At, BuiltInPass, Plan, TagTotal};

pub struct Verdict {
    pub word: &'static str,
    pub says: String,
}

/// `None` where the policy has no spam filter; `learned` is `None` where nobody was asked. The server decides in the same way.
pub fn verdict(tables: &Tables, form: i64, learned: Option<i64>) -> Option<Verdict> {
    let plan = tables.plan();
    let rules = plan.antispam.as_ref()?;
    let scores: Vec<Option<i64>> = rules
        .passes
        .iter()
        .map(|name| match built_in(plan, name) {
            Some(BuiltInPass::Form) => Some(form),
            Some(BuiltInPass::Learned) => learned,
            None => None,
        })
        .collect();
    let Some(total) = spam_total(tables, &scores) else {
        return Some(Verdict { word: "not-asked", says: "the policy asks none of these passes".to_owned() });
    };
    let silent = rules.passes.iter().zip(&scores).filter(|(_, score)| score.is_none());
    let silent: Vec<&str> = silent.map(|(name, _)| name.as_str()).collect();
    let beside = match (silent.is_empty(), rules.total) {
        (true, _) => String::new(),
        (false, TagTotal::Sum) => format!(" ({} is not asked here, and is added)", silent.join(" and ")),
        (false, TagTotal::Lowest) => format!(" ({} is not asked here, and may be lower)", silent.join(" or ")),
    };
    let of = format!("at {}", decimal(total).trim());
    let (word, says) = match antispam(tables, total) {
        SpamVerdict::Refuse(_) => {
            ("refused", format!("the policy refuses it {of}{}", below(rules.refuse_below_thousandths)))
        }
        SpamVerdict::Tag(_) => {
            ("tagged", format!("the policy tags it {of}{}", below(Some(rules.tag_below_thousandths))))
        }
        SpamVerdict::Pass => ("untouched", format!("the policy leaves it as it is {of}")),
    };
    Some(Verdict { word, says: says + &beside })
}

fn below(bound: Option<i64>) -> String {
    match bound {
        None => String::new(),
        Some(0) => ", below 0".to_owned(),
        Some(bound) => format!(", below {}", decimal(bound).trim()),
    }
}

fn built_in(plan: &Plan, name: &str) -> Option<BuiltInPass> {
    match plan.scanners.get(name)?.at {
        At::BuiltIn(pass) => Some(pass),
        _ => None,
    }
}

/// Thousandths as people write them: `+1.000`.
pub fn decimal(thousandths: i64) -> String {
    let sign = if thousandths < 0 { '-' } else { '+' };
    let size = thousandths.unsigned_abs();
    format!("{:>9}", format!("{sign}{}.{:03}", size / 1_000, size % 1_000))
}
