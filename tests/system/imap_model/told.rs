//! Untagged responses as values.

/// A difference between what came and what had to come.
pub type Difference = String;

/// Flags of the model, in the order of their bits.
pub const FLAGS: [&str; 7] = ["\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft", "$Work", "$Junk"];
pub const DELETED: u8 = 1 << 2;
pub const SEEN: u8 = 1 << 3;

/// One untagged response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Exists(usize),
    Expunge(usize),
    Vanished {
        earlier: bool,
        uids: Vec<u32>,
    },
    Fetch(Fetched),
    Search(Vec<u32>),
    Sort(Vec<u32>),
    /// The numbers as they stand there, whatever threads they are in.
    Thread(Vec<u32>),
    /// Highest and lowest UID of each.
    UidBatches(Vec<(u32, u32)>),
    Status {
        messages: u32,
        uid_next: Option<u32>,
    },
    CopyUid {
        from: Vec<u32>,
        to: Vec<u32>,
    },
    HighestModSeq(u64),
    UidValidity(u32),
    Bye,
    /// Nothing the model looks at.
    Other,
}

/// What a FETCH response says of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// 0 in UIDFETCH (RFC 9586 3.4).
    pub number: usize,
    pub uid: Option<u32>,
    pub flags: Option<u8>,
    pub mod_seq: Option<u64>,
    pub size: Option<u64>,
    pub date: Option<String>,
    /// The header field Subject, when it was asked for.
    pub subject: Option<String>,
}

/// `\Seen $Work` as bits.
pub fn flags(text: &str) -> Result<u8, Difference> {
    text.split(' ').filter(|word| !word.is_empty()).try_fold(0, |bits, word| {
        let at = FLAGS.iter().position(|flag| *flag == word).ok_or_else(|| format!("no flag of ours: {word}"))?;
        Ok(bits | 1 << at)
    })
}

/// Bits as they stand in a command.
pub fn flag_list(bits: u8) -> String {
    let names: Vec<&str> =
        FLAGS.iter().enumerate().filter(|(at, _)| bits & 1 << at != 0).map(|(_, name)| *name).collect();
    names.join(" ")
}

/// `2,4:6`
pub fn set(text: &str) -> Result<Vec<u32>, Difference> {
    let mut numbers = Vec::new();
    for range in text.split(',') {
        let (low, high) = range.split_once(':').unwrap_or((range, range));
        let (low, high) = (number::<u32>(low)?, number::<u32>(high)?);
        if low == 0 || high < low || high - low > 1_000_000 {
            return Err(format!("no set: {text}"));
        }
        numbers.extend(low..=high);
    }
    Ok(numbers)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, Difference> {
    text.parse().map_err(|_| format!("no number: {text:?}"))
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(begin)?.1.split_once(end)?.0)
}

/// Reads a response, literals in place, without its `* `.
pub fn told(line: &[u8]) -> Result<Told, Difference> {
    let text = String::from_utf8_lossy(line).into_owned();
    let words: Vec<&str> = text.split(' ').collect();
    Ok(match words.as_slice() {
        [count, "EXISTS"] => Told::Exists(number(count)?),
        [at, "EXPUNGE"] => Told::Expunge(number(at)?),
        ["VANISHED", "(EARLIER)", uids] => Told::Vanished { earlier: true, uids: set(uids)? },
        ["VANISHED", uids] => Told::Vanished { earlier: false, uids: set(uids)? },
        [at, "FETCH", ..] => Told::Fetch(fetched(number(at)?, &text)?),
        [uid, "UIDFETCH", ..] => {
            let it = fetched(0, &text)?;
            let uid = number(uid)?;
            if it.uid.is_some_and(|named| named != uid) {
                return Err(format!("two UIDs: {text}"));
            }
            Told::Fetch(Fetched { uid: Some(uid), ..it })
        }
        ["SEARCH", found @ ..] => Told::Search(found.iter().map(|word| number(word)).collect::<Result<_, _>>()?),
        ["SORT", found @ ..] => Told::Sort(found.iter().map(|word| number(word)).collect::<Result<_, _>>()?),
        ["THREAD", ..] => {
            let words = text[6..].split(['(', ')', ' ']).filter(|word| !word.is_empty());
            Told::Thread(words.map(number).collect::<Result<_, _>>()?)
        }
        ["UIDBATCHES", "(TAG", _, batches @ ..] => {
            let batches = batches.iter().flat_map(|word| word.split(','));
            let batch = |word: &str| {
                let (high, low) = word.split_once(':').ok_or_else(|| format!("no batch: {word}"))?;
                Ok((number(high)?, number(low)?))
            };
            Told::UidBatches(batches.map(batch).collect::<Result<_, Difference>>()?)
        }
        ["STATUS", ..] => {
            let item = |name: &str| text.split_once(&format!("{name} "))?.1.split([' ', ')']).next();
            let messages = number(item("MESSAGES").ok_or("STATUS without MESSAGES")?)?;
            Told::Status { messages, uid_next: item("UIDNEXT").map(number).transpose()? }
        }
        ["OK", "[COPYUID", ..] => copy_uid(&text)?,
        ["OK", "[HIGHESTMODSEQ", highest, ..] => Told::HighestModSeq(number(highest.trim_end_matches(']'))?),
        ["OK", "[UIDVALIDITY", validity, ..] => Told::UidValidity(number(validity.trim_end_matches(']'))?),
        ["BYE", ..] => Told::Bye,
        _ => Told::Other,
    })
}

/// The code of `[COPYUID validity from to]`.
pub fn copy_uid(text: &str) -> Result<Told, Difference> {
    let code = between(text, "[COPYUID ", "]").ok_or_else(|| format!("no COPYUID: {text}"))?;
    match code.split(' ').collect::<Vec<_>>().as_slice() {
        [_, from, to] => Ok(Told::CopyUid { from: set(from)?, to: set(to)? }),
        _ => Err(format!("no COPYUID: {text}")),
    }
}

/// What follows a word of a code in brackets: `[APPENDUID 7 12]` has `7 12` behind APPENDUID.
pub fn code<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    between(text, &format!("[{word} "), "]")
}

fn fetched(at: usize, text: &str) -> Result<Fetched, Difference> {
    let mut it = Fetched { number: at, ..Fetched::default() };
    // The text of a message could look like an item; the model's own say nothing but a word.
    it.uid = between(&format!("{text} "), "UID ", " ").map(|uid| number(uid.trim_end_matches(')'))).transpose()?;
    it.flags = between(text, "FLAGS (", ")").map(flags).transpose()?;
    it.mod_seq = between(text, "MODSEQ (", ")").map(number).transpose()?;
    it.size = text
        .split_once("RFC822.SIZE ")
        .map(|(_, rest)| number(rest.split([' ', ')']).next().unwrap_or_default()))
        .transpose()?;
    it.date = between(text, "INTERNALDATE \"", "\"").map(str::to_owned);
    it.subject = between(text, "Subject: ", "\r\n").map(str::to_owned);
    Ok(it)
}

#[test]
fn responses_are_read() {
    let line = b"3 FETCH (UID 7 FLAGS (\\Seen $Work) MODSEQ (12) RFC822.SIZE 40 INTERNALDATE \"x\" BODY[] {14}\r\nSubject: a7\r\n\r\n)";
    let expected = Fetched {
        number: 3,
        uid: Some(7),
        flags: Some(SEEN | 1 << 5),
        mod_seq: Some(12),
        size: Some(40),
        date: Some("x".to_owned()),
        subject: Some("a7".to_owned()),
    };
    assert_eq!(told(line), Ok(Told::Fetch(expected)));
    assert_eq!(
        told(b"7 UIDFETCH (FLAGS ())"),
        Ok(Told::Fetch(Fetched { uid: Some(7), flags: Some(0), ..Fetched::default() }))
    );
    assert_eq!(told(b"VANISHED (EARLIER) 2,4:6"), Ok(Told::Vanished { earlier: true, uids: vec![2, 4, 5, 6] }));
    assert_eq!(told(b"OK [HIGHESTMODSEQ 9] x"), Ok(Told::HighestModSeq(9)));
    assert!(told(b"1 FETCH (FLAGS (\\Nonsense))").is_err());
}
