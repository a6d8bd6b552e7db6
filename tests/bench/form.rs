//! Reading messages for the spam passes and judging their form: `cargo bench -p tests --bench form`. An ordinary message of
//! 10 KB should take less than 150 µs for both.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use spam::form::{self, Facts};
use spam::view::View;

/// Octets of the bodies, about.
const SIZES: [usize; 3] = [2 << 10, 10 << 10, 100 << 10];
const OWN: [&str; 2] = ["univ-nantes.fr", "lab.example"];

fn main() {
    divan::main();
}

fn head(kind: &str) -> String {
    format!(
        "Received: from mx.partner.example (mx.partner.example [192.0.2.1]) by mx.univ-nantes.fr; Tue, 1 Sep 2026 10:00:02 +0200\r\n\
         From: =?utf-8?q?Ren=C3=A9e_Martin?= <renee.martin@partner.example>\r\nTo: Jean Toto <jean.toto@univ-nantes.fr>\r\n\
         Subject: =?utf-8?q?Compte_rendu_de_la_r=C3=A9union?=\r\nDate: Tue, 1 Sep 2026 10:00:00 +0200\r\n\
         Message-ID: <20260901080000.4711@partner.example>\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n"
    )
}

fn text(size: usize) -> String {
    let line = "Bonjour, voici le compte rendu de la réunion de mardi à la faculté des sciences ; bonne lecture.\r\n";
    line.repeat(size / line.len())
}

fn plain(size: usize) -> Vec<u8> {
    (head("text/plain; charset=utf-8") + &text(size)).into_bytes()
}

/// Text and HTML with a link in each paragraph, as mail programs write it.
fn alternative(size: usize) -> Vec<u8> {
    let paragraph = "<p style=\"font-size:11pt;color:#222\">Bonjour, voici <b>le compte rendu</b> de la réunion de mardi ; \
                     bonne lecture. <a href=\"https://www.partner.example/docs?id=4711&amp;v=2\">Lire la suite</a></p>\r\n";
    let html = paragraph.repeat(size / 2 / paragraph.len());
    let text = text(size / 2);
    format!(
        "{}--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
         <html><body>{html}</body></html>\r\n--b--\r\n",
        head("multipart/alternative; boundary=b")
    )
    .into_bytes()
}

fn facts() -> Facts<'static> {
    Facts { now: Some(1_788_250_000), own_domains: &OWN, ..Facts::default() }
}

#[divan::bench(args = SIZES)]
fn plain_text(bencher: Bencher<'_, '_>, size: usize) {
    both(bencher, &plain(size));
}

#[divan::bench(args = SIZES)]
fn text_and_html(bencher: Bencher<'_, '_>, size: usize) {
    both(bencher, &alternative(size));
}

fn both(bencher: Bencher<'_, '_>, message: &[u8]) {
    bencher.counter(BytesCount::new(message.len())).bench(|| form::score(&View::read(black_box(message)), &facts()));
}

#[divan::bench(args = SIZES)]
fn view_alone(bencher: Bencher<'_, '_>, size: usize) {
    let message = alternative(size);
    bencher.counter(BytesCount::new(message.len())).bench(|| View::read(black_box(&message)).texts.len());
}

#[divan::bench(args = SIZES)]
fn form_alone(bencher: Bencher<'_, '_>, size: usize) {
    let message = alternative(size);
    let view = View::read(&message);
    bencher.bench(|| form::score(black_box(&view), &facts()));
}
