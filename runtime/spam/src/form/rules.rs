//! The rules of the form pass: one table. A rule speaks at most once of a message.
//!
//! Weights are for a message that has [`BASE`](super::BASE) to begin with: what honest mail does now and then costs a part of
//! it, what only deceit does costs all of it. What deceit does to look like mail that the reader knows costs more than that,
//! for its words are those of honest mail, and the learned pass speaks for them. Where a rule is an answer to something the
//! RFCs ask for or to a known trick, its source says which.

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Words with hyphens, never reused for another meaning.
    pub name: &'static str,
    /// Below 0 speaks for spam.
    pub thousandths: i64,
    /// What is wrong, for people, on one line.
    pub reason: &'static str,
    /// Where the rule comes from.
    pub source: &'static str,
}

macro_rules! rules {
    ($($id:ident $name:literal $weight:literal $reason:literal $source:literal;)*) => {
        $(pub const $id: Rule = Rule { name: $name, thousandths: $weight, reason: $reason, source: $source };)*
        /// Every rule, by family.
        pub const RULES: &[Rule] = &[$($id),*];
    };
}

rules! {
    // What speaks for a message.
    ORDINARY "ordinary-mail" 1000 "every message begins with this" "guide 4: above 0 looks correct";
    ASKED_FOR "asked-for" 100 "its author's domain signed it and it can be unsubscribed from" "RFC 2369 3.2, RFC 8058, RFC 6376";
    ALIGNED "aligned" 50 "it is proved to come from the domain of its author" "RFC 9989";
    ANSWER "answer-to-us" 400 "it answers a message of ours" "RFC 5322 3.6.4";
    SIGNED "signed" 200 "it is signed by a person (S/MIME or OpenPGP)" "RFC 1847, RFC 8551, RFC 3156";

    // The header.
    NO_FROM "no-from" -1100 "nobody is named as its author" "RFC 5322 3.6.2";
    BAD_FROM "bad-from" -700 "its author's address is none" "RFC 5322 3.4.1";
    NO_DATE "no-date" -500 "it has no Date" "RFC 5322 3.6.1";
    BAD_DATE "bad-date" -400 "its Date is none" "RFC 5322 3.3";
    ODD_ZONE "odd-zone" -600 "its Date is of a time zone that does not exist" "RFC 5322 3.3";
    LATE_DATE "date-ahead" -600 "its Date is more than a day ahead" "RFC 5322 3.6.1";
    EARLY_DATE "date-behind" -150 "its Date is more than ten days ago" "RFC 5322 3.6.1";
    NO_MESSAGE_ID "no-message-id" -400 "it has no Message-ID" "RFC 5322 3.6.4";
    BAD_MESSAGE_ID "bad-message-id" -400 "its Message-ID is none" "RFC 5322 3.6.4";
    TWICE "field-twice" -500 "a field that may stand once stands twice" "RFC 5322 3.6";
    STRAY_LINES "stray-lines" -500 "there are lines in its header that are no fields" "RFC 5322 2.2";
    RAW_HEADER "raw-header" -300 "its header has octets that must be encoded" "RFC 2047 1, RFC 6532 3";
    RAW_UTF8 "raw-utf8-header" -200 "its header is in UTF-8 without encoding" "RFC 6532 3";
    NO_SUBJECT "no-subject" -150 "it has no Subject" "RFC 5322 3.6.5";
    FALSE_REPLY "false-reply" -150 "its Subject answers a message that it does not name" "RFC 5322 3.6.4, 3.6.5";
    FORGED_MAILER "forged-mailer" -900 "it was not written by the program that it names" "form of the Message-IDs that the program makes";
    PADDED_SUBJECT "padded-subject" -700 "its Subject ends in a mark far behind its words" "trick against comparison of Subjects";
    SHOUTED_SUBJECT "shouted-subject" -300 "its Subject is all capitals" "custom of bulk mail";
    ADDRESS_IN_SUBJECT "address-in-subject" -600 "its Subject calls the reader by address" "custom of bulk mail";
    GAPPY_SUBJECT "gappy-subject" -700 "its Subject is spelt with gaps" "trick against word lists";
    ENCODED_ASCII "encoded-ascii" -600 "plain words in its Subject or its author's name are encoded without need" "RFC 2047 4: encoding is for what is not US-ASCII";
    PICTURES_IN_NAME "pictures-in-name" -300 "its author's name has pictures in it" "custom of bulk mail";

    // Who it says it is from.
    NAME_IS_ADDRESS "name-is-other-address" -900 "its author's name is an address of somebody else" "mail programs show the name alone";
    NAME_IS_HOST "name-is-other-host" -600 "its author's name is the name of somebody else's host" "mail programs show the name alone";
    PADDED_NAME "padded-name" -700 "its author's name is padded so that no address is seen behind it" "mail programs show the name first";
    NAME_OF_COLLEAGUE "name-of-colleague" -800 "it bears the name of a person here, and comes from elsewhere" "impersonation, as warned of in guide 4";
    NAME_OF_OURS "name-of-ours" -700 "its author's name is ours, and its address is not" "mail programs show the name alone";
    COUSIN_FROM "cousin-from" -1300 "its author's domain looks like one of ours" "lookalike domains, UTS 39 4";
    OUR_NAME_FROM "our-name-from" -900 "its author's domain bears our name" "lookalike domains";
    STATE_NAME "state-name" -700 "a domain bears the name of the State without being of it" "lookalike domains: amende-gouv.example";
    REPLY_FREE "reply-to-free" -900 "answers go to a mailbox that anybody can have, not to its author" "custom of fraud by answer";
    REPLY_ELSEWHERE "reply-to-elsewhere" -200 "answers go to another domain than its author's" "RFC 5322 3.6.2";

    // What was found when it came.
    DMARC_FAIL "dmarc-fail" -500 "its author's domain is not proved, and asks for proof" "RFC 9989";
    SPF_FAIL "spf-fail" -250 "it came from a place that its sender's domain excludes" "RFC 7208 2.6.4";
    SPF_SOFTFAIL "spf-softfail" -200 "it came from a place that its sender's domain does not name" "RFC 7208 2.6.5";
    DKIM_FAIL "dkim-fail" -200 "its signatures do not fit" "RFC 6376 6.1";
    OURS_UNPROVED "ours-unproved" -1200 "it says to be from here, came from outside, and nothing proves it" "RFC 9989";
    UNPROVED "unproved" -150 "nothing proves where it comes from" "RFC 8601 2.7";
    HELLO_IS_US "hello-is-us" -900 "the client gave our name as its own" "RFC 5321 4.1.1.1";
    LISTED "listed" -700 "a list in DNS notes where it came from" "RFC 5782";

    // MIME.
    NO_BOUNDARY "no-boundary" -600 "its parts cannot be told apart" "RFC 2046 5.1.1";
    NOT_CLOSED "not-closed" -200 "its last part does not end" "RFC 2046 5.1.1";
    NO_MIME_VERSION "no-mime-version" -250 "it has parts without saying that it is MIME" "RFC 2045 4";
    HTML_ALONE "html-alone" -200 "its HTML has no text beside it" "RFC 2046 5.1.4";
    EMPTY_TEXT "empty-text" -300 "the text beside its HTML says nothing" "RFC 2046 5.1.4";
    BASE64_ASCII "base64-ascii" -450 "plain text in it is in base64 without need" "RFC 2045 6.8, trick against word lists";
    ESCAPED_LETTERS "escaped-letters" -600 "plain letters in it are written as codes" "RFC 2045 6.7, trick against word lists";
    RAW_BODY "raw-body" -200 "its text has octets of no declared character set" "RFC 2045 6.2, RFC 2046 4.1.2";
    WRONG_CHARSET "wrong-charset" -300 "its text is not in the character set that it names" "RFC 2046 4.1.2";
    NUL "nul-octets" -500 "its text has NUL octets" "RFC 5322 2.3";
    ONE_ALTERNATIVE "one-alternative" -300 "it offers a choice of one" "RFC 2046 5.1.4";
    ODD_ENCODING "odd-encoding" -300 "it names a transfer encoding that does not exist" "RFC 2045 6.1";
    DEEP "many-parts" -300 "it has more parts than anybody writes" "bound of the reader";

    // HTML.
    HIDDEN_TEXT "hidden-text" -500 "much of its text is hidden from the reader" "CSS display, visibility, opacity";
    TINY_TEXT "tiny-text" -500 "it has text too small to read" "CSS font-size";
    SAME_COLOUR "same-colour" -600 "it has text in the colour of what it stands on" "CSS color";
    SPLIT_BY_MARKUP "split-by-markup" -900 "words in it are split by comments" "trick against word lists";
    LETTER_REFERENCES "letter-references" -700 "plain letters in it are written as numbers" "trick against word lists";
    NOISE_COMMENTS "noise-comments" -400 "it has prose in comments" "trick against word statistics";
    STYLE_NOISE "style-noise" -900 "it has text where a style sheet should be" "trick against word statistics";
    UNKNOWN_TAGS "unknown-tags" -600 "it has elements that HTML never had" "trick against word lists";
    FORM "html-form" -200 "it has a form that sends what is filled in to somebody else" "phishing";
    PASSWORD "password-field" -1000 "it asks for a password in the message" "phishing";
    SCRIPT "html-script" -250 "it has scripts" "no mail program runs them";
    FRAME "html-frame" -150 "it shows another page inside" "WHATWG HTML 4.8.5";
    OBJECT "html-object" -300 "it has embedded programs" "WHATWG HTML 4.8.7";
    REFRESH "html-refresh" -800 "it leads the reader away by itself" "WHATWG HTML 4.2.5.3";
    PICTURES_ALONE "pictures-alone" -550 "it says everything in pictures behind a link" "trick against word lists";
    DATA_DOCUMENT "data-document" -900 "a page is packed into a link" "RFC 2397";

    // Links.
    OTHER_HOST "link-other-host" -600 "a link leads elsewhere than it shows" "phishing";
    OUR_HOST_SHOWN "link-shows-ours" -1900 "a link shows a place of ours and leads elsewhere" "phishing";
    COUSIN_LINK "cousin-link" -1000 "a link leads to a domain that looks like ours" "lookalike domains, UTS 39 4";
    OUR_NAME_LINK "our-name-link" -700 "a link leads to a domain that bears our name" "lookalike domains";
    IP_LINK "ip-link" -800 "a link leads to a number" "RFC 3986 3.2.2";
    DISGUISED_IP "disguised-ip-link" -1100 "a link leads to a number in disguise" "WHATWG URL, IPv4 parser";
    USERINFO "userinfo-link" -900 "a link has a false name before its host" "RFC 3986 7.6";
    ODD_PORT "odd-port-link" -400 "a link leads to an unusual port" "RFC 3986 3.2.3";
    ESCAPED_HOST "escaped-host-link" -800 "a link disguises its host with escapes" "RFC 3986 2.4";
    MIXED_HOST "mixed-host-link" -900 "a link's host mixes alphabets" "UTS 39 5.1";
    LONG_HOST "long-host-link" -400 "a link's host has many names in front" "phishing";
    ADDRESS_IN_FRAGMENT "address-in-fragment" -700 "a link carries the reader's address for a false form" "phishing kits";
    SHORT_LINK "short-link" -300 "a link hides where it leads" "addresses of shorteners: a short host and one short word";
    REDIRECT "redirect-link" -200 "a link leads through a place that sends on to any other" "CWE-601";
    ONE_LINK "links-elsewhere" -250 "no link leads to its author's domain" "custom of bulk mail";
    SCRIPT_LINK "script-link" -600 "a link runs a script" "WHATWG HTML 7.4.2.3.2";

    // Letters.
    MIXED_WORDS "mixed-words" -700 "words in it mix alphabets that look alike" "UTS 39 5.1";
    SPLIT_BY_UNSEEN "split-by-unseen" -1900 "words in it are split by characters without shape" "trick against word lists";
    OVERRIDES "direction-overrides" -400 "it turns the direction of writing round" "UAX 9, UTR 36 3.3";
    STYLED_LETTERS "styled-letters" -700 "it is written in letters of formulas" "trick against word lists";
    SHOUTED_TEXT "shouted-text" -400 "its text is all capitals" "custom of advance-fee fraud";
    GREAT_SUM "great-sum" -700 "it speaks of millions and names no page" "custom of advance-fee fraud";
    BITCOIN "bitcoin-address" -900 "it names a purse that nobody can be asked about" "extortion";

    // Files.
    PROGRAM "program" -1300 "it carries a program" "guide 5";
    DOUBLE_ENDING "double-ending" -1500 "a file's name has a false ending before the true one" "systems hide the last ending";
    TURNED_NAME "turned-name" -1500 "a file's name is written backwards" "UTR 36 3.3";
    PROGRAM_IN_ZIP "program-in-archive" -1200 "an archive in it holds a program" "guide 5";
    LOCKED_ZIP "locked-archive" -600 "an archive in it can be opened with a password only" "trick against antivirus";
    DISC_IMAGE "disc-image" -1100 "it carries the image of a disc" "trick against marks of the Web";
    MACROS "macros" -700 "a document in it holds a program" "guide 5";
    HTML_FILE "html-file" -700 "it carries a page to open outside the mail program" "phishing";
    SVG_FILE "svg-file" -500 "it carries a drawing that can hold scripts" "phishing";
    OTHER_TYPE "other-type" -800 "a file is not what its name says" "systems believe one, people the other";

    GTUBE "gtube" -1000000 "it is the test of spam filters" "GTUBE, the Generic Test for Unsolicited Bulk Email";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_used_once() {
        let mut names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
        for rule in RULES {
            assert!(
                rule.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b.is_ascii_digit()),
                "{}",
                rule.name
            );
            assert!(rule.thousandths != 0 && !rule.reason.is_empty() && !rule.source.is_empty(), "{}", rule.name);
        }
    }
}
