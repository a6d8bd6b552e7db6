//! Messages that look as if they broke a rule, and honest ones of every kind: nothing is held against them.

use super::letter::{Known, Letter, judged, letter};
use crate::form::rules::*;
use crate::form::{Outcome, Rule};
use crate::view::zip::tests::directory;
use Outcome::{Fail, None as No, Pass, SoftFail};

fn near() -> Vec<(&'static Rule, Letter, Known)> {
    let ours = Known::Ours;
    let list = || letter().with("List-Id", "<list.partner.example>");
    let to = |href: &str, text: &str| letter().html(&format!("<a href='{href}'>{text}</a>"));
    vec![
        (&BAD_FROM, letter().with("From", "a@[192.0.2.1]"), ours),
        (&ODD_ZONE, letter().with("Date", "Tue, 1 Sep 2026 10:00:00 +0545"), ours),
        (&LATE_DATE, letter().with("Date", "Wed, 2 Sep 2026 10:00:00 +0200"), Known::Day(2)),
        (&EARLY_DATE, letter(), Known::Day(8)),
        (&TWICE, letter().and("Received", "a").and("Received", "b"), ours),
        (&FALSE_REPLY, letter().with("Subject", "Re: a").with("References", "<a@b.example>"), ours),
        (&FORGED_MAILER, list().with("X-Mailer", "Microsoft Outlook Express 6.00"), ours),
        (&SHOUTED_SUBJECT, letter().with("Subject", "CNRS ANR"), ours),
        (&ENCODED_ASCII, letter().with("Subject", "=?utf-8?q?R=C3=A9union_de_mardi?="), ours),
        (&ADDRESS_IN_SUBJECT, letter().with("Subject", "you wrote to other@partner.example"), ours),
        (&NAME_IS_ADDRESS, letter().with("From", "\"anne@partner.example\" <anne@mail.partner.example>"), ours),
        (&NAME_IS_ADDRESS, list().with("From", "\"a@b.example via List\" <list@partner.example>"), ours),
        (&NAME_IS_HOST, letter().with("From", "J.R. <a@partner.example>"), ours),
        (&NAME_OF_COLLEAGUE, letter().with("From", "Jean Toto <toto@home.example>"), ours),
        (&NAME_OF_COLLEAGUE, letter().with("From", "Jean Toto <jean.toto@univ-nantes.fr>"), ours),
        (&NAME_OF_OURS, letter().with("From", "Univ Nantes <a@univ-nantes.fr>"), ours),
        (&COUSIN_FROM, letter().with("From", "a@univ-rennes.fr"), ours),
        (&OUR_NAME_FROM, letter().with("From", "a@dsi.univ-nantes.fr"), ours),
        (&STATE_NAME, letter().with("From", "a@antai.gouv.fr"), ours),
        (&STATE_NAME, letter().with("From", "a@education-nationale.gouv.fr"), ours),
        (&REPLY_FREE, letter().with("Reply-To", "anne@partner.example"), ours),
        (&REPLY_FREE, list().with("Reply-To", "list@gmail.com"), ours),
        (&DMARC_FAIL, letter(), Known::Checked(No, No, No)),
        (&SPF_FAIL, letter(), Known::Checked(Fail, Pass, No)),
        (&SPF_SOFTFAIL, letter(), Known::Checked(SoftFail, No, Pass)),
        (&OURS_UNPROVED, list().with("From", "a@univ-nantes.fr"), Known::Checked(No, Fail, No)),
        (&UNPROVED, letter(), Known::Checked(Outcome::TempError, No, No)),
        (&HTML_ALONE, letter().html("a"), ours),
        (
            &BASE64_ASCII,
            letter()
                .with("Content-Transfer-Encoding", "base64")
                .saying("UsOpdW5pb24gZGUgbWFyZGkgw6AgbGEgZmFjdWx0w6kgZGVzIHNjaWVuY2Vz"),
            ours,
        ),
        (
            &SAME_COLOUR,
            letter().html(&format!("<td bgcolor=#003366><font color=white>{}</font>", "mots ".repeat(20))),
            ours,
        ),
        (
            &SAME_COLOUR,
            letter().html(&format!(
                "<style>.a{{background:#036}}</style><td class=a><font color=white>{}</font>",
                "mots ".repeat(20)
            )),
            ours,
        ),
        (&HIDDEN_TEXT, letter().html(&format!("<div style='display:none'>En bref</div>{}", "mots ".repeat(20))), ours),
        (&FORM, letter().html("<form action=https://www.partner.example/search>a</form>"), ours),
        (&OTHER_HOST, to("https://www.bank.example/a", "www.bank.example"), ours),
        (&OTHER_HOST, to("https://t.partner.example/c?x=1", "www.bank.example"), ours),
        (&OTHER_HOST, to("https://evil.example/a", "rapport.pdf"), ours),
        (&OTHER_HOST, to("https://evil.example/a", "a@bank.example"), ours),
        (&IP_LINK, to("http://192.168.1.1/", "router"), ours),
        (&ODD_PORT, to("https://a.example:8443/", "a"), ours),
        (&ADDRESS_IN_FRAGMENT, to("https://a.example/?mail=a@b.example", "a"), ours),
        (&SHORT_LINK, to("https://cnrs.fr/actualite", "a"), ours),
        (&REDIRECT, to("https://a.example/?u=https://www.a.example/x", "a"), ours),
        (&ONE_LINK, to("https://www.partner.example/", "a"), ours),
        (&MIXED_WORDS, letter().saying("la résistance en kΩ, 5 μm, Москва и Нант, ελληνικά"), ours),
        (&SPLIT_BY_UNSEEN, letter().saying("کتاب\u{200c}ها 👩\u{200d}🔬 co\u{ad}opé\u{ad}ra\u{ad}tion"), ours),
        (&GREAT_SUM, letter().saying("tel. 02.40.99.83.83.12, 3,500,000 readers"), ours),
        (&GREAT_SUM, letter().saying("$3,500,000 were raised, see https://www.partner.example/news"), ours),
        (&BITCOIN, letter().saying("https://a.example/3aouzKr6RGL1qjtct6wKrYAq6gViidRR"), ours),
        (&DOUBLE_ENDING, letter().file("v1.2.final.pdf", "application/pdf", b"%PDF-1.7"), ours),
        (&PROGRAM, letter().file("rapport.pdf", "application/pdf", b"%PDF-1.7"), ours),
        (
            &PROGRAM_IN_ZIP,
            letter().file("a.zip", "application/zip", &directory(&[("src/a.js", false), ("a.pdf", false)])),
            ours,
        ),
        (&OTHER_TYPE, letter().file("a.pdf", "application/octet-stream", b"%PDF-1.4"), ours),
    ]
}

#[test]
fn what_only_looks_like_a_trick_is_none() {
    for (rule, letter, known) in near() {
        let score = judged(&letter.octets(), known);
        assert!(!score.has(rule.name), "{} spoke of {}", rule.name, String::from_utf8_lossy(&letter.octets()));
    }
}

#[test]
fn an_ordinary_message_has_the_base_and_nothing_else() {
    for known in [Known::Nothing, Known::Ours, Known::Day(1)] {
        let score = judged(&letter().octets(), known);
        assert_eq!(score.contributions.len(), 1, "{score:?}");
        assert_eq!(score.thousandths, crate::form::BASE);
    }
}

#[test]
fn honest_mail_of_every_kind_stays_above_nothing() {
    let shop = letter()
        .with("From", "La boutique <commandes@shop.example>")
        .with("List-Unsubscribe", "<https://shop.example/u>")
        .with("Content-Type", "text/html; charset=utf-8")
        .saying(
            "<div style='display:none'>-20 % ce week-end</div><a href=https://click.sender.example/c?u=1><img \
             src=https://cdn.sender.example/a.png></a><p>Votre commande est partie. Suivez votre colis sur notre site.</p>\
             <a style='background:#d00;color:#fff' href=https://click.sender.example/c?u=2>Suivre</a>",
        );
    let list = letter()
        .with("From", "Anne Martin via Debat <debat@lists.partner.example>")
        .with("Reply-To", "debat@lists.partner.example")
        .with("List-Id", "<debat.lists.partner.example>")
        .with("Subject", "Re: [debat] le velo");
    let bounce =
        letter().with("From", "MAILER-DAEMON@partner.example").with("Subject", "Undelivered Mail").without("To");
    let forwarded = letter().with("From", "Anne <anne@partner.example>");
    let reset = letter().with("Subject", "=?utf-8?b?UsOpaW5pdGlhbGlzYXRpb24=?=").html(
        "<p>Vous avez demandé un nouveau mot de passe.</p><a href=https://partner.example/r?t=1>https://partner.example/r?t=1</a>",
    );
    let failing = Known::Checked(Fail, Fail, Fail);
    for (what, letter, known) in [
        ("a shop", shop, Known::Ours),
        ("a list", list, failing),
        ("a bounce", bounce, Known::Checked(No, No, No)),
        ("what a provider forwards", forwarded, failing),
        ("a new password", reset, Known::Ours),
    ] {
        let score = judged(&letter.octets(), known);
        assert!(score.thousandths > 0, "{what}: {score:?}");
    }
}
