use std::net::Ipv4Addr;

use plan::Reaction;
use proptest::prelude::*;

use super::*;
use crate::rings::TICKS_PER_S;

fn window(max: u32, width_s: u32) -> Window {
    Window { max, width_s }
}

fn detectors(when: &[(&str, Sign)]) -> BTreeMap<String, Detector> {
    let one = |(name, when): &(&str, Sign)| ((*name).to_owned(), Detector { when: *when, then: vec![Reaction::Alert] });
    when.iter().map(one).collect()
}

/// One account under a virtual clock.
struct Watched {
    detectors: BTreeMap<String, Detector>,
    rings: Rings,
    networks: Networks,
    now: Tick,
}

impl Watched {
    fn by(when: &[(&str, Sign)]) -> Watched {
        let (rings, networks) = (Rings::default(), Networks::default());
        Watched { detectors: detectors(when), rings, networks, now: Tick(1_000_000) }
    }

    fn does(&mut self, who: &str, deed: Deed<'_>) -> Vec<String> {
        let login = Login::new(who).unwrap();
        let tripped = signs(&self.detectors, &mut self.rings, &mut self.networks, &login, deed, self.now);
        tripped.into_iter().map(|one| one.detector).collect()
    }

    /// The number of the first `deed`, one each `every_s`, that sets anything off.
    fn first(&mut self, deed: Deed<'_>, every_s: u32, times: u32) -> Option<u32> {
        (1..=times).find(|_| {
            self.now = self.now.after_s(every_s);
            !self.does("toto-j", deed).is_empty()
        })
    }
}

fn v4(a: u8, b: u8, c: u8) -> Deed<'static> {
    Deed::LoggedIn { from: Ipv4Addr::new(a, b, c, 1).into() }
}

#[test]
fn the_forty_first_new_recipient_within_a_quarter_of_an_hour_sets_it_off() {
    let by = [("first-time", Sign::FirstTimeRecipients(window(40, 900)))];
    assert_eq!(Watched::by(&by).first(Deed::FirstTime, 0, 250), Some(41));
    assert_eq!(Watched::by(&by).first(Deed::FirstTime, 22, 250), Some(41), "41 in 880 s");
    assert_eq!(Watched::by(&by).first(Deed::FirstTime, 60, 1_500), None, "who sends one a minute stays below");
    let mut two = Watched::by(&[by[0], ("slow", Sign::FirstTimeRecipients(window(200, 86_400)))]);
    assert_eq!(two.first(Deed::FirstTime, 60, 1_500), Some(201), "and is seen by a wider window");
}

#[test]
fn a_detector_that_went_off_begins_anew_and_accounts_are_apart() {
    let mut watched = Watched::by(&[("bounces", Sign::Bounces(window(2, 3_600)))]);
    assert_eq!(watched.first(Deed::Bounced, 1, 10), Some(3));
    assert_eq!(watched.first(Deed::Bounced, 1, 10), Some(3));
    assert_eq!(watched.first(Deed::Bounced, 1, 2), None);
    assert!(watched.does("dupont-a", Deed::Bounced).is_empty());
    assert_eq!(watched.does("TOTO-J", Deed::Bounced), ["bounces"], "a login is one however it is typed");
}

#[test]
fn the_same_limit_again_is_news_after_a_quarter_of_an_hour() {
    let by = [("limit-trips", Sign::LimitTrips(window(3, 3_600)))];
    let rule = "may_send.person-outside.recipients_attempted/15min";
    assert_eq!(Watched::by(&by).first(Deed::LimitTripped(rule), 1, 800), None, "a program that tries again");
    assert_eq!(Watched::by(&by).first(Deed::LimitTripped(rule), 900, 20), Some(4), "the window is full all the time");
    let mut watched = Watched::by(&by);
    let hit = |n: u32, watched: &mut Watched| watched.does("toto-j", Deed::LimitTripped(&format!("rule{n}")));
    assert!((0..3).all(|n| hit(n, &mut watched).is_empty()));
    assert_eq!(hit(3, &mut watched), ["limit-trips"]);
}

#[test]
fn a_share_of_refused_recipients_counts_from_so_many_on() {
    let by = [("refused", Sign::RefusedRecipients { share_percent: 30, of_at_least: 20, within_s: 900 })];
    assert_eq!(Watched::by(&by).first(Deed::Asked { refused: true }, 0, 100), Some(20));
    assert_eq!(Watched::by(&by).first(Deed::Asked { refused: false }, 0, 3_000), None);
    let mut mixed = Watched::by(&by);
    let ask =
        |n: u32, mixed: &mut Watched, each: u32| mixed.does("toto-j", Deed::Asked { refused: n.is_multiple_of(each) });
    assert!((1..=100).all(|n| ask(n, &mut mixed, 4).is_empty()), "one of four is less than 30 %");
    let mut mixed = Watched::by(&by);
    assert_eq!((1..=100).find(|n| !ask(*n, &mut mixed, 3).is_empty()), Some(20), "6 of 20 are 30 %");
}

#[test]
fn a_train_is_a_few_networks_and_a_seventh_one_within_an_hour_is_seen() {
    let by = [("networks", Sign::Networks(window(6, 3_600)))];
    let mut watched = Watched::by(&by);
    assert!((0..250).all(|n| watched.does("toto-j", v4(203, 0, n)).is_empty()), "one /16");
    assert!((1..6).all(|n| watched.does("toto-j", v4(203, n, 0)).is_empty()));
    assert_eq!(watched.does("toto-j", v4(203, 6, 0)), ["networks"]);
    let mut slow = Watched::by(&by);
    let each = |n: u8, slow: &mut Watched| {
        slow.now = slow.now.after_s(600);
        slow.does("toto-j", v4(203, n, 0)).is_empty()
    };
    assert!((0..250).all(|n| each(n, &mut slow)), "one each ten minutes are six in an hour");
    let six = |text: &str| Deed::LoggedIn { from: text.parse().unwrap() };
    let mut watched = Watched::by(&[("networks", Sign::Networks(window(1, 3_600)))]);
    assert!(watched.does("toto-j", six("2001:db8:1::1")).is_empty());
    assert!(watched.does("toto-j", six("2001:db8:2::1")).is_empty(), "one /32");
    assert_eq!(watched.does("toto-j", six("2001:db9::1")), ["networks"]);
}

#[test]
fn networks_of_before_a_restart_count_and_what_went_off_does_not_go_off_again() {
    let by = [("networks", Sign::Networks(window(6, 3_600)))];
    let seen = |ages: &[u32]| {
        let mut watched = Watched::by(&by);
        let from = |(n, age): (u8, &u32)| (Ipv4Addr::new(203, n, 0, 1).into(), watched.now.before_s(*age));
        let from: Vec<(IpAddr, Tick)> = (0..).zip(ages).map(from).collect();
        recall(&watched.detectors, &mut watched.networks, &Login::new("Toto-J").unwrap(), &from, watched.now);
        watched
    };
    assert_eq!(seen(&[0, 60, 600, 900, 1_800, 3_599]).does("toto-j", v4(198, 51, 0)), ["networks"]);
    assert!(seen(&[0, 60, 600, 900, 1_800, 3_601]).does("toto-j", v4(198, 51, 0)).is_empty(), "one is too old");
    assert!(seen(&[0; 7]).networks.is_empty(), "seven went off before");
    let mut watched = seen(&[1, 2]);
    recall(&watched.detectors, &mut watched.networks, &Login::new("toto-j").unwrap(), &[], watched.now);
    assert_eq!(watched.networks.len(), 1);
}

#[test]
fn a_redirect_to_the_outside_is_a_sign_by_itself() {
    let mut watched = Watched::by(&[("redirect", Sign::NewExternalRedirect)]);
    assert_eq!(watched.does("toto-j", Deed::Redirected), ["redirect"]);
    assert!(watched.does("toto-j", Deed::FirstTime).is_empty());
}

#[test]
fn what_is_quiet_costs_nothing() {
    let mut watched = Watched::by(&[("networks", Sign::Networks(window(6, 3_600)))]);
    for who in 0..1_000 {
        watched.does(&format!("user{who}"), v4(203, 0, 0));
    }
    assert_eq!(watched.networks.len(), 1_000);
    watched.networks.sweep(watched.now.after_s(86_401));
    assert!(watched.networks.is_empty());
    let mut many =
        Watched::by(&[("refused", Sign::RefusedRecipients { share_percent: 100, of_at_least: 20, within_s: 86_400 })]);
    assert_eq!(many.first(Deed::Asked { refused: false }, 0, 10_000), None);
    assert_eq!(many.rings.len(), 1, "no ring for what was not refused");
}

/// The definition, by a list of everything that happened.
#[derive(Default)]
struct Naive {
    events: Vec<(u32, u8)>,
}

impl Naive {
    fn within(&self, now: u32, width_s: u32) -> impl Iterator<Item = u8> {
        let from = i64::from(now) - i64::from(width_s * TICKS_PER_S);
        self.events.iter().filter(move |(at, _)| i64::from(*at) > from).map(|(_, what)| *what)
    }
}

proptest! {
    #[test]
    fn windows_agree_with_a_naive_list(gaps in proptest::collection::vec(0u32..60, 1..200), max in 1u32..6, width_s in 1u32..12) {
        let mut watched = Watched::by(&[("bounces", Sign::Bounces(window(max, width_s)))]);
        let mut naive = Naive::default();
        for gap in gaps {
            watched.now = Tick(watched.now.0 + gap);
            naive.events.push((watched.now.0, 0));
            let over = naive.within(watched.now.0, width_s).count() > max as usize;
            prop_assert_eq!(!watched.does("toto-j", Deed::Bounced).is_empty(), over);
            if over {
                naive.events.clear();
            }
        }
    }

    #[test]
    fn shares_agree_with_a_naive_list(
        steps in proptest::collection::vec((0u32..30, any::<bool>()), 1..300),
        share_percent in 1u8..=100,
        of_at_least in 1u32..20,
        width_s in 1u32..30,
    ) {
        let sign = Sign::RefusedRecipients { share_percent, of_at_least, within_s: u64::from(width_s) };
        let mut watched = Watched::by(&[("refused", sign)]);
        let mut naive = Naive::default();
        for (gap, refused) in steps {
            watched.now = Tick(watched.now.0 + gap);
            naive.events.push((watched.now.0, u8::from(refused)));
            let (of, bad) = naive.within(watched.now.0, width_s).fold((0, 0), |(n, bad), it| (n + 1, bad + u32::from(it)));
            let over = bad > 0 && of >= of_at_least && bad * 100 >= u32::from(share_percent) * of;
            prop_assert_eq!(!watched.does("toto-j", Deed::Asked { refused }).is_empty(), over);
            if over {
                naive.events.clear();
            }
        }
    }

    #[test]
    fn networks_agree_with_a_naive_list(
        steps in proptest::collection::vec((0u32..60, 0u8..8), 1..200),
        max in 1u32..6,
        width_s in 1u32..20,
    ) {
        let mut watched = Watched::by(&[("networks", Sign::Networks(window(max, width_s)))]);
        let mut naive = Naive::default();
        for (gap, network) in steps {
            watched.now = Tick(watched.now.0 + gap);
            naive.events.push((watched.now.0, network));
            let distinct: std::collections::BTreeSet<u8> = naive.within(watched.now.0, width_s).collect();
            let over = distinct.len() > max as usize;
            prop_assert_eq!(!watched.does("toto-j", v4(203, network, 0)).is_empty(), over);
            if over {
                naive.events.clear();
            }
        }
    }
}
