//! Dialogue files, as `tests/dialogs/README.md` describes them, read into steps.

use std::collections::BTreeMap;

/// A dialogue and the connection it happens on.
pub struct Script {
    pub policy: String,
    pub listener: String,
    pub from: String,
    pub steps: Vec<(usize, Step)>,
}

/// One line of a dialogue, `repeat` unrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The server's next line.
    Line(String),
    /// The rest of an SMTP reply: all its lines begin with this code.
    Rest(String),
    Until(String),
    Has(String),
    Lacks(String),
    Silent,
    Closes,
    /// Octets of the client; `true` when they are written at once, `false` when they wait for the next.
    Send(Vec<u8>, bool),
    Tls,
}

impl Step {
    /// How much the client says in it.
    pub fn octets(&self) -> usize {
        if let Step::Send(octets, _) = self { octets.len() } else { 0 }
    }
}

impl Step {
    /// Whether the client says more behind STARTTLS or STLS before it hears the answer: what becomes of that depends on whether
    /// it came in the same piece.
    pub fn injects(&self) -> bool {
        let Step::Send(octets, now) = self else { return false };
        let commands = [&b"STARTTLS\r\n"[..], b"STLS\r\n"];
        let behind = |command: &[u8]| octets.windows(command.len() + 1).any(|it| it.starts_with(command));
        !now && (commands.contains(&octets.as_slice()) || octets.starts_with(b"XCLIENT "))
            || commands.into_iter().any(behind)
    }
}

/// Reads a dialogue. `person` gives login and password of a person of the run.
pub fn read(text: &str, person: &dyn Fn(&str) -> Option<String>) -> Result<Script, String> {
    let (mut header, mut steps, mut begun) = (BTreeMap::new(), Vec::new(), false);
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        if line.trim().is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            if let (false, Some((key, value))) = (begun, comment.split_once(':')) {
                header.insert(key.trim().to_string(), value.trim().to_string());
            }
            continue;
        }
        begun = true;
        if let Some(times) = line.strip_prefix("repeat ") {
            let times: usize = times.trim().parse().map_err(|_| format!("{number}: `{line}`"))?;
            let body: Vec<_> = lines.by_ref().take_while(|(_, line)| line.trim() != "end").collect();
            for n in 1..=times {
                for (index, line) in body.iter().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
                    let line = line.replace("{n}", &n.to_string());
                    steps.push((index + 1, step(index + 1, &line, person)?));
                }
            }
        } else {
            steps.push((number, step(number, line, person)?));
        }
    }
    let mut value = |key: &str, absent: Option<&str>| {
        let value = header.remove(key).or_else(|| absent.map(String::from));
        value.ok_or_else(|| format!("the header lacks `{key}`"))
    };
    Ok(Script {
        policy: value("policy", Some("nantes"))?,
        listener: value("listener", None)?,
        from: value("from", Some("outside"))?,
        steps,
    })
}

fn step(number: usize, line: &str, person: &dyn Fn(&str) -> Option<String>) -> Result<Step, String> {
    let (word, rest) = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, ""))).unwrap_or((line, ""));
    let text = || filled(rest, person).map_err(|error| format!("{number}: {error}"));
    let line_of = |text: String| [text.as_bytes(), b"\r\n"].concat();
    Ok(match word {
        "S" if is_rest(rest) => Step::Rest(rest[..3].to_string()),
        "S" => Step::Line(rest.to_string()),
        "S until" => Step::Until(rest.to_string()),
        "S has" => Step::Has(rest.to_string()),
        "S lacks" => Step::Lacks(rest.to_string()),
        "S silent" => Step::Silent,
        "S closes" => Step::Closes,
        "TLS" => Step::Tls,
        "C" => Step::Send(line_of(text()?), true),
        "C+" => Step::Send(line_of(text()?), false),
        "C raw" => Step::Send(raw(&text()?).map_err(|error| format!("{number}: {error}"))?, true),
        "C+ raw" => Step::Send(raw(&text()?).map_err(|error| format!("{number}: {error}"))?, false),
        "C fill" => Step::Send(fill(rest).ok_or_else(|| format!("{number}: `{line}`"))?, true),
        _ => return Err(format!("{number}: `{line}` is no line of a dialogue")),
    })
}

/// `250-*`: a code, a hyphen and the star alone.
fn is_rest(pattern: &str) -> bool {
    pattern.len() == 5 && pattern.ends_with("-*") && pattern.bytes().take(3).all(|octet| octet.is_ascii_digit())
}

fn fill(rest: &str) -> Option<Vec<u8>> {
    let (count, text) = rest.split_once(' ')?;
    let count: usize = count.parse().ok()?;
    (!text.is_empty()).then(|| text.bytes().cycle().take(count).collect())
}

/// Replaces `{plain:LOGIN}` and its like.
fn filled(text: &str, person: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut done = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        done.push_str(before);
        let end = from.find('}').map_or(from.len(), |end| end + 1);
        let (field, after) = from.split_at(end);
        match field.trim_matches(['{', '}']).split_once(':') {
            Some((kind @ ("plain" | "login" | "password" | "secret"), login)) => {
                let secret = person(login).ok_or_else(|| format!("nobody has the login `{login}`"))?;
                done.push_str(&match kind {
                    "plain" => tests::smtp::base64(format!("\0{login}\0{secret}").as_bytes()),
                    "login" => tests::smtp::base64(login.as_bytes()),
                    "password" => tests::smtp::base64(secret.as_bytes()),
                    _ => secret,
                });
            }
            // A literal of IMAP: `{12}` or `{12+}`.
            _ => done.push_str(field),
        }
        rest = after;
    }
    done.push_str(rest);
    Ok(done)
}

fn raw(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            octets.push(byte);
            continue;
        }
        octets.push(match bytes.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b'0') => 0,
            Some(b't') => b'\t',
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).map_err(|_| format!("`\\x{digits}`"))?
            }
            other => return Err(format!("unknown escape {other:?}")),
        });
    }
    Ok(octets)
}

/// Whether a line matches a pattern in which `*` stands for anything.
pub fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[test]
fn patterns_have_one_special_character() {
    for (pattern, line, expected) in [
        ("220 *", "220 mx ESMTP", true),
        ("220 *", "220-mx", false),
        ("a*b*c", "a--b--b-c", true),
        ("a*bc", "abc", true),
        ("a*b", "a", false),
        ("250 OK", "250 OK", true),
        ("250 OK", "250 OK.", false),
        ("*", "", true),
    ] {
        assert_eq!(matches(pattern, line), expected, "{pattern} {line}");
    }
}

#[test]
fn each_kind_of_line_is_read() {
    let text = "# What it shows: prose.\n# listener: mx\n\nS: 220 *\nC: EHLO a\nS: 250-*\nS has: SIZE *\nC+: {plain:a}\n\
                repeat 2\nC raw: {n}\\r\\x41\nend\nC fill: 5 ab\nC: x {3}\nTLS\nS silent\nS closes\n";
    let script = read(text, &|login| (login == "a").then(|| "b".into())).expect("a good dialogue");
    assert_eq!((script.policy.as_str(), script.listener.as_str(), script.from.as_str()), ("nantes", "mx", "outside"));
    let steps: Vec<Step> = script.steps.into_iter().map(|(_, step)| step).collect();
    let expected = [
        Step::Line("220 *".into()),
        Step::Send(b"EHLO a\r\n".to_vec(), true),
        Step::Rest("250".into()),
        Step::Has("SIZE *".into()),
        Step::Send(b"AGEAYg==\r\n".to_vec(), false),
        Step::Send(b"1\rA".to_vec(), true),
        Step::Send(b"2\rA".to_vec(), true),
        Step::Send(b"ababa".to_vec(), true),
        Step::Send(b"x {3}\r\n".to_vec(), true),
        Step::Tls,
        Step::Silent,
        Step::Closes,
    ];
    assert_eq!(steps, expected);
}

#[test]
fn a_bad_line_is_named() {
    let nobody = |_: &str| None;
    assert!(read("# listener: mx\nX: 1\n", &nobody).is_err_and(|error| error.starts_with("2: ")));
    assert!(read("S: 220\n", &nobody).is_err());
    assert!(read("# listener: mx\nC: {plain:nobody}\n", &nobody).is_err());
}
