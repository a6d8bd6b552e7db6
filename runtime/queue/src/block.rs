//! Replies that mean this server and not the message: a destination that says so is left alone.

use mail::{Code, EnhancedCode};

/// Words of providers for it, folded.
const WORDS: [&str; 9] = [
    "block",
    "blacklist",
    "denylist",
    "banned",
    "reputation",
    "spamhaus",
    "poor sender",
    "dnsbl",
    "rejected due to your ip",
];
/// Words that mean a machine and not a file or a person.
const MACHINE: [&str; 8] = ["ip ", "ip:", "ip address", "[", "network", "your server", "your host", "client host"];

/// Does this refusal mean us? `with_content` when it came for a content, which mostly is the reason then: there the words
/// must name a machine too. `text` is the reply's lines in one.
pub fn is_block(code: Code, text: &str, with_content: bool) -> bool {
    let folded = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| folded.contains(word));
    let policy = matches!(code.enhanced, Some(EnhancedCode(_, 7, _))) || (code.enhanced.is_none() && code.basic >= 550);
    !code.is_positive() && !code.is_temporary() && policy && says(&WORDS) && (!with_content || says(&MACHINE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_told_from_a_refusal_of_one_message_or_person() {
        let code = |basic, enhanced: Option<(u8, u16, u16)>| Code {
            basic,
            enhanced: enhanced.map(|(class, subject, detail)| EnhancedCode(class, subject, detail)),
        };
        for (basic, enhanced, text, with_content, expected) in [
            (
                550,
                Some((5, 7, 1)),
                "messages from [192.0.2.1] weren't sent: part of their network is on our block list",
                false,
                true,
            ),
            (
                554,
                Some((5, 7, 1)),
                "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
                false,
                true,
            ),
            (554, None, "your IP address has a poor reputation", false, true),
            (
                550,
                Some((5, 7, 1)),
                "[192.0.2.1 12] this message has been blocked, your IP address is known",
                true,
                true,
            ),
            (552, Some((5, 7, 0)), "This message was blocked because its content is a risk", true, false),
            (550, Some((5, 1, 1)), "no such user; blocked", false, false),
            (550, Some((5, 7, 1)), "relaying denied", false, false),
            (421, Some((4, 7, 0)), "IP address blocked for now", false, false),
        ] {
            assert_eq!(is_block(code(basic, enhanced), text, with_content), expected, "{text}");
        }
    }
}
