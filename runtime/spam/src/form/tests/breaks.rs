//! For each rule a message that breaks it.

use super::letter::{Known, Letter, judged, letter};
use crate::form::rules::*;
use crate::form::{Outcome, RULES, Rule};
use crate::view::zip::tests::directory;
use Outcome::{Fail, None as No, Pass, SoftFail};

const GTUBE_TEXT: [&str; 2] = ["XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL", "*C.34X"];

type Break = (&'static Rule, Letter, Known);

fn header() -> Vec<Break> {
    let ours = Known::Ours;
    vec![
        (&NO_FROM, letter().without("From"), ours),
        (&BAD_FROM, letter().with("From", "Anne"), ours),
        (&NO_DATE, letter().without("Date"), ours),
        (&BAD_DATE, letter().with("Date", "yesterday"), ours),
        (&ODD_ZONE, letter().with("Date", "Tue, 1 Sep 2026 10:00:00 +1900"), ours),
        (&LATE_DATE, letter().with("Date", "Tue, 8 Sep 2026 10:00:00 +0200"), Known::Day(2)),
        (&EARLY_DATE, letter(), Known::Day(30)),
        (&NO_MESSAGE_ID, letter().without("Message-ID"), ours),
        (&BAD_MESSAGE_ID, letter().with("Message-ID", "4711"), ours),
        (&TWICE, letter().and("Subject", "another"), ours),
        (&STRAY_LINES, letter().with("X-Note", "a\r\nthis is no field"), ours),
        (&RAW_HEADER, letter().without("Subject").behind(b"Subject: caf\xe9\r\n"), ours),
        (&RAW_UTF8, letter().with("Subject", "réunion"), ours),
        (&NO_SUBJECT, letter().without("Subject"), ours),
        (&FALSE_REPLY, letter().with("Subject", "Re: your order"), ours),
        (&FORGED_MAILER, letter().with("X-Mailer", "Microsoft Outlook Express 6.00.2600.0000"), ours),
        (&PADDED_SUBJECT, letter().with("Subject", "Great offer            gkx81"), ours),
        (&SHOUTED_SUBJECT, letter().with("Subject", "URGENT BUSINESS PROPOSAL"), ours),
        (&ADDRESS_IN_SUBJECT, letter().with("Subject", "jean.toto@univ-nantes.fr, you won"), ours),
        (&GAPPY_SUBJECT, letter().with("Subject", "best V I A G R A here"), ours),
        (&ENCODED_ASCII, letter().with("Subject", "=?utf-8?q?=46=72=65=65_=4d=6f=6e=65=79?="), ours),
    ]
}

fn people() -> Vec<Break> {
    let ours = Known::Ours;
    vec![
        (&PICTURES_IN_NAME, letter().with("From", "=?utf-8?q?=F0=9F=8E=81_Shop?= <a@shop.example>"), ours),
        (&NAME_IS_ADDRESS, letter().with("From", "\"support@bank.example\" <x@evil.example>"), ours),
        (&NAME_IS_HOST, letter().with("From", "Bank.example <x@evil.example>"), ours),
        (
            &PADDED_NAME,
            letter().with("From", "=?utf-8?q?Help_=E2=80=80=E2=80=80=E2=80=80=E2=80=80?= <x@evil.example>"),
            ours,
        ),
        (&NAME_OF_COLLEAGUE, letter().with("From", "Jean TOTO <jean.toto.perso@evil.example>"), ours),
        (&NAME_OF_OURS, letter().with("From", "\"DSI Univ Nantes\" <support@evil.example>"), ours),
        (&COUSIN_FROM, letter().with("From", "DSI <dsi@univ-mantes.fr>"), ours),
        (&OUR_NAME_FROM, letter().with("From", "DSI <dsi@univ-nantes-messagerie.example>"), ours),
        (&STATE_NAME, letter().with("From", "Amendes <no-reply@amende-gouv-paiement.example>"), ours),
        (&REPLY_FREE, letter().with("Reply-To", "anne.martin.77@gmail.com"), ours),
        (&REPLY_ELSEWHERE, letter().with("Reply-To", "x@elsewhere.example"), ours),
    ]
}

fn checked() -> Vec<Break> {
    let ours = || letter().with("From", "Jean Toto <jean.toto@univ-nantes.fr>");
    vec![
        (&ALIGNED, letter(), Known::Checked(Pass, Pass, No)),
        (&ASKED_FOR, letter().with("List-Unsubscribe", "<https://partner.example/u>"), Known::Checked(Pass, No, Pass)),
        (&ANSWER, letter().with("In-Reply-To", "<4712@webmail.univ-nantes.fr>"), Known::Ours),
        (
            &SIGNED,
            letter().with("Content-Type", "multipart/signed; boundary=b").saying("--b\r\n\r\na\r\n--b--\r\n"),
            Known::Ours,
        ),
        (&DMARC_FAIL, letter(), Known::Checked(Pass, No, Fail)),
        (&SPF_FAIL, letter(), Known::Checked(Fail, No, No)),
        (&SPF_SOFTFAIL, letter(), Known::Checked(SoftFail, No, No)),
        (&DKIM_FAIL, letter(), Known::Checked(Pass, Fail, No)),
        (&OURS_UNPROVED, ours(), Known::Checked(No, No, No)),
        (&UNPROVED, letter(), Known::Checked(No, No, No)),
        (&HELLO_IS_US, letter(), Known::HelloUs),
        (&LISTED, letter(), Known::Listed),
    ]
}

fn mime() -> Vec<Break> {
    let ours = Known::Ours;
    let many = "--b\r\n\r\na\r\n".repeat(1_100) + "--b--\r\n";
    let latin = "Content-Type: text/plain; charset=utf-8\r\n";
    let mixed = || letter().with("Content-Type", "multipart/mixed; boundary=b");
    let html = || letter().with("Content-Type", "text/html; charset=utf-8");
    let empty =
        format!("--b\r\n{latin}\r\n \r\n--b\r\nContent-Type: text/html\r\n\r\n{}\r\n--b--\r\n", "word ".repeat(60));
    let escaped = "=48=65=6C=6C=6F ".repeat(40);
    let one = "--b\r\n\r\nword\r\n--b--\r\n";
    let encoded = |name: &str| letter().with("Content-Transfer-Encoding", name);
    vec![
        (&NO_BOUNDARY, letter().with("Content-Type", "multipart/mixed").saying("a\r\n"), ours),
        (&NOT_CLOSED, mixed().saying("--b\r\n\r\na\r\n"), ours),
        (&NO_MIME_VERSION, mixed().without("MIME-Version").saying(one), ours),
        (&HTML_ALONE, html().saying("<p>Bonjour"), ours),
        (&EMPTY_TEXT, letter().with("Content-Type", "multipart/alternative; boundary=b").saying(empty), ours),
        (
            &BASE64_ASCII,
            encoded("base64").saying("R3JlYXQgb2ZmZXJzIHdhaXQgZm9yIHlvdSwgY29tZSBhbmQgc2VlIHRoZW0gYWxsIG5vdy4="),
            ours,
        ),
        (&ESCAPED_LETTERS, encoded("quoted-printable").saying(escaped), ours),
        (&RAW_BODY, letter().with("Content-Type", "text/plain").saying(b"caf\xe9 cr\xe8me"), ours),
        (&WRONG_CHARSET, letter().saying(b"caf\xe9 cr\xe8me"), ours),
        (&NUL, letter().saying(b"a\0b"), ours),
        (&ODD_ENCODING, encoded("text/html"), ours),
        (&ONE_ALTERNATIVE, letter().with("Content-Type", "multipart/alternative; boundary=b").saying(one), ours),
        (&DEEP, mixed().saying(many), ours),
    ]
}

fn html() -> Vec<Break> {
    let words = "quelques mots de plus ".repeat(30);
    let of = |html: String| letter().html(&html);
    vec![
        (&HIDDEN_TEXT, of(format!("a<div style='display:none'>{words}</div>"))),
        (&TINY_TEXT, of(format!("a<span style=\"font-size:1px\">{words}</span>"))),
        (&SAME_COLOUR, of(format!("a<font color=#fefefe>{words}</font>"))),
        (&SPLIT_BY_MARKUP, of("Via<!-- a -->gra Cia<!-- b -->lis Lev<!c>itra Val<kq>ium".into())),
        (&LETTER_REFERENCES, of("&#86;&#105;&#97;&#103;&#114;&#97;".repeat(4))),
        (&NOISE_COMMENTS, of("<!-- the quick brown fox jumps over the lazy dog again -->a".repeat(3))),
        (&STYLE_NOISE, of(format!("<style>{words}</style>a"))),
        (&UNKNOWN_TAGS, of("a<kjq>b</kjq><wqz>c</wqz>".into())),
        (&PASSWORD, of("<form><input type=password></form>".into())),
        (&FORM, of("<form action=https://evil.example/x>a</form>".into())),
        (&SCRIPT, of("<script>x()</script>a".into())),
        (&FRAME, of("<iframe src=https://a.example></iframe>a".into())),
        (&OBJECT, of("<embed src=a.swf>a".into())),
        (&REFRESH, of("<meta http-equiv=refresh content='0; url=https://evil.example/'>a".into())),
        (&DATA_DOCUMENT, of("<a href='data:text/html;base64,PGI+'>open</a>".into())),
        (
            &PICTURES_ALONE,
            letter()
                .with("Content-Type", "text/html")
                .saying("<a href=https://e.example/x><img src=https://e.example/a.png></a>"),
        ),
    ]
    .into_iter()
    .map(|(rule, letter)| (rule, letter, Known::Ours))
    .collect()
}

fn links() -> Vec<Break> {
    let to = |href: &str, text: &str| letter().html(&format!("<a href='{href}'>{text}</a>"));
    let plain = |href: &str| to(href, "ici");
    vec![
        (&OTHER_HOST, to("https://evil.example/a", "https://www.bank.example/login")),
        (&OUR_HOST_SHOWN, to("https://evil.example/a", "webmail.univ-nantes.fr")),
        (&OUR_HOST_SHOWN, to("https://evil.example/a?u=https://webmail.univ-nantes.fr/", "webmail.univ-nantes.fr")),
        (&COUSIN_LINK, plain("https://webmail.univ-nantcs.fr/")),
        (&OUR_NAME_LINK, plain("https://univ-nantes.fr.evil.example/")),
        (&IP_LINK, plain("http://203.0.113.7/a")),
        (&DISGUISED_IP, plain("http://3405803783/a")),
        (&USERINFO, plain("https://www.bank.example@evil.example/")),
        (&ODD_PORT, plain("https://evil.example:9999/")),
        (&ESCAPED_HOST, plain("https://ev%69l.example/")),
        (&MIXED_HOST, plain("https://www.pаypаl.example/")),
        (&LONG_HOST, plain("https://secure.login.account.bank.example.session.update.evil.example/")),
        (&ADDRESS_IN_FRAGMENT, plain("https://evil.example/a#jean.toto@univ-nantes.fr")),
        (&SHORT_LINK, plain("https://sho.rt/3xK9q")),
        (&REDIRECT, plain("https://big.example/r?u=https%3A%2F%2Fevil.example%2F")),
        (&ONE_LINK, plain("https://elsewhere.example/a")),
        (&SCRIPT_LINK, plain("javascript:alert(1)")),
    ]
    .into_iter()
    .map(|(rule, letter)| (rule, letter, Known::Ours))
    .collect()
}

fn letters() -> Vec<Break> {
    let shouted = "DEAR FRIEND I AM THE SON OF THE LATE MINISTER AND NEED YOUR HELP ".repeat(8);
    let says = |body: &str| letter().saying(body);
    vec![
        (&MIXED_WORDS, says("your pаsswоrd and аccоunt")),
        (&SPLIT_BY_UNSEEN, says("pa\u{200b}ss ac\u{200b}count ba\u{200b}nk")),
        (&OVERRIDES, says("a\u{202e}b")),
        (&STYLED_LETTERS, says("𝗩𝗲𝗿𝗶𝗳𝘆 𝘆𝗼𝘂𝗿 𝗮𝗰𝗰𝗼𝘂𝗻𝘁")),
        (&SHOUTED_TEXT, says(&shouted)),
        (&GREAT_SUM, says("I wish to transfer the sum of $12,500,000.00 to you.")),
        (&BITCOIN, says("Send it to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq now")),
        (&GTUBE, says(&GTUBE_TEXT.concat())),
    ]
    .into_iter()
    .map(|(rule, letter)| (rule, letter, Known::Ours))
    .collect()
}

fn files() -> Vec<Break> {
    let octets = "application/octet-stream";
    let zip = |names: &[(&str, bool)]| [&b"PK\x03\x04"[..], &directory(names)].concat();
    vec![
        (&PROGRAM, letter().file("setup.scr", octets, b"x")),
        (&DOUBLE_ENDING, letter().file("facture.pdf.exe", octets, b"x")),
        (&TURNED_NAME, letter().file("facture_\u{202e}fdp.exe", octets, b"x")),
        (&PROGRAM_IN_ZIP, letter().file("a.zip", octets, &zip(&[("CR.vbs", false)]))),
        (&LOCKED_ZIP, letter().file("a.zip", octets, &zip(&[("a.doc", true)]))),
        (&DISC_IMAGE, letter().file("a.iso", octets, b"x")),
        (&MACROS, letter().file("a.docm", octets, b"x")),
        (&HTML_FILE, letter().file("avis.html", "text/html", b"<html>")),
        (&SVG_FILE, letter().file("a.svg", "image/svg+xml", b"<svg>")),
        (&OTHER_TYPE, letter().file("a.pdf", "application/pdf", b"<html><body>x")),
    ]
    .into_iter()
    .map(|(rule, letter)| (rule, letter, Known::Ours))
    .collect()
}

fn all() -> Vec<Break> {
    [header(), people(), checked(), mime(), html(), links(), letters(), files()].concat()
}

#[test]
fn a_message_that_breaks_a_rule_hears_of_it() {
    for (rule, letter, known) in all() {
        let score = judged(&letter.octets(), known);
        assert!(score.has(rule.name), "{} is not among {:?}", rule.name, score.contributions);
    }
}

#[test]
fn every_rule_is_broken_by_a_message_here() {
    let broken: Vec<&str> = all().iter().map(|(rule, ..)| rule.name).collect();
    for rule in RULES.iter().filter(|rule| **rule != ORDINARY) {
        assert!(broken.contains(&rule.name), "no message breaks {}", rule.name);
    }
}

#[test]
fn only_the_test_of_filters_decides_alone_beyond_doubt() {
    let score = judged(&letter().saying(GTUBE_TEXT.concat()).octets(), Known::Nothing);
    assert!(score.thousandths < -900_000, "{score:?}");
    for rule in RULES.iter().filter(|rule| **rule != GTUBE) {
        assert!(rule.thousandths > -2_000, "{}", rule.name);
    }
}
