//! External scorers: what Rspamd, spamd or a milter of the site says of a message, turned to our sign.
//!
//! A scorer has a score and a threshold of its own. Ours is how far the one is from the other, or its score where it names
//! no threshold: below 0 is spam, exactly at the threshold is 0, and what the scorer itself calls spam is always below. No
//! score is no verdict: the mail goes on.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mail::{Address, ReversePath};
use plan::{At, Does, Plan, ScoreSign};
use proto::scan::milter::Score;
use proto::scan::report::Report;
use tokio::sync::Semaphore;

use super::breaker::Breaker;
use super::octets::Octets;
use super::place::Place;
use super::{is_late, milter, rspamd, spamd};
use crate::content::Content;
use crate::service::Service;
use crate::site::Site;

/// What a bare word of a scorer weighs, in thousandths: it calls a message spam, or refuses it, and says no figure.
const WORD_THOUSANDTHS: i64 = 10_000;

/// The scorers of the plan that are reached over a socket.
#[derive(Debug, Default)]
pub struct Scorers(BTreeMap<String, Scorer>);

#[derive(Debug)]
struct Scorer {
    speaks: Speaks,
    place: Place,
    says: ScoreSign,
    /// Of one message, waiting for a place included.
    deadline: Duration,
    /// Messages it looks at at the same time.
    places: Semaphore,
    started: Instant,
    breaker: Mutex<Breaker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaks {
    Milter,
    Rspamd,
    Spamd,
}

impl Scorers {
    /// Those a stand-in of the site takes the place of are not asked: none of them gives a score.
    pub fn of(plan: &Plan, site: &Site) -> Scorers {
        let scorers = plan.scanners.iter().filter(|(_, scanner)| scanner.does == Does::SpamScore);
        let external = scorers.filter(|(name, _)| !site.scanners.contains_key(*name));
        let scorers = external.filter_map(|(name, scanner)| {
            let (speaks, at) = match &scanner.at {
                At::Milter(at) => (Speaks::Milter, at),
                At::Rspamd(at) => (Speaks::Rspamd, at),
                At::Spamd(at) => (Speaks::Spamd, at),
                At::Icap(_) | At::Clamd(_) | At::Command(_) | At::BuiltIn(_) => return None,
            };
            let at_once = usize::try_from(scanner.at_once).unwrap_or(1).max(1);
            let deadline = Duration::from_secs(scanner.deadline_s);
            Some((name.clone(), Scorer::new(speaks, Place::of(at, site), scanner.says, deadline, at_once)))
        });
        Scorers(scorers.collect())
    }
}

/// What a scorer may be told of the session. The message alone is not all: lists in DNS and SPF are judged by these.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Behind a trusted upstream hop the client it told.
    pub client: IpAddr,
    /// What it said in HELO or EHLO.
    pub hello: Option<&'a str>,
    /// Our name on the listener.
    pub host: &'a str,
    pub login: Option<&'a str>,
    pub reverse_path: &'a ReversePath,
    pub recipients: Vec<&'a Address>,
    pub queue_id: &'a str,
}

/// A score in thousandths of a point: below 0 is spam, above 0 looks correct (guide §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    pub thousandths: i64,
    /// Rules of the scorer that fired, with their share under our sign, or 0 where it was not told.
    pub detail: Vec<(String, i64)>,
}

/// Why there is no score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoScore {
    /// The plan has no scorer of this name that this build speaks to.
    Unknown,
    /// The deadline passed.
    Late,
    /// It gave none several times in a row; messages do not wait for it until one that is due to try finds it back.
    Down,
    /// No connection, or it ended early.
    Unreachable(String),
    /// It says that it cannot judge this message.
    Refused(String),
    /// What it said is not its protocol, or cannot be so.
    Unbelievable(String),
}

impl From<io::Error> for NoScore {
    fn from(error: io::Error) -> NoScore {
        match error.kind() {
            io::ErrorKind::TimedOut => NoScore::Late,
            _ => NoScore::Unreachable(error.to_string()),
        }
    }
}

/// Asks the scorer that the plan calls `name`.
pub async fn score(service: &Service, name: &str, content: &Content, facts: &Facts<'_>) -> Result<Scored, NoScore> {
    service.scorers.0.get(name).ok_or(NoScore::Unknown)?.ask(content, facts).await
}

impl Scorer {
    fn new(speaks: Speaks, place: Place, says: ScoreSign, deadline: Duration, at_once: usize) -> Scorer {
        let (places, started, breaker) = (Semaphore::new(at_once), Instant::now(), Mutex::default());
        Scorer { speaks, place, says, deadline, places, started, breaker }
    }

    async fn ask(&self, content: &impl Octets, facts: &Facts<'_>) -> Result<Scored, NoScore> {
        let now = self.started.elapsed();
        let asks = |breaker: &mut Breaker| breaker.asks() || breaker.takes_probe(now);
        if !asks(&mut self.breaker()) {
            return Err(NoScore::Down);
        }
        let until = tokio::time::Instant::now() + self.deadline;
        let Ok(place) = tokio::time::timeout_at(until, self.places.acquire()).await else { return Err(NoScore::Late) };
        // Closed by nobody.
        let _place = place.map_err(|_| NoScore::Unknown)?;
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        let scored = tokio::time::timeout(left, self.question(content, facts)).await;
        let scored = scored.unwrap_or(Err(NoScore::Late));
        match &scored {
            // Others were before it, and it is not to blame.
            Err(NoScore::Late) if is_late(left, self.deadline) => {}
            // Who says that it cannot judge this message is well.
            Ok(_) | Err(NoScore::Refused(_)) => {
                if let Some(down_for) = self.breaker().worked(self.started.elapsed()) {
                    tracing::info!(down_for_s = down_for.as_secs(), "the scorer gives scores again");
                }
            }
            Err(why) => {
                if self.breaker().failed(self.started.elapsed()) {
                    tracing::error!(?why, at = ?self.place, "the scorer gives no score");
                }
            }
        }
        scored
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn question(&self, content: &impl Octets, facts: &Facts<'_>) -> Result<Scored, NoScore> {
        let said = match self.speaks {
            Speaks::Milter => milter::ask(&self.place, content, facts).await?,
            Speaks::Rspamd => Score::Figures(rspamd::ask(&self.place, content, facts).await?),
            Speaks::Spamd => Score::Figures(spamd::ask(&self.place, content, facts).await?),
        };
        match said {
            Score::Figures(report) => Ok(turned(report, self.says)),
            Score::Word { is_spam: true } => Ok(Scored { thousandths: -WORD_THOUSANDTHS, detail: Vec::new() }),
            Score::Word { is_spam: false } => Ok(Scored { thousandths: 0, detail: Vec::new() }),
            Score::NoVerdict(why) => Err(NoScore::Refused(why)),
        }
    }
}

/// A report under our sign.
fn turned(report: Report, says: ScoreSign) -> Scored {
    let ours = |thousandths: i64| match says {
        ScoreSign::PositiveIsSpam => -thousandths,
        ScoreSign::NegativeIsSpam => thousandths,
    };
    let distance = ours(report.score - report.threshold.unwrap_or_default());
    let thousandths = match report.is_spam {
        // Its own word counts where it rounds, or has several thresholds.
        Some(true) => distance.min(-1),
        Some(false) => distance.max(0),
        None => distance,
    };
    Scored { thousandths, detail: report.rules.into_iter().map(|(rule, share)| (rule, ours(share))).collect() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::hostile::{self, Act};
    use super::*;

    /// Shows `content` to a scanner that acts like this.
    pub async fn check(speaks: Speaks, content: &[u8], acts: Vec<Act>, expected: Result<Scored, NoScore>) {
        let place = hostile::scanner(acts.clone()).await;
        // Only those that are to reach it have a short one.
        let deadline =
            if expected == Err(NoScore::Late) { Duration::from_millis(400) } else { Duration::from_secs(60) };
        let says = ScoreSign::PositiveIsSpam;
        let scorer = Scorer::new(speaks, place, says, deadline, 1);
        let recipient: Address = "b@example.org".parse().unwrap();
        let scored = scorer.ask(&content.to_vec(), &facts(&recipient)).await;
        // The words of a system or a library are its own.
        let told = match scored {
            Err(NoScore::Unreachable(_)) => unreachable(),
            Err(NoScore::Unbelievable(_)) => unbelievable(),
            other => other,
        };
        assert_eq!(told, expected, "{acts:?}");
    }

    fn facts(recipient: &Address) -> Facts<'_> {
        Facts {
            client: "192.0.2.7".parse().unwrap(),
            hello: Some("client.example"),
            host: "mx.example.org",
            login: Some("toto-j"),
            reverse_path: &ReversePath::Null,
            recipients: vec![recipient],
            queue_id: "0123",
        }
    }

    pub fn judged(thousandths: i64, detail: &[(&str, i64)]) -> Result<Scored, NoScore> {
        let detail = detail.iter().map(|(rule, share)| (rule.to_string(), *share)).collect();
        Ok(Scored { thousandths, detail })
    }

    pub fn unreachable() -> Result<Scored, NoScore> {
        Err(NoScore::Unreachable(String::new()))
    }

    pub fn unbelievable() -> Result<Scored, NoScore> {
        Err(NoScore::Unbelievable(String::new()))
    }

    #[test]
    fn low_is_spam_whichever_way_the_scorer_counts() {
        use ScoreSign::{NegativeIsSpam, PositiveIsSpam};
        for (is_spam, score, threshold, says, expected) in [
            (Some(true), 1_000_000, Some(5_000), PositiveIsSpam, -995_000),
            (Some(false), -100, Some(5_000), PositiveIsSpam, 5_100),
            // Some points, and still no spam to the scorer.
            (Some(false), 4_000, Some(5_000), PositiveIsSpam, 1_000),
            // It rounds what it shows.
            (Some(true), 5_000, Some(5_000), PositiveIsSpam, -1),
            (Some(false), 5_000, Some(5_000), PositiveIsSpam, 0),
            // It marks from 6 on and shows the 15 it refuses at.
            (Some(true), 8_000, Some(15_000), PositiveIsSpam, -1),
            (None, 3_000, None, PositiveIsSpam, -3_000),
            (None, -3_000, None, NegativeIsSpam, -3_000),
            (Some(true), -9_000, Some(-5_000), NegativeIsSpam, -4_000),
            (Some(false), 0, Some(-5_000), NegativeIsSpam, 5_000),
        ] {
            let report = Report { is_spam, score, threshold, rules: vec![("RULE".to_owned(), score)] };
            let scored = turned(report, says);
            assert_eq!(scored.thousandths, expected, "{is_spam:?} {score} of {threshold:?}, {says:?}");
            let share = if says == PositiveIsSpam { -score } else { score };
            assert_eq!(scored.detail, [("RULE".to_owned(), share)]);
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_a_scorer_that_failed_three_times_in_a_row() {
        let place = hostile::scanner(vec![]).await;
        let scorer = Scorer::new(Speaks::Spamd, place, ScoreSign::PositiveIsSpam, Duration::from_secs(60), 1);
        let recipient: Address = "b@example.org".parse().unwrap();
        let (message, facts) = (b"Subject: x\r\n\r\n".to_vec(), facts(&recipient));
        let ask = || scorer.ask(&message, &facts);
        // From then on it is tried again in an hour and two seconds.
        let failed = || scorer.breaker().failed(Duration::from_secs(3_600));
        failed();
        assert!(matches!(ask().await, Err(NoScore::Unreachable(_))), "it closes at once");
        failed();
        assert_eq!(ask().await, Err(NoScore::Down));
        scorer.breaker().worked(Duration::from_secs(3_600));
        assert!(matches!(ask().await, Err(NoScore::Unreachable(_))), "it is asked again");
    }
}
