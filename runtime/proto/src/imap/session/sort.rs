//! SORT and THREAD (RFC 5256 3): what was found, in another order.

use super::search::Searching;
use super::state::Turn;
use crate::imap::command::Purpose;
use crate::imap::question::{Question, Trouble};
use crate::imap::response::Out;
use mail::order::{Facts, KeyParts, Keys, sort};
use mail::thread::{Token, threads};

/// Asks what the found messages are ordered by, and answers.
pub(super) fn order(searching: Searching, out: &mut Out) -> Turn {
    let parts = match &searching.purpose {
        Purpose::Search(_) => KeyParts::NONE,
        Purpose::Sort { criteria, .. } => criteria.iter().fold(KeyParts::NONE, |all, it| all.with(it.key.parts())),
        Purpose::Thread(_) => KeyParts::THREAD,
    };
    // The rows say enough, or there is nothing to order.
    if parts == KeyParts::NONE || searching.found.is_empty() {
        return ordered(searching, &Keys::default(), out);
    }
    let uids = searching.uids_of(searching.found.iter().copied());
    let question = Question::Keys { mailbox: searching.state.view.mailbox(), uids, parts };
    searching.ask(question, |mut searching, answer, out| {
        let keys = match answer.keys() {
            Ok(keys) => keys,
            Err(trouble) => return searching.fail(trouble, out),
        };
        keep(&mut searching, keys.uids());
        match searching.found.len() == keys.len() {
            true => ordered(searching, &keys, out),
            false => searching.fail(Trouble::Bug, out),
        }
    })
}

/// Of the messages found only these, which ascend: the others are gone by now.
fn keep(searching: &mut Searching, uids: &[u32]) {
    let rows = searching.state.view.rows();
    let mut uids = uids.iter().peekable();
    searching.found.retain(|index| {
        let uid = rows.get(*index).map(|row| row.uid);
        uids.next_if(|next| Some(**next) == uid).is_some()
    });
}

fn ordered(mut searching: Searching, keys: &Keys, out: &mut Out) -> Turn {
    let found = std::mem::take(&mut searching.found);
    let rows = searching.state.view.rows();
    let facts = found
        .iter()
        .filter_map(|index| rows.get(*index))
        .map(|row| Facts { arrived_s: row.internal_date.unix_seconds, size_octets: row.size_octets });
    let facts: Vec<Facts> = facts.collect();
    match &searching.purpose {
        Purpose::Sort { criteria, .. } => {
            let order = sort(criteria, keys, &facts);
            let found: Vec<usize> = order.into_iter().filter_map(|at| found.get(at as usize).copied()).collect();
            searching.answer("SORT", None, &found, "SORT done", out)
        }
        Purpose::Thread(algorithm) => {
            let sent = facts.iter().enumerate().map(|(at, facts)| keys.sent_s(at).unwrap_or(facts.arrived_s));
            let threads = threads(*algorithm, keys, &sent.collect::<Vec<i64>>());
            out.text(if threads.is_empty() { "* THREAD" } else { "* THREAD " });
            let number = |at: usize| match searching.by_uid {
                true => found.get(at).and_then(|index| rows.get(*index)).map_or(0, |row| row.uid),
                false => found.get(at).map_or(0, |index| u32::try_from(index + 1).unwrap_or(u32::MAX)),
            };
            threads.write(number, &mut |token| match token {
                Token::Open => out.text("("),
                Token::Close => out.text(")"),
                Token::Space => out.text(" "),
                Token::Number(number) => out.number(number),
            });
            out.end_line();
            searching.done("THREAD done", out)
        }
        Purpose::Search(_) => searching.fail(Trouble::Bug, out),
    }
}

#[cfg(test)]
mod tests {
    use crate::imap::session::tests::Client;

    fn client() -> Client {
        Client::with_inbox(&[
            "From: Zoe <a@b.example>\nTo: y@x\nSubject: beta\nDate: 3 Feb 2021 00:30 +0100\nMessage-ID: <1@x>\n\nlonger\n",
            "From: b@b.example\nTo: X <z@x>\nCc: q@q\nSubject: Re: Alpha\nDate: 1 Feb 2021 12:00 +0000\nMessage-ID: <2@x>\n\n.\n",
            "From: \u{e9}lodie <c@b.example>\nSubject: alpha\nMessage-ID: <3@x>\nReferences: <1@x>\n\nx\n",
            "From: A@b.example\nSubject: BETA (fwd)\nDate: 2 Feb 2021 23:40 +0000\nMessage-ID: <4@x>\nIn-Reply-To: <2@x>\n\n",
        ])
    }

    #[track_caller]
    fn check(command: &str, expected: &str) {
        let word = command.split(' ').rfind(|word| ["SORT", "THREAD"].contains(word)).unwrap();
        client().check(&format!("a {command}"), &format!("* {expected}\na OK {word} done\n"));
    }

    #[test]
    fn each_key_orders_and_equal_messages_stay_as_they_are() {
        check("SORT (ARRIVAL) UTF-8 ALL", "SORT 1 2 3 4");
        check("SORT (REVERSE ARRIVAL) UTF-8 ALL", "SORT 1 2 3 4");
        // Without a Date the third counts as it arrived, on the first of January.
        check("SORT (DATE) UTF-8 ALL", "SORT 3 2 1 4");
        check("SORT (REVERSE DATE) UTF-8 ALL", "SORT 4 1 2 3");
        check("SORT (SUBJECT) UTF-8 ALL", "SORT 2 3 1 4");
        check("SORT (REVERSE SUBJECT DATE) UTF-8 ALL", "SORT 1 4 3 2");
        check("SORT (FROM) UTF-8 ALL", "SORT 1 4 2 3");
        check("SORT (FROM REVERSE DATE) UTF-8 ALL", "SORT 4 1 2 3");
        check("SORT (TO) UTF-8 ALL", "SORT 3 4 1 2");
        check("SORT (REVERSE CC) UTF-8 ALL", "SORT 2 1 3 4");
        check("SORT (SIZE) UTF-8 ALL", "SORT 3 1 4 2");
        check("SORT (DISPLAYFROM) UTF-8 ALL", "SORT 4 2 3 1");
        check("SORT (DISPLAYTO) UTF-8 ALL", "SORT 3 4 2 1");
        check("UID SORT (SUBJECT) US-ASCII SUBJECT alpha", "SORT 2 3");
        check("SORT (SUBJECT) UTF-8 SEEN", "SORT");
    }

    #[test]
    fn a_charset_is_named_also_where_search_names_none() {
        let mut client = client();
        client.say("a ENABLE UTF8=ACCEPT");
        client.check("a SORT (SUBJECT) UTF-8 ALL", "* SORT 2 3 1 4\na OK SORT done\n");
        client.check("a THREAD ORDEREDSUBJECT UTF-8 SUBJECT beta", "* THREAD (1 4)\na OK THREAD done\n");
        client.check("a SEARCH CHARSET UTF-8 ALL", "a BAD no charset is named once UTF8=ACCEPT is enabled\n");
    }

    #[test]
    fn results_of_a_sort_can_be_returned_in_parts() {
        check("SORT RETURN (MIN MAX COUNT) (SUBJECT) UTF-8 ALL", "ESEARCH (TAG \"a\") MIN 2 MAX 4 COUNT 4");
        check("UID SORT RETURN () (DATE) UTF-8 ALL", "ESEARCH (TAG \"a\") UID ALL 3,2,1,4");
        check("SORT RETURN (ALL) (SUBJECT) UTF-8 ALL", "ESEARCH (TAG \"a\") ALL 2:3,1,4");
        check("SORT RETURN (PARTIAL 2:3) (DATE) UTF-8 ALL", "ESEARCH (TAG \"a\") PARTIAL (2:3 2,1)");
        check("SORT RETURN (PARTIAL -1:-2) (DATE) UTF-8 ALL", "ESEARCH (TAG \"a\") PARTIAL (-1:-2 1,4)");
        let mut client = client();
        client.check(
            "a SORT RETURN (SAVE PARTIAL 1:2) (DATE) UTF-8 ALL",
            "* ESEARCH (TAG \"a\") PARTIAL (1:2 3,2)\na OK SORT done\n",
        );
        client.check("a UID SEARCH $", "* SEARCH 2 3\na OK SEARCH done\n");
    }

    #[test]
    fn threads_follow_references_and_subjects() {
        check("THREAD REFERENCES UTF-8 ALL", "THREAD (2 4)(1 3)");
        check("UID THREAD ORDEREDSUBJECT UTF-8 ALL", "THREAD (3 2)(1 4)");
        check("THREAD REFERENCES UTF-8 NOT 1", "THREAD (3 2 4)");
        check("THREAD REFERENCES UTF-8 SEEN", "THREAD");
    }

    #[test]
    fn other_charsets_are_refused_and_other_algorithms_not_known() {
        let mut client = client();
        let refusal = "a NO [BADCHARSET (UTF-8 US-ASCII)] that charset is not known\n";
        client.check("a SORT (DATE) KOI8-R ALL", refusal);
        client.check("a THREAD REFERENCES KOI8-R ALL", refusal);
        client.check("a THREAD REFS UTF-8 ALL", "a BAD THREAD does not take that\n");
        client.check("a SORT (DATES) UTF-8 ALL", "a BAD SORT does not take that\n");
        client.check("a SORT () UTF-8 ALL", "a BAD SORT does not take that\n");
        client.check("a SORT (DATE) ALL", "a BAD SORT does not take that\n");
    }

    #[test]
    fn what_the_rows_say_is_asked_of_nobody() {
        let mut client = client();
        client.asked.clear();
        client.say("a SORT (REVERSE SIZE ARRIVAL) UTF-8 ALL");
        assert_eq!(client.asked, ["Refresh"]);
        client.asked.clear();
        client.say("a SORT (SIZE DATE) UTF-8 ALL");
        assert_eq!(client.asked, ["Refresh", "Keys"]);
    }

    #[test]
    fn a_message_that_goes_meanwhile_is_left_out() {
        let mut client = client();
        client.say("a FETCH 1:* FLAGS");
        client.store.borrow_mut().lose("INBOX", 2);
        client.check("a SORT (SUBJECT) UTF-8 ALL", "* SORT 3 1 4\na OK SORT done\n");
        client.check("a THREAD REFERENCES UTF-8 ALL", "* THREAD (1 (3)(4))\na OK THREAD done\n");
    }
}
