//! What messages cost that were made to cost much: time of view and form, and the peak of memory. `hostile [NAME]`; without a
//! name every message in a process of its own.

use std::process::Command;
use std::time::Instant;

use spam::form::{self, Facts};
use spam::view::View;

const HEAD: &str =
    "From: a <a@b.example>\r\nDate: Tue, 1 Sep 2026 10:00:00 +0200\r\nMessage-ID: <a@b.example>\r\nSubject: x\r\n";

fn html(body: &str) -> Vec<u8> {
    format!("{HEAD}MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}").into_bytes()
}

fn nested(depth: usize) -> Vec<u8> {
    let mut text = format!("{HEAD}MIME-Version: 1.0\r\n");
    for level in 0..depth {
        text += &format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
    }
    (text + "\r\nend\r\n").into_bytes()
}

fn flat(parts: usize) -> Vec<u8> {
    let text = format!("{HEAD}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n");
    (text + &"--b\r\nContent-Type: text/html\r\n\r\n<a href=http://a.example>b</a>\r\n".repeat(parts) + "--b--\r\n")
        .into_bytes()
}

fn zip(megabytes: usize) -> Vec<u8> {
    let head = format!(
        "{HEAD}Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDBAAA\r\n"
    );
    let line = "UEsBAhQAFAAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAABhLnR4\r\n";
    (head + &line.repeat(megabytes * 1024 * 1024 / line.len())).into_bytes()
}

fn made(name: &str) -> Option<Vec<u8>> {
    let megabytes = 20 << 20;
    let fill = |piece: &str| piece.repeat(megabytes / piece.len());
    Some(match name {
        "ordinary-10-kb" => {
            html(&"<p>Bonjour, voici <a href=\"https://www.b.example/x?y=1\">le compte rendu</a>.</p>\r\n".repeat(125))
        }
        "nested-1000-parts" => nested(1_000),
        "flat-100000-parts" => flat(100_000),
        "html-one-line-20-mb" => html(&fill("<p>word <b>word</b> word ")),
        "html-1e6-links" => html(&"<a href=http://a.example/>b</a>".repeat(1_000_000)),
        "text-1e6-links" => format!("{HEAD}\r\n{}", "http://a.example/ ".repeat(1_000_000)).into_bytes(),
        "html-open-tags" => html(&fill("<i>")),
        "html-end-tags" => html(&fill("</a></b>")),
        "html-open-brackets" => html(&fill("<")),
        "html-comments" => html(&fill("<!--")),
        "html-quotes" => html(&fill("<a href='")),
        "html-attributes" => html(&format!("<a {}>", fill("style=color:red "))),
        "html-references" => html(&fill("&#x41;&nosuch;&")),
        "html-styles" => html(&fill("<b style='font:a;color:#fff;display:x;left:-1'>")),
        "zip-of-names-20-mb" => zip(20),
        "header-20-mb" => format!("{}\r\n", fill("X-A: b\r\n")).into_bytes(),
        "from-20-mb" => format!("From: {}\r\n\r\n", fill("a <a@b.example>, ")).into_bytes(),
        "encoded-words-20-mb" => format!("Subject: {}\r\n\r\n", fill("=?utf-8?q?=C3=A9?= ")).into_bytes(),
        "no-line-ends-20-mb" => "x".repeat(megabytes).into_bytes(),
        _ => return None,
    })
}

const NAMES: [&str; 19] = [
    "ordinary-10-kb",
    "nested-1000-parts",
    "flat-100000-parts",
    "html-one-line-20-mb",
    "html-1e6-links",
    "text-1e6-links",
    "html-open-tags",
    "html-end-tags",
    "html-open-brackets",
    "html-comments",
    "html-quotes",
    "html-attributes",
    "html-references",
    "html-styles",
    "zip-of-names-20-mb",
    "header-20-mb",
    "from-20-mb",
    "encoded-words-20-mb",
    "no-line-ends-20-mb",
];

fn main() {
    let Some(name) = std::env::args().nth(1) else {
        let program = std::env::current_exe().expect("this program");
        for name in NAMES {
            Command::new(&program).arg(name).status().expect("this program runs");
        }
        return;
    };
    let message = made(&name).expect("a name of the list");
    let before = peak_kilobytes();
    let mut best = u128::MAX;
    let mut links = 0;
    for _ in 0..if message.len() < 100_000 { 2_000 } else { 3 } {
        let started = Instant::now();
        let view = View::read(&message);
        let score = form::score(&view, &Facts { own_domains: &["univ-nantes.fr"], ..Facts::default() });
        best = best.min(started.elapsed().as_micros());
        links = view.links.len() + usize::from(score.contributions.is_empty());
    }
    let grown = peak_kilobytes().saturating_sub(before);
    println!("{name:<22} {:>9} octets {best:>8} µs, {grown:>6} KiB beside the message, {links} links", message.len());
}

fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_ascii_whitespace().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0)
}
