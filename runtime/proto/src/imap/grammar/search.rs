//! SEARCH (RFC 9051 6.4.4, RFC 3501 6.4.4), SORT and THREAD (RFC 5256 5).

use nom::branch::alt;
use nom::bytes::streaming::{tag, tag_no_case, take_while1};
use nom::character::streaming::char as octet;
use nom::combinator::{map, map_opt, opt};
use nom::multi::separated_list1;
use nom::sequence::{delimited, preceded, separated_pair, terminated};
use nom::{Err, Needed, Parser};

use super::fetch::fetch_item;
use super::mailbox::Coding;
use super::notify::{filter_mailboxes, one_or_more};
use super::set::messages;
use super::word::{Parsed, astring, atom, list0, list1, number64, nz_number, quoted, refuse, sp};
use crate::imap::command::{Command, FetchItem, Key, OnAccount, OnSelected, When, Window};
use crate::imap::command::{MultiSearch, Purpose, Returns, Search, Source};
use crate::imap::event::Mailboxes;
use mail::date::Day;
use mail::order::{Criterion, Key as SortKey};
use mail::thread::Algorithm;
use mail::{Keyword, SystemFlags};

/// Deepest nesting of parentheses, NOT and OR.
pub const DEPTH_MAX: usize = 32;
/// Most criteria in one SORT: no more than there are keys say anything, each in both directions.
const CRITERIA_MAX: usize = 18;
/// Most sources in one ESEARCH: each is compared with each mailbox.
const SOURCES_MAX: usize = 64;
/// Most keys in one SEARCH: each is evaluated for each message.
pub const KEYS_MAX: usize = 512;

/// `search = "SEARCH" [search-return-opts] SP search-program`, behind the name:
/// `search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)`
pub fn search(uid: bool) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, (returns, update_items)) = returns(input)?;
        let charset = delimited(tag_no_case("CHARSET "), astring, octet(' '));
        let charset = map(charset, |name| String::from_utf8_lossy(&name).into_owned());
        let (rest, charset) = opt(charset).parse(rest)?;
        let (rest, key) = program(rest)?;
        let purpose = Purpose::Search(returns);
        Ok((rest, OnSelected::Search(Search { uid, purpose, charset, key, update_items }).into()))
    }
}

/// `esearch = "ESEARCH" [SP scope] [search-return-opts] SP search-program`,
/// `scope = "IN (" source-mbox *(SP source-mbox) ")"` (RFC 7377 3). No options of a scope are known.
pub fn multi_search(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let sources = map_opt(list1(source(coding)), |all| (all.len() <= SOURCES_MAX).then_some(all));
        let scope = delimited(tag_no_case("IN "), sources, octet(' '));
        let (rest, sources) = opt(scope).parse(input)?;
        let sources = sources.unwrap_or_else(|| vec![Source::Of(Mailboxes::Selected { delayed: false })]);
        let (rest, (returns, _)) = returns(rest)?;
        let charset = delimited(tag_no_case("CHARSET "), astring, octet(' '));
        let charset = map(charset, |name| String::from_utf8_lossy(&name).into_owned());
        let (rest, charset) = opt(charset).parse(rest)?;
        let (rest, key) = program(rest)?;
        Ok((rest, OnAccount::MultiSearch(MultiSearch { sources, returns, charset, key }).into()))
    }
}

/// `source-mbox = filter-mailboxes / "subtree-one" SP one-or-more-mailbox`
fn source(coding: Coding) -> impl Fn(&[u8]) -> Parsed<'_, Source> {
    move |input| {
        let below = preceded(tag_no_case("subtree-one "), one_or_more(coding));
        alt((map(below, Source::SubtreeOne), map(filter_mailboxes(coding), Source::Of))).parse(input)
    }
}

/// `sort = "SORT" [search-return-opts] SP "(" sort-criterion *(SP sort-criterion) ")" SP search-criteria` (RFC 5267 5)
pub fn sort(uid: bool) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let (rest, (returns, update_items)) = returns(input)?;
        let (rest, criteria) = delimited(octet('('), separated_list1(octet(' '), criterion), tag(") ")).parse(rest)?;
        if criteria.len() > CRITERIA_MAX {
            return refuse(input);
        }
        let (rest, (charset, key)) = criteria_of_search(rest)?;
        let purpose = Purpose::Sort { returns, criteria };
        Ok((rest, OnSelected::Search(Search { uid, purpose, charset, key, update_items }).into()))
    }
}

/// `sort-criterion = ["REVERSE" SP] sort-key`
fn criterion(input: &[u8]) -> Parsed<'_, Criterion> {
    let (rest, word) = map(atom, str::to_ascii_uppercase).parse(input)?;
    if word == "REVERSE" {
        let (rest, key) = preceded(sp, map_opt(atom, sort_key)).parse(rest)?;
        return Ok((rest, Criterion { key, reverse: true }));
    }
    match sort_key(&word) {
        Some(key) => Ok((rest, Criterion { key, reverse: false })),
        None => refuse(input),
    }
}

/// `sort-key`, with those of RFC 5957.
fn sort_key(word: &str) -> Option<SortKey> {
    Some(match word.to_ascii_uppercase().as_str() {
        "ARRIVAL" => SortKey::Arrival,
        "CC" => SortKey::Cc,
        "DATE" => SortKey::Date,
        "FROM" => SortKey::From,
        "SIZE" => SortKey::Size,
        "SUBJECT" => SortKey::Subject,
        "TO" => SortKey::To,
        "DISPLAYFROM" => SortKey::DisplayFrom,
        "DISPLAYTO" => SortKey::DisplayTo,
        _ => return None,
    })
}

/// `thread = "THREAD" SP thread-alg SP search-criteria`
pub fn thread(uid: bool) -> impl Fn(&[u8]) -> Parsed<'_, Command> {
    move |input| {
        let algorithm = map_opt(atom, |word| match word.to_ascii_uppercase().as_str() {
            "ORDEREDSUBJECT" => Some(Algorithm::OrderedSubject),
            "REFERENCES" => Some(Algorithm::References),
            _ => None,
        });
        let (rest, algorithm) = terminated(algorithm, octet(' ')).parse(input)?;
        let (rest, (charset, key)) = criteria_of_search(rest)?;
        let purpose = Purpose::Thread(algorithm);
        let update_items = Vec::new();
        Ok((rest, OnSelected::Search(Search { uid, purpose, charset, key, update_items }).into()))
    }
}

/// `cancelupdate = "CANCELUPDATE" 1*(SP quoted)` (RFC 5267 6)
pub fn cancel_update(input: &[u8]) -> Parsed<'_, Command> {
    map(separated_list1(octet(' '), quoted), |tags| OnSelected::CancelUpdate(tags).into()).parse(input)
}

/// `uidbatches = "UIDBATCHES" SP nz-number [SP nz-number ":" nz-number]` (RFC 10022)
pub fn uid_batches(input: &[u8]) -> Parsed<'_, Command> {
    let batches = opt(preceded(sp, separated_pair(nz_number, octet(':'), nz_number)));
    map((nz_number, batches), |(size, batches)| {
        let batches = batches.map(|(first, last)| (first.get(), last.get()));
        OnSelected::UidBatches { size: size.get(), batches }.into()
    })
    .parse(input)
}

/// `search-criteria = charset 1*(SP search-key)`
fn criteria_of_search(input: &[u8]) -> Parsed<'_, (Option<String>, Key)> {
    let charset = map(astring, |name| Some(String::from_utf8_lossy(&name).into_owned()));
    (terminated(charset, octet(' ')), program).parse(input)
}

fn program(input: &[u8]) -> Parsed<'_, Key> {
    keys(input, DEPTH_MAX, &mut { KEYS_MAX })
}

/// `["RETURN (" [search-return-opt *(SP search-return-opt)] ") "]`, with what UPDATE has fetched.
fn returns(input: &[u8]) -> Parsed<'_, (Option<Returns>, Vec<FetchItem>)> {
    let options = list0(return_option);
    let (rest, options) = opt(delimited(tag_no_case("RETURN "), options, octet(' '))).parse(input)?;
    let Some(mut options) = options else { return Ok((rest, (None, Vec::new()))) };
    let items = options.iter_mut().flat_map(|option| std::mem::take(&mut option.items)).collect();
    match result_options(&options) {
        Some(returns) => Ok((rest, (Some(returns), items))),
        None => refuse(input),
    }
}

/// A word of RETURN and what stands behind it.
struct ReturnOption {
    word: String,
    window: Option<Window>,
    items: Vec<FetchItem>,
}

/// ```abnf
/// search-return-opt = "MIN" / "MAX" / "ALL" / "COUNT" / "SAVE" / "PARTIAL" SP partial-range / "CONTEXT" /
///                     "UPDATE" [SP "(" fetch-att *(SP fetch-att) ")"]
/// ```
fn return_option(input: &[u8]) -> Parsed<'_, ReturnOption> {
    let (rest, word) = map(atom, str::to_ascii_uppercase).parse(input)?;
    let (rest, window, items) = match word.as_str() {
        "PARTIAL" => map(preceded(sp, window), |window| (Some(window), None)).parse(rest),
        "UPDATE" => map(opt(preceded(tag(" "), list1(fetch_item))), |items| (None, items)).parse(rest),
        _ => Ok((rest, (None, None))),
    }
    .map(|(rest, (window, items))| (rest, window, items.unwrap_or_default()))?;
    Ok((rest, ReturnOption { word, window, items }))
}

/// RFC 4731 3.1 and RFC 5182: where nothing is named that is returned, it is ALL. RFC 9394 3.1: PARTIAL is there once, and ALL is
/// not there with it. CONTEXT is a hint of what will be asked next (RFC 5267 4.2); nothing is done with it.
fn result_options(options: &[ReturnOption]) -> Option<Returns> {
    let silent = options.iter().all(|option| ["UPDATE", "CONTEXT"].contains(&option.word.as_str()));
    let mut returns = Returns { all: silent, ..Returns::default() };
    for option in options {
        match option.word.as_str() {
            "MIN" => returns.min = true,
            "MAX" => returns.max = true,
            "ALL" => returns.all = true,
            "COUNT" => returns.count = true,
            "SAVE" => returns.save = true,
            "UPDATE" => returns.update = true,
            "CONTEXT" => {}
            "PARTIAL" if returns.partial.is_none() => returns.partial = option.window,
            _ => return None,
        }
    }
    (returns.partial.is_none() || !returns.all).then_some(returns)
}

/// `partial-range = nz-number ":" nz-number / "-" nz-number ":-" nz-number` (RFC 9394 4)
pub fn window(input: &[u8]) -> Parsed<'_, Window> {
    let (rest, minus) = opt(octet('-')).parse(input)?;
    let from_end = minus.is_some();
    let colon = if from_end { ":-" } else { ":" };
    map(separated_pair(nz_number, tag(colon), nz_number), move |(one, other)| Window {
        from_end,
        one: one.get(),
        other: other.get(),
    })
    .parse(rest)
}

/// `search-key *(SP search-key)`: all of them must hold.
fn keys<'a>(input: &'a [u8], depth: usize, budget: &mut usize) -> Parsed<'a, Key> {
    let (mut rest, first) = key(input, depth, budget)?;
    let mut all = vec![first];
    loop {
        let (behind, space) = opt(octet(' ')).parse(rest)?;
        if space.is_none() {
            let key = match <[Key; 1]>::try_from(all) {
                Ok([one]) => one,
                Err(many) => Key::And(many),
            };
            return Ok((rest, key));
        }
        let (behind, next) = key(behind, depth, budget)?;
        all.push(next);
        rest = behind;
    }
}

fn key<'a>(input: &'a [u8], depth: usize, budget: &mut usize) -> Parsed<'a, Key> {
    if depth == 0 || *budget == 0 {
        return refuse(input);
    }
    *budget -= 1;
    match input.first() {
        None => Err(Err::Incomplete(Needed::Unknown)),
        Some(b'(') => {
            let (rest, inside) = keys(&input[1..], depth - 1, budget)?;
            let (rest, _) = octet(')').parse(rest)?;
            Ok((rest, inside))
        }
        Some(b'0'..=b'9' | b'*' | b'$') => map(messages(false), Key::Messages).parse(input),
        Some(_) => named(input, depth, budget),
    }
}

/// A key that begins with its name.
fn named<'a>(input: &'a [u8], depth: usize, budget: &mut usize) -> Parsed<'a, Key> {
    let (rest, word) = atom(input)?;
    let name = word.to_ascii_uppercase();
    match name.as_str() {
        "NOT" => {
            let (rest, ()) = sp(rest)?;
            let (rest, inner) = key(rest, depth - 1, budget)?;
            Ok((rest, Key::Not(Box::new(inner))))
        }
        "OR" => {
            let (rest, ()) = sp(rest)?;
            let (rest, one) = key(rest, depth - 1, budget)?;
            let (rest, ()) = sp(rest)?;
            let (rest, other) = key(rest, depth - 1, budget)?;
            Ok((rest, Key::Or(Box::new(one), Box::new(other))))
        }
        "UID" => preceded(sp, map(messages(true), Key::Messages)).parse(rest),
        _ => match plain(&name) {
            Some(found) => Ok((rest, found)),
            None => with_argument(&name, rest),
        },
    }
}

/// Keys without an argument.
fn plain(name: &str) -> Option<Key> {
    let flag = |flag, set| Key::Flag { flag, set };
    Some(match name {
        "ALL" => Key::All,
        "ANSWERED" => flag(SystemFlags::ANSWERED, true),
        "DELETED" => flag(SystemFlags::DELETED, true),
        "DRAFT" => flag(SystemFlags::DRAFT, true),
        "FLAGGED" => flag(SystemFlags::FLAGGED, true),
        "SEEN" => flag(SystemFlags::SEEN, true),
        "UNANSWERED" => flag(SystemFlags::ANSWERED, false),
        "UNDELETED" => flag(SystemFlags::DELETED, false),
        "UNDRAFT" => flag(SystemFlags::DRAFT, false),
        "UNFLAGGED" => flag(SystemFlags::FLAGGED, false),
        "UNSEEN" => flag(SystemFlags::SEEN, false),
        "RECENT" | "NEW" => Key::Recent,
        "OLD" => Key::Not(Box::new(Key::Recent)),
        // RFC 8514 4.3: every mailbox here keeps that date.
        "SAVEDATESUPPORTED" => Key::All,
        _ => return None,
    })
}

fn with_argument<'a>(name: &str, input: &'a [u8]) -> Parsed<'a, Key> {
    let field = |field: &'static str| map(astring, move |text| Key::Header { field: field.to_owned(), text });
    let (rest, ()) = match name {
        "FROM" | "TO" | "CC" | "BCC" | "SUBJECT" | "BODY" | "TEXT" | "HEADER" | "KEYWORD" | "UNKEYWORD" | "LARGER"
        | "SMALLER" | "BEFORE" | "ON" | "SINCE" | "SENTBEFORE" | "SENTON" | "SENTSINCE" | "SAVEDBEFORE" | "SAVEDON"
        | "SAVEDSINCE" | "OLDER" | "YOUNGER" | "MODSEQ" | "EMAILID" | "THREADID" => sp(input)?,
        _ => return refuse(input),
    };
    match name {
        "FROM" => field("From").parse(rest),
        "TO" => field("To").parse(rest),
        "CC" => field("Cc").parse(rest),
        "BCC" => field("Bcc").parse(rest),
        "SUBJECT" => field("Subject").parse(rest),
        "BODY" => map(astring, Key::Body).parse(rest),
        "TEXT" => map(astring, Key::Text).parse(rest),
        "HEADER" => header(rest),
        "KEYWORD" => map(keyword, |keyword| Key::Keyword { keyword, set: true }).parse(rest),
        "UNKEYWORD" => map(keyword, |keyword| Key::Keyword { keyword, set: false }).parse(rest),
        "LARGER" => map(number64, Key::Larger).parse(rest),
        "SMALLER" => map(number64, Key::Smaller).parse(rest),
        "BEFORE" => map(date, |day| Key::Arrived(When::Before, day)).parse(rest),
        "ON" => map(date, |day| Key::Arrived(When::On, day)).parse(rest),
        "SINCE" => map(date, |day| Key::Arrived(When::Since, day)).parse(rest),
        "SENTBEFORE" => map(date, |day| Key::Sent(When::Before, day)).parse(rest),
        "SENTON" => map(date, |day| Key::Sent(When::On, day)).parse(rest),
        "SENTSINCE" => map(date, |day| Key::Sent(When::Since, day)).parse(rest),
        "SAVEDBEFORE" => map(date, |day| Key::Saved(When::Before, day)).parse(rest),
        "SAVEDON" => map(date, |day| Key::Saved(When::On, day)).parse(rest),
        "SAVEDSINCE" => map(date, |day| Key::Saved(When::Since, day)).parse(rest),
        "OLDER" => map(nz_number, |seconds| Key::Older(seconds.get())).parse(rest),
        "YOUNGER" => map(nz_number, |seconds| Key::Younger(seconds.get())).parse(rest),
        "MODSEQ" => mod_seq(rest),
        "EMAILID" => map(object_id, Key::EmailId).parse(rest),
        _ => map(object_id, Key::ThreadId).parse(rest),
    }
}

/// `"MODSEQ" [search-modseq-ext] SP mod-sequence-valzer`, `search-modseq-ext = SP entry-name SP entry-type-req` (RFC 7162 7). All
/// flags of a message, shared and private, have one MODSEQ.
fn mod_seq(input: &[u8]) -> Parsed<'_, Key> {
    let kind = map_opt(atom, |word| {
        ["all", "priv", "shared"].iter().any(|kind| word.eq_ignore_ascii_case(kind)).then_some(())
    });
    let entry = map_opt(quoted, |name| name.get(..7)?.eq_ignore_ascii_case(b"/flags/").then_some(()));
    let (rest, _) = opt(terminated((entry, sp, kind), sp)).parse(input)?;
    map(number64, Key::ModSeq).parse(rest)
}

/// `objectid = 1*255(ALPHA / DIGIT / "_" / "-")` (RFC 8474 7)
fn object_id(input: &[u8]) -> Parsed<'_, String> {
    let is_id = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_' || octet == b'-';
    map_opt(take_while1(is_id), |id: &[u8]| (id.len() <= 255).then(|| String::from_utf8_lossy(id).into_owned()))
        .parse(input)
}

/// `"HEADER" SP header-fld-name SP astring`
fn header(input: &[u8]) -> Parsed<'_, Key> {
    let name = map_opt(astring, |octets| String::from_utf8(octets).ok());
    map((terminated(name, sp), astring), |(field, text)| Key::Header { field, text }).parse(input)
}

fn keyword(input: &[u8]) -> Parsed<'_, Keyword> {
    map_opt(atom, Keyword::new).parse(input)
}

/// `date = date-text / DQUOTE date-text DQUOTE`
fn date(input: &[u8]) -> Parsed<'_, Day> {
    let bare = map(atom, |text| text.as_bytes().to_vec());
    map_opt(alt((quoted, bare)), |text| Day::parse_imap(&text)).parse(input)
}
