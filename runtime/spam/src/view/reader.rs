//! Reading a message into a [`View`].

use mail::header::{charset, decode_words, fields, is_blank};
use mail::mime::{Kind, Part, Structure, transfer};

use super::attachment::{Attachment, FileKind};
use super::bounds::{
    FIELDS_MAX, FILE_NAME_OCTETS_MAX, HEADER_OCTETS_MAX, LINKS_MAX, PARTS_MAX, TEXT_OCTETS_MAX, VALUE_OCTETS_MAX,
};
use super::{HtmlTraits, Mailbox, PartSeen, ScriptTraits, Text, View, html, mailbox, plain};

pub(super) fn read(message: &[u8]) -> View<'_> {
    let within = within(message);
    let structure = Structure::parse(within);
    let header = &message[structure.top.header.clone()];
    let mut view = View {
        raw: message,
        fields: fields(header).take(FIELDS_MAX).collect(),
        subject: None,
        from: Vec::new(),
        reply_to: Vec::new(),
        sender: Vec::new(),
        to: Vec::new(),
        parts: Vec::new(),
        texts: Vec::new(),
        links: Vec::new(),
        html: HtmlTraits::default(),
        script: ScriptTraits::default(),
        attachments: Vec::new(),
        cut: within.len() < message.len(),
        structure,
    };
    view.subject = view.field("Subject").map(|field| {
        let mut value = field.value();
        value.truncate(VALUE_OCTETS_MAX);
        decode_words(&value)
    });
    view.from = mailboxes(&view, "From");
    view.reply_to = mailboxes(&view, "Reply-To");
    view.to = mailboxes(&view, "To");
    view.to.append(&mut mailboxes(&view, "Cc"));
    view.sender = mailboxes(&view, "Sender");
    read_parts(&mut view);
    read_script(&mut view);
    view
}

/// The whole message, or the beginning of its header where that does not end within the bound: no server takes such a message,
/// and reading megabytes of fields would cost more than all that is behind them.
fn within(message: &[u8]) -> &[u8] {
    let Some(start) = message.get(..HEADER_OCTETS_MAX) else { return message };
    if start.split_inclusive(|octet| *octet == b'\n').any(is_blank) { message } else { start }
}

fn mailboxes(view: &View<'_>, name: &str) -> Vec<Mailbox> {
    view.field(name).map(mailbox::of_field).unwrap_or_default()
}

/// Letters of Subject, names and the message's own texts.
fn read_script(view: &mut View<'_>) {
    let mut script = ScriptTraits::default();
    if let Some(subject) = &view.subject {
        script.add(subject);
    }
    view.from.iter().for_each(|from| script.add(&from.name));
    view.own_texts().for_each(|text| script.add(&text.text));
    view.script = script;
}

/// The leaves of a message in order, each with whether it is in an enclosed message.
fn leaves(structure: &Structure) -> impl Iterator<Item = (&Part, bool)> {
    let mut waiting = vec![(&structure.top, false)];
    std::iter::from_fn(move || {
        loop {
            let (part, enclosed) = waiting.pop()?;
            match &part.kind {
                Kind::Leaf => return Some((part, enclosed)),
                Kind::Multipart(parts) => waiting.extend(parts.iter().rev().map(|each| (each, enclosed))),
                Kind::Message(message) => waiting.push((&message.top, true)),
            }
        }
    })
}

fn read_parts(view: &mut View<'_>) {
    let structure = std::mem::replace(&mut view.structure, Structure::parse(b""));
    let mut room = TEXT_OCTETS_MAX;
    for (part, enclosed) in leaves(&structure) {
        if view.parts.len() >= PARTS_MAX {
            view.cut = true;
            break;
        }
        read_part(view, part, enclosed, &mut room);
    }
    view.structure = structure;
}

fn read_part(view: &mut View<'_>, part: &Part, enclosed: bool, room: &mut usize) {
    let raw = view.raw;
    let body = &raw[part.body.clone()];
    let seen = seen(part, body, enclosed);
    let index = view.parts.len();
    let is_text = seen.media == "text/plain" || seen.media == "text/html" || seen.media == "text/enriched";
    let shown = is_text && !(seen.attached && seen.file_name.is_some());
    if !shown || seen.file_name.is_some() {
        let mut attachment = Attachment {
            name: seen.file_name.clone(),
            media: seen.media.clone(),
            inline: !seen.attached && (part.content.id.is_some() || part.content.disposition.is_some()),
            enclosed,
            encoding: seen.encoding.clone(),
            body,
            by_name: FileKind::Unknown,
            by_content: FileKind::Unknown,
            zip: None,
            has_macros: false,
        };
        attachment.look();
        view.attachments.push(attachment);
    }
    if shown {
        read_text(view, part, &seen, index, room);
    }
    view.parts.push(seen);
}

fn seen(part: &Part, body: &[u8], enclosed: bool) -> PartSeen {
    let content = &part.content;
    let small = |octets: &[u8]| String::from_utf8_lossy(octets).to_ascii_lowercase();
    let file_name = content.file_name().map(|mut name| {
        let end = (0..=name.len().min(FILE_NAME_OCTETS_MAX)).rev().find(|at| name.is_char_boundary(*at));
        name.truncate(end.unwrap_or(0));
        name
    });
    let is_text = content.media.is_main("text");
    let counted = &body[..if is_text { body.len().min(TEXT_OCTETS_MAX) } else { 0 }];
    PartSeen {
        media: small(&content.media.main) + "/" + &small(&content.media.sub),
        charset: content.media.params.get("charset").map(|label| small(&label[..label.len().min(64)])),
        encoding: small(&content.transfer_encoding),
        file_name,
        attached: content.is_attachment(),
        enclosed,
        body: part.body.clone(),
        high_octets: counted.iter().filter(|octet| **octet > 127).count(),
    }
}

fn read_text(view: &mut View<'_>, part: &Part, seen: &PartSeen, index: usize, room: &mut usize) {
    let body = &view.raw[part.body.clone()];
    if body.len() > *room {
        view.cut = true;
    }
    let piece = &body[..body.len().min(*room)];
    *room -= piece.len();
    let octets = transfer::decode(&part.content.transfer_encoding, piece);
    let text = charset::decode(part.content.media.params.get("charset").unwrap_or_default(), &octets);
    let links_left = LINKS_MAX.saturating_sub(view.links.len());
    let from_html = seen.media == "text/html";
    let text = if from_html {
        let mut page = html::read(&text, links_left);
        page.links.iter_mut().for_each(|link| link.enclosed = seen.enclosed);
        view.links.append(&mut page.links);
        view.cut |= page.cut;
        if !seen.enclosed {
            view.html.add(&page.traits);
        }
        page.text
    } else {
        view.cut |= !plain::add(&text, seen.enclosed, LINKS_MAX, &mut view.links);
        text
    };
    view.texts.push(Text { from_html, enclosed: seen.enclosed, part: index, text });
}
