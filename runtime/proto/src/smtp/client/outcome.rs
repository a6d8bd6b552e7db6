//! What became of each recipient, and what a reply is about.

use mail::{Code, Reply};

use super::reply::BadReply;

/// Where a handover stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Before a connection: what DNS and the recipient domain's own policies say.
    Lookup,
    Greeting,
    Hello,
    Tls,
    Login,
    Mail,
    Recipient,
    /// DATA and the content.
    Content,
    /// After the final dot: the server may have the message.
    End,
}

/// Why there is no reply to tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Disconnected,
    BadReply(BadReply),
    /// TLS is required and not to be had.
    NoTls,
    /// A login is needed, and no mechanism of ours under TLS is to be had.
    NoLogin,
    /// The message needs SMTPUTF8 and the server has none (RFC 6531 3.2).
    NoUtf8,
    /// Larger than the server's SIZE.
    TooLarge,
    /// A BINARYMIME content, and the server has no BINARYMIME with CHUNKING (RFC 3030 3).
    NoBinary,
    /// The sender asked for REQUIRETLS and the server does not offer it (RFC 8689 4.2.1).
    NoRequireTls,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The next hop has it; where recipients were only asked about, it would take it.
    Delivered(Reply),
    Refused {
        stage: Stage,
        reply: Reply,
    },
    Broken {
        stage: Stage,
        trouble: Trouble,
    },
}

/// Words of servers that will not hear us, whatever we send: lists of addresses, reputation.
const BLOCK_WORDS: [&str; 16] = [
    "blocked",
    "block list",
    "blocklist",
    "blacklist",
    "black list",
    "denylist",
    "reputation",
    "spamhaus",
    "spamcop",
    "barracuda",
    "sorbs",
    "rbl",
    "dnsbl",
    "banned",
    "listed at",
    "abusive",
];

impl Outcome {
    /// May another attempt go better?
    pub fn is_temporary(&self) -> bool {
        match self {
            Outcome::Delivered(_) => false,
            Outcome::Refused { reply, .. } => reply.code.is_temporary(),
            Outcome::Broken { trouble, .. } => match trouble {
                Trouble::Disconnected | Trouble::BadReply(_) | Trouble::NoTls | Trouble::NoLogin => true,
                Trouble::NoUtf8 | Trouble::TooLarge | Trouble::NoBinary | Trouble::NoRequireTls => false,
            },
        }
    }

    /// The code that says it best: the server's, or ours for what never came to a reply (RFC 3463, RFC 8689 6).
    pub fn code(&self) -> Code {
        match self {
            Outcome::Delivered(reply) | Outcome::Refused { reply, .. } => reply.code,
            Outcome::Broken { trouble, .. } => match trouble {
                Trouble::Disconnected => Code::new(451, 4, 4, 2),
                Trouble::BadReply(_) => Code::new(451, 4, 5, 0),
                Trouble::NoTls => Code::new(454, 4, 7, 0),
                Trouble::NoLogin => Code::new(454, 4, 7, 0),
                Trouble::NoUtf8 => Code::new(550, 5, 6, 7),
                Trouble::TooLarge => Code::new(552, 5, 3, 4),
                Trouble::NoBinary => Code::new(554, 5, 6, 1),
                Trouble::NoRequireTls => Code::new(550, 5, 7, 30),
            },
        }
    }

    /// Is this a refusal of us, not of this message or recipient? A reply 5.7.z (or 4.7.z) before the content's end that
    /// names `our_addresses` or speaks of lists and reputation. The provider's words are in the reply.
    pub fn is_block(&self, our_addresses: &[String]) -> bool {
        let Outcome::Refused { stage, reply } = self else { return false };
        let policy = match reply.code.enhanced {
            Some(enhanced) => enhanced.1 == 7,
            // Servers without enhanced codes say 554 at the greeting, 550 or 554 later.
            None => matches!(reply.code.basic, 421 | 450 | 550 | 553 | 554),
        };
        if !policy || matches!(stage, Stage::Lookup | Stage::Tls | Stage::Login) {
            return false;
        }
        let text = reply.all_lines().join(" ").to_ascii_lowercase();
        our_addresses.iter().any(|address| text.contains(&address.to_ascii_lowercase()))
            || BLOCK_WORDS.iter().any(|word| has_word(&text, word))
    }
}

/// Does `word` stand in `text` with no letter right before it or behind it?
fn has_word(text: &str, word: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic());
    text.match_indices(word)
        .any(|(at, found)| !letter(text[..at].chars().next_back()) && !letter(text[at + found.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_of_us_is_told_from_one_of_a_message() {
        let ours = ["192.0.2.25".to_owned()];
        let cases = [
            (Stage::Recipient, Code::new(550, 5, 7, 1), "Service unavailable, client [192.0.2.25] blocked", true),
            (Stage::Greeting, Code { basic: 554, enhanced: None }, "listed at zen.spamhaus.org", true),
            (Stage::Mail, Code::new(421, 4, 7, 0), "[192.0.2.25] low reputation, try later", true),
            (Stage::Mail, Code::new(550, 5, 7, 1), "our system has detected mail from 192.0.2.25", true),
            (Stage::Recipient, Code::new(550, 5, 1, 1), "no such user, blocked", false),
            (Stage::Recipient, Code::new(550, 5, 7, 1), "the garble of this sender", false),
            (Stage::End, Code::new(550, 5, 7, 1), "DMARC policy of the sender's domain", false),
            (Stage::Lookup, Code::new(550, 5, 7, 1), "blocked", false),
        ];
        for (stage, code, text, expected) in cases {
            let outcome = Outcome::Refused { stage, reply: Reply::lines(code, vec![text.to_owned()]) };
            assert_eq!(outcome.is_block(&ours), expected, "{text}");
        }
    }
}
