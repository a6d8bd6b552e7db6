//! The grammar of commands (RFC 9051 9), one parser for each rule with the rule above it.
//!
//! INVARIANT (incomplete): each prefix of a valid command is `Incomplete`, never an error. Literals are read in place; the
//! session bounds what it puts in front of the grammar.

mod acl;
mod append;
mod fetch;
mod flags;
mod mailbox;
mod metadata;
mod notify;
mod search;
mod select;
mod set;
mod url;
mod word;

use nom::bytes::streaming::take_while1;
use nom::combinator::{map, map_opt, opt, value};
use nom::sequence::{delimited, preceded, terminated};
use nom::{Err, Parser};

use super::command::{
    Append, BadAppend, BadStretch, Command, End, Inside, Literal, OnAccount, OnAcl, OnSelected, Stretch, Tag, Tagged,
};
pub use mailbox::Coding;
use mailbox::mailbox as mailbox_name;
use set::messages;
pub use url::url;
use word::{Parsed, astring, atom, command_tag, crlf, list0, nstring, sp};

#[cfg(test)]
pub use fetch::items as fetch_items;
#[cfg(test)]
pub use mailbox::PATTERN_OCTETS_MAX;

/// Most names in ENABLE, most parameters in ID.
const WORDS_MAX: usize = 64;

/// Why there is no command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCommand {
    Incomplete,
    /// Not even a tag.
    NoTag,
    Unknown(Tag),
    Arguments {
        tag: Tag,
        name: String,
    },
}

/// Reads one command with its line end; what stands behind it is returned.
pub fn command(input: &[u8], coding: Coding) -> Result<(&[u8], Tagged), NoCommand> {
    let (rest, tag) = terminated(command_tag, sp).parse(input).map_err(|error| match error {
        Err::Incomplete(_) => NoCommand::Incomplete,
        Err::Error(_) | Err::Failure(_) => NoCommand::NoTag,
    })?;
    let refusal = |error: Err<nom::error::Error<&[u8]>>, no_command: NoCommand| match error {
        Err::Incomplete(_) => NoCommand::Incomplete,
        Err::Error(_) | Err::Failure(_) => no_command,
    };
    let (rest, name) = command_name(rest).map_err(|error| refusal(error, NoCommand::Unknown(tag.clone())))?;
    let Some(arguments) = arguments(&name) else {
        // Sound ones do not come here: their content streams.
        let known = matches!(name.as_str(), "APPEND" | "REPLACE" | "UID REPLACE");
        return Err(if known { NoCommand::Arguments { tag, name } } else { NoCommand::Unknown(tag) });
    };
    let parsed = arguments(rest, coding).and_then(|(rest, command)| crlf(rest).map(|(rest, ())| (rest, command)));
    match parsed {
        Ok((rest, command)) => Ok((rest, Tagged { tag, command })),
        Err(error) => Err(refusal(error, NoCommand::Arguments { tag, name })),
    }
}

/// Reads an APPEND or REPLACE up to the octets of its content, which `literal` announced; `None` for another command, and
/// while the literal may be the name of the mailbox or a URL.
pub fn append(input: &[u8], literal: Literal, coding: Coding) -> Option<Result<Append, BadAppend>> {
    match append::append(coding)(input) {
        Ok((rest, append)) => rest.is_empty().then_some(Ok(append)),
        Err(Err::Incomplete(_)) => None,
        Err(Err::Error(_) | Err::Failure(_)) => {
            append::complaint(input, coding).map(|(tag, what)| Err(BadAppend { tag, what, literal }))
        }
    }
}

/// Reads an APPEND or REPLACE that has no literal to stream; `None` for everything else.
pub fn whole_append(input: &[u8], coding: Coding) -> Option<Append> {
    match append::append(coding)(input) {
        Ok(([], append)) if append.stretch.end == End::Command => Some(append),
        Ok(_) | Err(_) => None,
    }
}

/// Reads on behind a literal that streamed; `literal` is what the end of the input announced. `None` while that may be a URL.
pub fn stretch(input: &[u8], inside: Inside, literal: Option<Literal>) -> Option<Result<Stretch, BadStretch>> {
    match append::stretch(Some(inside))(input) {
        Ok(([], stretch)) => Some(Ok(stretch)),
        Err(Err::Incomplete(_)) if literal.is_some() => None,
        Ok(_) | Err(_) => Some(Err(BadStretch { literal })),
    }
}

/// The size of the literal that the end of `line`, without its CRLF, announces (RFC 9051 4.3). No other line may end
/// with `}`: it is no atom character, and a quoted string ends with its quote.
pub fn literal_at_end(line: &[u8]) -> Option<Literal> {
    let digits = line.strip_suffix(b"}")?;
    let (digits, plus) = digits.strip_suffix(b"+").map_or((digits, false), |digits| (digits, true));
    let start = digits.iter().rposition(|octet| *octet == b'{')? + 1;
    let text = std::str::from_utf8(&digits[start..]).ok()?;
    let sound = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    // A number past 64 bits is a size past every bound, not a line without literal.
    let size_octets = text.parse().unwrap_or(u64::MAX);
    sound.then_some(Literal { size_octets, synchronizing: !plus })
}

/// The tag of a line that is no command, so that the refusal can carry it.
pub fn tag_of(line: &[u8]) -> Option<Tag> {
    terminated(command_tag, sp).parse(line).ok().map(|(_, tag)| tag)
}

/// The name in upper case, two words for UID commands.
fn command_name(input: &[u8]) -> Parsed<'_, String> {
    let word = || {
        map(take_while1(|o: u8| o.is_ascii_alphanumeric() || o == b'-'), |word: &[u8]| {
            String::from_utf8_lossy(word).to_ascii_uppercase()
        })
    };
    let (rest, first) = word().parse(input)?;
    if first != "UID" {
        return Ok((rest, first));
    }
    map(preceded(sp, word()), |second| format!("UID {second}")).parse(rest)
}

type Arguments = for<'a> fn(&'a [u8], Coding) -> Parsed<'a, Command>;

/// Reads what stands between a command's name and its line end.
fn arguments(name: &str) -> Option<Arguments> {
    in_any_state(name).or_else(|| on_account(name)).or_else(|| on_rights(name)).or_else(|| on_selected(name))
}

fn in_any_state(name: &str) -> Option<Arguments> {
    Some(match name {
        "CAPABILITY" => |input, _| Ok((input, Command::Capability)),
        "NOOP" => |input, _| Ok((input, Command::Noop)),
        "LOGOUT" => |input, _| Ok((input, Command::Logout)),
        "ID" => |input, _| id(input),
        "STARTTLS" => |input, _| Ok((input, Command::StartTls)),
        "LOGIN" => |input, _| login(input),
        "AUTHENTICATE" => |input, _| authenticate(input),
        _ => return None,
    })
}

fn on_account(name: &str) -> Option<Arguments> {
    Some(match name {
        "ENABLE" => |input, _| enable(input),
        "NAMESPACE" => |input, _| Ok((input, OnAccount::Namespace.into())),
        "SELECT" => |input, coding| preceded(sp, select::select(coding, false)).parse(input),
        "EXAMINE" => |input, coding| preceded(sp, select::select(coding, true)).parse(input),
        "CREATE" => |input, coding| preceded(sp, mailbox::create(coding)).parse(input),
        "DELETE" => {
            |input, coding| map(preceded(sp, mailbox_name(coding)), |it| OnAccount::Delete(it).into()).parse(input)
        }
        "RENAME" => |input, coding| preceded(sp, mailbox::rename(coding)).parse(input),
        "SUBSCRIBE" => |input, coding| subscribe(input, coding, true),
        "UNSUBSCRIBE" => |input, coding| subscribe(input, coding, false),
        "LIST" => |input, coding| preceded(sp, mailbox::list(coding)).parse(input),
        "NOTIFY" => |input, coding| preceded(sp, notify::notify(coding)).parse(input),
        "LSUB" => |input, coding| preceded(sp, mailbox::lsub(coding)).parse(input),
        "STATUS" => |input, coding| preceded(sp, mailbox::status(coding)).parse(input),
        "GETQUOTA" => |input, _| map(preceded(sp, astring), |root| OnAccount::GetQuota { root }.into()).parse(input),
        "GETQUOTAROOT" => |input, coding| {
            map(preceded(sp, mailbox_name(coding)), |it| OnAccount::GetQuotaRoot(it).into()).parse(input)
        },
        "ESEARCH" => |input, coding| preceded(sp, search::multi_search(coding)).parse(input),
        "COMPRESS" => |input, _| compress(input),
        "IDLE" => |input, _| Ok((input, OnAccount::Idle.into())),
        _ => return None,
    })
}

/// Rights, METADATA, and what is beside quotas.
fn on_rights(name: &str) -> Option<Arguments> {
    Some(match name {
        "GETACL" => |input, coding| map(preceded(sp, mailbox_name(coding)), |it| OnAcl::Get(it).into()).parse(input),
        "MYRIGHTS" => {
            |input, coding| map(preceded(sp, mailbox_name(coding)), |it| OnAcl::MyRights(it).into()).parse(input)
        }
        "LISTRIGHTS" => |input, coding| preceded(sp, acl::list_rights(coding)).parse(input),
        "SETACL" => |input, coding| preceded(sp, acl::set_acl(coding)).parse(input),
        "DELETEACL" => |input, coding| preceded(sp, acl::delete_acl(coding)).parse(input),
        "GETMETADATA" => |input, coding| preceded(sp, metadata::get(coding)).parse(input),
        "SETMETADATA" => |input, coding| preceded(sp, metadata::set(coding)).parse(input),
        "SETQUOTA" => |input, _| preceded(sp, acl::set_quota).parse(input),
        _ => return None,
    })
}

fn on_selected(name: &str) -> Option<Arguments> {
    Some(match name {
        "CHECK" => |input, _| Ok((input, OnSelected::Check.into())),
        "CLOSE" => |input, _| Ok((input, OnSelected::Close.into())),
        "UNSELECT" => |input, _| Ok((input, OnSelected::Unselect.into())),
        "EXPUNGE" => |input, _| Ok((input, OnSelected::Expunge.into())),
        "UID EXPUNGE" => {
            |input, _| map(preceded(sp, messages(true)), |it| OnSelected::UidExpunge(it).into()).parse(input)
        }
        "FETCH" => |input, _| preceded(sp, fetch::fetch(false)).parse(input),
        "UID FETCH" => |input, _| preceded(sp, fetch::fetch(true)).parse(input),
        "STORE" => |input, _| preceded(sp, flags::store(false)).parse(input),
        "UID STORE" => |input, _| preceded(sp, flags::store(true)).parse(input),
        "COPY" => |input, coding| copy(input, coding, false),
        "UID COPY" => |input, coding| copy(input, coding, true),
        "MOVE" => |input, coding| move_(input, coding, false),
        "UID MOVE" => |input, coding| move_(input, coding, true),
        "SEARCH" => |input, _| preceded(sp, search::search(false)).parse(input),
        "UID SEARCH" => |input, _| preceded(sp, search::search(true)).parse(input),
        "CANCELUPDATE" => |input, _| preceded(sp, search::cancel_update).parse(input),
        "UIDBATCHES" => |input, _| preceded(sp, search::uid_batches).parse(input),
        "SORT" => |input, _| preceded(sp, search::sort(false)).parse(input),
        "UID SORT" => |input, _| preceded(sp, search::sort(true)).parse(input),
        "THREAD" => |input, _| preceded(sp, search::thread(false)).parse(input),
        "UID THREAD" => |input, _| preceded(sp, search::thread(true)).parse(input),
        _ => return None,
    })
}

/// `id = "ID" SP id-params-list`, `id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil` (RFC 2971)
fn id(input: &[u8]) -> Parsed<'_, Command> {
    let pair = map((word::string, sp, nstring), |(field, (), value)| (field, value));
    let list = map_opt(list0(pair), |pairs| (pairs.len() <= WORDS_MAX).then_some(pairs));
    let nil = value(Vec::new(), nom::bytes::streaming::tag_no_case("NIL"));
    map(preceded(sp, nom::branch::alt((list, nil))), |pairs| {
        let name = pairs.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(b"name"));
        Command::Id { client: name.and_then(|(_, value)| String::from_utf8(value?).ok()) }
    })
    .parse(input)
}

/// `login = "LOGIN" SP userid SP password`
fn login(input: &[u8]) -> Parsed<'_, Command> {
    map((preceded(sp, astring), preceded(sp, astring)), |(login, secret)| Command::Login { login, secret }).parse(input)
}

/// `authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]`, `initial-resp = base64 / "="` (RFC 4959)
fn authenticate(input: &[u8]) -> Parsed<'_, Command> {
    let base64 = take_while1(|o: u8| o.is_ascii_alphanumeric() || b"+/=".contains(&o));
    let initial = opt(preceded(sp, map(base64, |text: &[u8]| String::from_utf8_lossy(text).into_owned())));
    map((preceded(sp, map(atom, str::to_owned)), initial), |(mechanism, initial)| Command::Authenticate {
        mechanism,
        initial,
    })
    .parse(input)
}

/// `enable = "ENABLE" 1*(SP capability)` (RFC 5161)
fn enable(input: &[u8]) -> Parsed<'_, Command> {
    let word = preceded(sp, map(atom, str::to_owned));
    map_opt(nom::multi::many1(word), |words| (words.len() <= WORDS_MAX).then_some(OnAccount::Enable(words).into()))
        .parse(input)
}

/// `subscribe = "SUBSCRIBE" SP mailbox`
fn subscribe(input: &[u8], coding: Coding, on: bool) -> Parsed<'_, Command> {
    map(preceded(sp, mailbox_name(coding)), move |name| OnAccount::Subscribe { name, on }.into()).parse(input)
}

/// `compress = "COMPRESS" SP algorithm`, `algorithm = "DEFLATE"` (RFC 4978)
fn compress(input: &[u8]) -> Parsed<'_, Command> {
    value(OnAccount::Compress.into(), preceded(sp, nom::bytes::streaming::tag_no_case("DEFLATE"))).parse(input)
}

/// `copy = "COPY" SP sequence-set SP mailbox`
fn copy(input: &[u8], coding: Coding, uid: bool) -> Parsed<'_, Command> {
    map((delimited(sp, messages(uid), sp), mailbox_name(coding)), |(messages, to)| {
        OnSelected::Copy { messages, to }.into()
    })
    .parse(input)
}

/// `move = "MOVE" SP sequence-set SP mailbox` (RFC 6851)
fn move_(input: &[u8], coding: Coding, uid: bool) -> Parsed<'_, Command> {
    map((delimited(sp, messages(uid), sp), mailbox_name(coding)), |(messages, to)| {
        OnSelected::Move { messages, to }.into()
    })
    .parse(input)
}

/// For the fuzzer: no panic, reading the same octets twice says the same, and names survive modified UTF-7.
pub fn fuzz(octets: &[u8]) {
    for coding in [Coding::Utf7, Coding::Utf8] {
        let first = command(octets, coding);
        assert_eq!(first, command(octets, coding));
        if let Ok((rest, _)) = &first {
            assert!(rest.len() < octets.len());
        }
        if let Some(text) = super::utf7::decode(octets) {
            assert_eq!(super::utf7::decode(super::utf7::encode(&text).as_bytes()), Some(text));
        }
        let _ = (
            append(octets, Literal { size_octets: 1, synchronizing: false }, coding),
            whole_append(octets, coding),
            [Inside::Message, Inside::Utf8, Inside::Catenate].map(|inside| stretch(octets, inside, None)),
            url(octets),
            literal_at_end(octets),
            tag_of(octets),
        );
    }
}

#[cfg(test)]
mod generated;
#[cfg(test)]
mod tests;
