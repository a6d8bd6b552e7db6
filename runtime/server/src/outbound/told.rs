//! What an answer of a next hop means for the spool.

use mail::EnhancedCode;
use proto::smtp::client::{Outcome, Stage, Trouble};
use queue::{Came, Tried, is_block};
use store::WaitingRecipient;

use super::attempt::{self, Next};

/// What is known of an answer besides itself.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// Who gave it.
    pub host: &'a str,
    /// The next hop knows DSN: from here on it tells the sender.
    pub tells: bool,
    /// It means us and not the message.
    pub blocked: bool,
    /// It is about the message or the recipient, and final.
    pub permanent: bool,
    /// On one line, bounded.
    pub said: &'a str,
}

pub fn next(recipient: &WaitingRecipient, outcome: &Outcome, words: Words<'_>) -> Next {
    let came = match outcome {
        Outcome::Delivered(_) => Came::Taken { tells: words.tells },
        Outcome::Refused { .. } if words.blocked => Came::Blocked,
        _ if words.permanent => Came::Never,
        Outcome::Refused { stage, .. } | Outcome::Broken { stage, trouble: Trouble::Disconnected }
            if is_early(*stage) =>
        {
            Came::Unreachable
        }
        Outcome::Refused { .. } | Outcome::Broken { .. } => Came::Later,
    };
    let remote = matches!(outcome, Outcome::Refused { .. } | Outcome::Delivered(_)).then(|| words.host.to_owned());
    attempt::next(recipient, Tried { came, said: words.said.to_owned(), status: status(outcome), remote })
}

/// Before anything of this message was said: what is wrong is wrong for the next message, too.
fn is_early(stage: Stage) -> bool {
    matches!(stage, Stage::Lookup | Stage::Greeting | Stage::Hello | Stage::Tls | Stage::Login)
}

pub fn blocked(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused { stage, reply } => {
            is_block(reply.code, &reply.all_lines().join(" "), matches!(stage, Stage::Content | Stage::End))
        }
        Outcome::Delivered(_) | Outcome::Broken { .. } => false,
    }
}

/// RFC 3463: the next hop's own code, where it gives one.
fn status(outcome: &Outcome) -> EnhancedCode {
    match outcome {
        Outcome::Delivered(reply) | Outcome::Refused { reply, .. } => {
            let class = (reply.code.basic / 100).clamp(2, 5) as u8;
            reply.code.enhanced.unwrap_or(EnhancedCode(class, 0, 0))
        }
        Outcome::Broken { trouble: Trouble::NoUtf8, .. } => EnhancedCode(5, 6, 7),
        Outcome::Broken { trouble: Trouble::TooLarge, .. } => EnhancedCode(5, 3, 4),
        Outcome::Broken { trouble: Trouble::NoBinary, .. } => EnhancedCode(5, 6, 1),
        // RFC 8689 6.
        Outcome::Broken { trouble: Trouble::NoRequireTls, .. } => EnhancedCode(5, 7, 30),
        Outcome::Broken { trouble: Trouble::NoTls | Trouble::NoLogin, .. } => EnhancedCode(4, 7, 0),
        Outcome::Broken { stage: Stage::Greeting, .. } => EnhancedCode(4, 4, 1),
        Outcome::Broken { .. } => EnhancedCode(4, 4, 2),
    }
}

#[cfg(test)]
mod tests {
    use mail::{Code, Reply};
    use store::NextHop;

    use super::*;

    #[test]
    fn an_answer_is_about_the_destination_the_message_or_this_hour() {
        let recipient = WaitingRecipient {
            number: 0,
            forward_path: "a@elsewhere.example".parse().unwrap(),
            next_hop: NextHop::Mx,
            due_at_s: 0,
            attempts: 0,
            last_reply: String::new(),
            facts: Vec::new(),
        };
        let refused = |stage, code, text: &str| Outcome::Refused { stage, reply: Reply::new(code, text) };
        let broken = |stage, trouble| Outcome::Broken { stage, trouble };
        let spamhaus = "Client host [192.0.2.1] blocked using zen.spamhaus.org";
        for (outcome, permanent, came, status) in [
            (refused(Stage::Greeting, Code::plain(421), "busy"), false, Came::Unreachable, EnhancedCode(4, 0, 0)),
            (refused(Stage::Recipient, Code::new(451, 4, 2, 1), "later"), false, Came::Later, EnhancedCode(4, 2, 1)),
            (refused(Stage::Recipient, Code::new(550, 5, 1, 1), "no"), true, Came::Never, EnhancedCode(5, 1, 1)),
            (refused(Stage::Recipient, Code::new(554, 5, 7, 1), spamhaus), true, Came::Blocked, EnhancedCode(5, 7, 1)),
            (broken(Stage::Greeting, Trouble::Disconnected), false, Came::Unreachable, EnhancedCode(4, 4, 1)),
            (broken(Stage::End, Trouble::Disconnected), false, Came::Later, EnhancedCode(4, 4, 2)),
            (broken(Stage::Mail, Trouble::NoUtf8), true, Came::Never, EnhancedCode(5, 6, 7)),
        ] {
            let words = Words { host: "mx", tells: false, blocked: blocked(&outcome), permanent, said: "x" };
            let tried = next(&recipient, &outcome, words).tried;
            assert_eq!((tried.came, tried.status), (came, status), "{outcome:?}");
        }
    }
}
