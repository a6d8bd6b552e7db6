//! COMPRESS (RFC 4978). The session speaks as before; the driver deflates what it sends and inflates what it is fed.

use super::state::{Open, Turn, ask};
use crate::imap::command::Tag;
use crate::imap::question::{Question, Trouble};
use crate::imap::response::{Code, Out, Reply};

/// `NO` when it is active already, or when there is no room for one more.
pub fn compress(open: Open, tag: Tag, out: &mut Out) -> Turn {
    if open.shared().compressed {
        return open.done(tag, Reply::no(Code::CompressionActive, "DEFLATE is active already"), out);
    }
    ask(Question::Compress, move |answer, out| match answer.done() {
        Ok(()) => {
            // The news of the mailbox come with the next command: behind this line nothing is plain.
            out.tagged(&tag, &Reply::ok("DEFLATE active"));
            Turn::Compress(open)
        }
        Err(Trouble::Limit) => {
            open.done(tag, Reply::no(Code::Limit, "too many connections are compressed already"), out)
        }
        Err(trouble) => open.done(tag, trouble.into(), out),
    })
}

#[cfg(test)]
mod tests {
    use crate::imap::question::Trouble;
    use crate::imap::session::tests::Client;

    #[test]
    fn compression_begins_behind_the_ok_and_only_once() {
        let mut client = Client::with_inbox(&["a: 1\n\nb\n"]);
        client.store.borrow_mut().deliver("INBOX", b"a: 2\r\n\r\nb\r\n");
        client.check("a compress deflate", "a OK DEFLATE active\n");
        assert_eq!(client.compressed, ["a OK DEFLATE active\r\n".len()]);
        client.check("a COMPRESS DEFLATE", "* 2 EXISTS\na NO [COMPRESSIONACTIVE] DEFLATE is active already\n");
        client.check("a UNSELECT", "a OK UNSELECT done\n");
        client.check("a COMPRESS DEFLATE", "a NO [COMPRESSIONACTIVE] DEFLATE is active already\n");
        assert_eq!(client.compressed.len(), 1);
    }

    #[test]
    fn what_stands_behind_the_command_is_handed_back_and_any_split_gives_the_same() {
        let octets = b"a COMPRESS DEFLATE\r\nb NOOP\r\nc NOOP\r\n";
        for split in 0..=octets.len() {
            let mut client = Client::new();
            let said = client.say_octets(&octets[..split]) + &client.say_octets(&octets[split..]);
            assert_eq!(said, "a OK DEFLATE active\nb OK NOOP done\nc OK NOOP done\n", "split at {split}");
            assert_eq!(client.compressed.len(), 1, "split at {split}");
        }
    }

    #[test]
    fn compress_needs_a_login_the_algorithm_and_room() {
        let mut client = Client::new();
        let mut stranger = Client::stranger(&client.store);
        stranger.check("a COMPRESS DEFLATE", "a BAD log in first\n");
        client.check("a COMPRESS", "a BAD COMPRESS does not take that\n");
        client.check("a COMPRESS LZMA", "a BAD COMPRESS does not take that\n");
        client.check("a COMPRESS DEFLATE 9", "a BAD COMPRESS does not take that\n");
        client.store.borrow_mut().broken = Some(Trouble::Limit);
        client.check("a COMPRESS DEFLATE", "a NO [LIMIT] too many connections are compressed already\n");
        client.store.borrow_mut().broken = Some(Trouble::Unavailable);
        assert!(client.say("a COMPRESS DEFLATE").starts_with("a NO [UNAVAILABLE]"));
        assert!(client.compressed.is_empty());
    }
}
