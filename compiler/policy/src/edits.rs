//! Where the text of a suggested edit stands: an entry with its comma, a field with its name. Pure text work beside the
//! spans of the model; all spans are of the file as written.

use crate::diagnostic::Sources;
use crate::syntax::Span;

/// From the beginning of one place to the end of another: a key and its value. The value alone where an overlay gave it.
pub(crate) fn join(first: Span, last: Span) -> Span {
    if first.file != last.file {
        return last;
    }
    Span::new(first.file, first.start.min(last.start), first.end.max(last.end))
}

/// What to cut so that a member of a list, map or group is gone: its text, its comma, and the blank it leaves. `member`
/// covers key and value (see [`join`]). A member alone on its lines takes them whole, with the comment at their end.
pub(crate) fn entry(sources: &Sources, member: Span) -> Span {
    let text = sources.text(member.file);
    let (start, end) = (member.start as usize, member.end as usize);
    let (Some(before), Some(after)) = (text.get(..start), text.get(end..)) else { return member };
    let comma = comma_after(after);
    let cut_to = end + comma.unwrap_or(0);
    let indent = before.len() - before.trim_end_matches([' ', '\t']).len();
    if before[..start - indent].ends_with('\n')
        && let Some(line_end) = line_end(&text[cut_to..])
    {
        return span(member, start - indent, cut_to + line_end);
    }
    if comma.is_some() && line_end(&text[cut_to..]).is_some() && !before[..start - indent].is_empty() {
        // The last one of its line leaves no blank at the end of it.
        return span(member, start - indent, cut_to);
    }
    if comma.is_some() {
        let blank = text[cut_to..].len() - text[cut_to..].trim_start_matches([' ', '\t']).len();
        return span(member, start, cut_to + blank);
    }
    // The last one: the comma before it would stand alone, which is allowed but not pretty.
    let kept = before.trim_end();
    match kept.strip_suffix(',') {
        Some(kept) => span(member, kept.len(), end),
        None => span(member, start, end),
    }
}

/// The place of `name: value` around the place of the value, where that is what stands there.
pub(crate) fn field(sources: &Sources, name: &str, value: Span) -> Option<Span> {
    let before = sources.text(value.file).get(..value.start as usize)?;
    let name_end = before.trim_end().strip_suffix(':')?.trim_end();
    let start = name_end.strip_suffix(name)?.len();
    Some(span(value, start, value.end as usize))
}

/// What to cut so that the field whose value stands at `value` is gone.
pub(crate) fn field_entry(sources: &Sources, name: &str, value: Span) -> Option<Span> {
    field(sources, name, value).map(|field| entry(sources, field))
}

/// What to insert just before the closing bracket of a list, map or group so that it has one more member.
/// `brackets` covers the brackets; `None` when that is not what stands there.
pub(crate) fn appended(sources: &Sources, brackets: Span, member: &str) -> Option<(Span, String)> {
    let text = sources.slice(brackets);
    let inside = text.strip_suffix([')', ']', '}'])?;
    let kept = inside.trim_end();
    let at = brackets.start + u32::try_from(kept.len()).ok()?;
    let comma = if kept.ends_with(['(', '[', '{', ',']) { "" } else { ", " };
    let comma = if kept.ends_with(',') { " " } else { comma };
    // A comment at the end of the last line would swallow what is added.
    let last_line = inside.rsplit('\n').next().unwrap_or("");
    if kept.rsplit('\n').next().is_some_and(|line| line.contains("//")) && last_line.len() < inside.len() {
        return None;
    }
    Some((Span::new(brackets.file, at, at), format!("{comma}{member}")))
}

fn span(of: Span, start: usize, end: usize) -> Span {
    // Texts are at most `SIZE_BYTES_MAX` long.
    Span::new(of.file, u32::try_from(start).unwrap_or(of.start), u32::try_from(end).unwrap_or(of.end))
}

/// How far the next comma reaches, when only blanks and comments stand before it.
fn comma_after(text: &str) -> Option<usize> {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(',') {
            return Some(text.len() - after.len());
        }
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n')?..];
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = &comment[comment.find("*/")? + 2..];
        } else {
            return None;
        }
    }
}

/// The length of the rest of a line that holds only blanks and a comment, with its line end.
fn line_end(text: &str) -> Option<usize> {
    let line = text.find('\n').map_or(text.len(), |at| at + 1);
    let rest = text[..line].trim();
    (rest.is_empty() || rest.starts_with("//")).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str, member: &str) -> String {
        let mut sources = Sources::new();
        let file = sources.add("p.ron", text);
        let at = text.find(member).expect("the member stands in the text") as u32;
        let cut = entry(&sources, Span::new(file, at, at + member.len() as u32));
        format!("{}{}", &text[..cut.start as usize], &text[cut.end as usize..])
    }

    #[test]
    fn a_member_goes_with_its_comma_and_blank() {
        assert_eq!(without("[a, b, c]", "a"), "[b, c]");
        assert_eq!(without("[a, b, c]", "b"), "[a, c]");
        assert_eq!(without("[a, b, c]", "c"), "[a, b]");
        assert_eq!(without("[a]", "a"), "[]");
        assert_eq!(without("[a /* x */ , b]", "a"), "[b]");
        assert_eq!(without("[a, b\n]", "b"), "[a\n]");
    }

    #[test]
    fn a_member_alone_on_its_line_takes_the_line() {
        assert_eq!(without("{\n    a: 1, // one\n    b: 2,\n}", "a: 1"), "{\n    b: 2,\n}");
        assert_eq!(without("{\n    a: 1,\n    b: 2 // two\n}", "b: 2"), "{\n    a: 1,\n}");
        assert_eq!(without("{\n    a: 1, b: 2,\n}", "a: 1"), "{\n    b: 2,\n}");
        assert_eq!(without("{\n    a: 1, b: 2, // two\n}", "b: 2"), "{\n    a: 1, // two\n}");
    }

    #[test]
    fn a_field_is_found_by_its_value() {
        let mut sources = Sources::new();
        let text = "(tls : Implicit, auth: Never)";
        let file = sources.add("p.ron", text);
        let cut = field_entry(&sources, "tls", Span::new(file, 7, 15)).expect("a field");
        assert_eq!((cut.start, cut.end), (1, 17));
        assert_eq!(field(&sources, "auth", Span::new(file, 7, 15)), None);
    }

    #[test]
    fn a_member_is_added_before_the_bracket() {
        let mut sources = Sources::new();
        for (text, grown) in [
            ("[a]", Some("[a, x]")),
            ("[]", Some("[x]")),
            ("[a, ]", Some("[a, x ]")),
            ("{\n    a,\n}", Some("{\n    a, x\n}")),
            ("[a // why\n]", None),
            ("Everywhere", None),
        ] {
            let file = sources.add("p.ron", text);
            let found = appended(&sources, Span::new(file, 0, text.len() as u32), "x");
            let made =
                found.map(|(at, new)| format!("{}{new}{}", &text[..at.start as usize], &text[at.end as usize..]));
            assert_eq!(made.as_deref(), grown, "{text:?}");
        }
    }
}
