//! Tokens of links, files and HTML: how a message is built.

use super::gather::{Gather, Kind};
use crate::view::{Attachment, Link, LinkFrom, Scheme, View, host};

/// Links looked at, of each kind of place.
const LINKS_MAX: usize = 200;

pub fn add(view: &View<'_>, gather: &mut Gather) {
    parts(view, gather);
    html(view, gather);
    for file in view.attachments().iter().take(50) {
        attachment(file, gather);
    }
    links(view, gather);
}

fn parts(view: &View<'_>, gather: &mut Gather) {
    let own: Vec<_> = view.parts.iter().filter(|part| !part.enclosed).take(20).collect();
    let mut chain = String::from("parts");
    for part in own.iter().take(6) {
        chain.push(' ');
        chain.push_str(&part.media);
    }
    gather.add(Kind::Build, &[&chain]);
    for part in own {
        gather.add(Kind::Build, &["charset ", part.charset.as_deref().unwrap_or("absent"), " ", &part.media]);
        gather.add(Kind::Build, &["encoding ", &part.encoding, " ", &part.media]);
    }
    let characters: usize = view.own_texts().map(|text| text.text.len()).sum();
    gather.add(Kind::Build, &["text ", magnitude(characters)]);
}

fn html(view: &View<'_>, gather: &mut Gather) {
    let html = &view.html;
    if html.parts == 0 {
        return;
    }
    // That there are none says only that there is HTML, and would say it once for each line.
    let counts = [
        ("hidden characters ", html.hidden_chars),
        ("tiny characters ", html.tiny_chars),
        ("characters in the colour of the ground ", html.same_colour_chars),
        ("split words ", html.split_words),
        ("letter references ", html.letter_references),
        ("comments ", html.comments),
        ("noise comments ", html.noise_comments),
        ("unknown tags ", html.unknown_tags),
        ("forms ", html.forms),
        ("inputs ", html.inputs),
        ("password inputs ", html.password_inputs),
        ("scripts ", html.scripts),
        ("event handlers ", html.event_handlers),
        ("frames ", html.frames),
        ("remote images ", html.remote_images),
        ("data addresses ", html.data_uris),
        ("tables ", html.tables),
    ];
    for (what, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        gather.add(Kind::Build, &[what, magnitude(count as usize)]);
    }
    gather.add(Kind::Build, &["visible characters ", magnitude(html.visible_chars as usize)]);
}

/// Numbers by their size alone.
fn magnitude(number: usize) -> &'static str {
    match number {
        0 => "0",
        1 => "1",
        2..4 => "2",
        4..8 => "4",
        8..16 => "8",
        16..64 => "16",
        64..256 => "64",
        256..1024 => "256",
        1024..4096 => "1024",
        _ => "4096",
    }
}

fn attachment(file: &Attachment<'_>, gather: &mut Gather) {
    let inline = if file.inline { "inline " } else { "" };
    gather.add(Kind::Build, &["file ", inline, &file.media]);
    gather.add(Kind::Build, &["file ", inline, &format!("{:?}/{:?}", file.by_name, file.by_content)]);
    if let Some(name) = file.name.as_deref().filter(|_| !file.inline) {
        gather.labelled(Kind::Build, "file name ", name, false);
    }
    if let Some(zip) = &file.zip {
        gather.add(Kind::Build, &["archive ", if zip.encrypted { "encrypted" } else { "open" }]);
    }
}

fn links(view: &View<'_>, gather: &mut Gather) {
    let mut web = 0;
    for link in view.own_links().take(LINKS_MAX) {
        let place = match link.from {
            LinkFrom::Image => "image ",
            LinkFrom::Form => "form ",
            LinkFrom::Refresh => "refresh ",
            LinkFrom::Anchor | LinkFrom::Area | LinkFrom::Text => "",
        };
        match link.scheme {
            Scheme::Web => {
                web += 1;
                web_link(place, link, gather);
            }
            Scheme::Mailto => {
                if let Some(host) = link.host.as_deref() {
                    gather.add(Kind::Host, &["mailto ", host::registered(host)]);
                }
            }
            scheme => gather.add(Kind::Link, &[place, &format!("{scheme:?}")]),
        }
    }
    gather.add(Kind::Link, &["links ", magnitude(web)]);
}

fn web_link(place: &str, link: &Link, gather: &mut Gather) {
    match link.host.as_deref() {
        Some(_) if link.ip_host => gather.add(Kind::Link, &[place, "to a number"]),
        Some(host) => {
            gather.add(Kind::Host, &[place, host]);
            let registered = host::registered(host);
            if registered != host {
                gather.add(Kind::Host, &[place, registered]);
            }
            if let Some((_, top)) = host.rsplit_once('.') {
                gather.add(Kind::Link, &[place, "to .", top]);
            }
        }
        None => gather.add(Kind::Link, &[place, "to nowhere"]),
    }
    let odd = [
        (link.userinfo, "with user"),
        (link.escaped_host, "with escaped host"),
        (link.port.is_some(), "with port"),
        (link.holds_image, "around an image"),
        (link.from == LinkFrom::Text, "in text"),
    ];
    for (_, what) in odd.into_iter().filter(|(is, _)| *is) {
        gather.add(Kind::Link, &[place, what]);
    }
    path(place, link, gather);
}

/// How deep, which ending, which names of parameters; never values, which name persons.
fn path(place: &str, link: &Link, gather: &mut Gather) {
    let whole = link.path();
    let without_fragment = whole.split('#').next().unwrap_or_default();
    let (path, query) = without_fragment.split_once('?').unwrap_or((without_fragment, ""));
    gather.add(Kind::Link, &[place, "depth ", magnitude(path.matches('/').count())]);
    let last = path.rsplit('/').next().unwrap_or_default();
    if let Some((_, ending)) = last.rsplit_once('.').filter(|(_, ending)| (1..6).contains(&ending.len())) {
        gather.add(Kind::Link, &[place, "ending ", &ending.to_lowercase()]);
    }
    for parameter in query.split(['&', ';']).take(8).filter(|it| !it.is_empty()) {
        let name = parameter.split('=').next().unwrap_or_default();
        if name.len() <= 16 && name.bytes().all(|octet| octet.is_ascii_alphabetic() || octet == b'_') {
            gather.add(Kind::Link, &[place, "parameter ", &name.to_lowercase()]);
        }
    }
    gather.labelled(Kind::Link, "path ", path, false);
}
