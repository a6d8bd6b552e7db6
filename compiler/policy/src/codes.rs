//! The one table of diagnostic codes (policy-language.md section 7). Codes are never reused; one that is
//! no longer judged says so. `E` stops compilation, `L` is a lint that can be waived or denied.

use std::fmt;
use std::str::FromStr;

/// Whether this build finds the mistake a code names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// This build reports it.
    Judged,
    /// The code is reserved and explained; a later build reports it.
    Later,
    /// Given up for good; the number is not used again.
    Withdrawn,
}

/// A string that names no code of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCode;

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such code")
    }
}

impl std::error::Error for UnknownCode {}

macro_rules! codes {
    ($($code:ident, $standing:ident, $title:literal, $remedy:literal;)*) => {
        /// A diagnostic code. The order is that of the catalogue.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($code,)* }

        impl Code {
            /// Every code, in the order of the catalogue.
            pub const ALL: &'static [Code] = &[$(Code::$code,)*];

            /// The code as printed: `E0101`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            /// The message in general form; `{…}` stands for what the policy supplies.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }

            /// What to do about it, in general form.
            pub const fn remedy(self) -> &'static str {
                match self { $(Code::$code => $remedy,)* }
            }

            pub const fn standing(self) -> Standing {
                match self { $(Code::$code => Standing::$standing,)* }
            }
        }
    };
}

codes! {
    // 00 Reading
    E0001, Judged, "unexpected `{found}`, expected {wanted}", "did line {n} lose its comma?";
    E0002, Judged, "`{struct}` has no field `{f}`", "did you mean `{g}`? Fields here: …";
    E0003, Judged, "`{struct}` \"{name}\" lacks `{f}`", "add `{f}: {example}`; it decides {what}";
    E0004, Judged, "\"{key}\" is written twice in `{map}`", "first here, again here; the second would silently win, so keep one";
    E0005, Judged, "the file is language {n}, this compiler reads up to {m}", "upgrade the compiler";
    E0006, Judged, "invisible direction or control character in a string", "it can make a rule read differently from what it does; retype it";
    // 01 Names, types, composition
    E0101, Judged, "unknown {kind} \"{name}\"", "did you mean \"{near}\"? Defined: …";
    E0102, Judged, "include cycle: {a} → {b} → {a}", "includes only add; move the shared entries to a third file";
    E0103, Judged, "\"{key}\" is defined in both {a} and {b}", "includes cannot override; use an overlay's `set`";
    E0104, Judged, "expected a {wanted}, found a {given}: `{text}`", "for example `{example}`";
    E0105, Judged, "`{text}` is ambiguous", "write \"20 MB\" (20 000 000 bytes) or \"20 MiB\" (20 971 520)";
    E0106, Judged, "\"{n} months or years\" has no fixed length", "a window or retention needs days; only password life may use months";
    E0107, Judged, "a number without a unit", "write \"15 min\", not 15";
    E0108, Judged, "{value} is out of range for {field} ({lo}–{hi})", "a port is 1–65535, an IPv4 prefix length 0–32, IPv6 0–128";
    E0109, Judged, "{prefix} has host bits set", "write 192.0.2.0/24 for the network or 192.0.2.5/32 for the host";
    E0110, Judged, "overlay path `{path}` does not exist in {base}", "nearest: `{near}`";
    E0111, Judged, "overlay changes `{path}`, locked by {base}", "locked here because \"{because}\"; change the base or unlock it";
    E0112, Judged, "overlay removes \"{name}\", still used by `{path}`", "remove or redirect that use too";
    E0113, Judged, "a guarantee may not be removed by an overlay", "change the base, where everyone will see it";
    E0114, Judged, "a secret is written in the file", "use `Secret(\"{name}\")` and load it at deployment";
    E0115, Judged, "waiver for {lint} at `{path}` expired on {date}", "fix the cause or renew it with a reason";
    L0116, Judged, "waiver for {lint} at `{path}` no longer matches anything", "delete it";
    L0117, Judged, "{kind} \"{name}\" is never used", "delete it, or is a reference missing?";
    E0118, Judged, "`remove` names a whole section `{s}`", "an absent section means its defaults; write `set: {\"{s}\": None}`";
    E0119, Judged, "\"{name}\" is both a {kind} and a {kind}", "give them different names; refusals and pages show only the name";
    E0120, Judged, "{zone} is not an IANA time zone", "for example \"Europe/Paris\"";
    // 02 Limits: errors
    E0201, Judged, "limit of 0", "to close a block, remove it from `may_send`";
    E0202, Judged, "window longer than 1 day", "exact windows are kept in memory; use `AtMost` reports for monthly figures";
    E0203, Judged, "`{path}` lets a message have {n} recipients but its window allows {m} per {w}: messages with {m+1}–{n} can never be sent", "raise the window or lower the message limit";
    E0204, Judged, "two limits on {event} over the same {w}", "keep the smaller, {m}";
    E0205, Judged, "block \"{b}\" reaches the outside without a login and every limit is `Unlimited`", "give it windows";
    E0206, Judged, "block \"{b}\" never authenticates but its limits are `each_account`", "write `each_client_address`";
    E0207, Judged, "counters for {n} accounts may need {x} MiB, above the image's {y}", "lower the largest window or raise `memory`";
    E0208, Judged, "block \"{b}\" says nothing about {messages|recipients}", "write windows or `Unlimited`; silence is not a limit";
    E0209, Judged, "the limit grant to {login} lacks a reason or approver, names no block of theirs, or ended on {date}", "complete, renew or delete it";
    E0210, Judged, "strangers may send {n} recipients in one message; SMTP asks for at least 100", "raise it";
    // 03 Limits: lints
    L0301, Judged, "the {w2} limit of {m2} can never refuse: {k} × {m1} ≤ {m2}", "remove it, or lower it below {k·m1}";
    L0302, Judged, "only refused attempts can exhaust the {w2} limit of {m2}", "intended? it acts as a penalty on hammering, not as a ceiling";
    L0303, Judged, "the {w1} limit of {m1} can never refuse: the {w2} limit of {m2} is tighter", "lower it below {m2} or drop it";
    L0304, Judged, "{msg} messages × {r} recipients never reach the {m2} recipients window", "one of the two is decoration";
    L0305, Judged, "a client retrying faster than every {s} s is locked out for ever", "attempts are counted; say it on the help page, or count `recipients_accepted`";
    L0306, Judged, "\"{outside}\" is not stricter than \"{inside}\" for {what}", "stolen passwords are mostly used from outside";
    L0307, Judged, "one account can send {sum} per {w} through {n} blocks at once; the widest alone allows {m}", "`CountedTogether`, or state the sum with `AtMost`";
    L0308, Judged, "block \"{b}\" has no recipient window: {a} messages × {n} = {an} per {w}", "write one, e.g. the widest of the others ({m})";
    L0309, Judged, "a server that relays for other programs refuses above {n} recipients; SMTP asks for 100", "harmless with 452, a failure with 5xx";
    L0310, Judged, "`{path}` changes by more than ×4 against the deployed plan", "typing slip?";
    L0311, Judged, "permanent refusal for a limit that clears by itself", "`TryLater` lets mail programs retry";
    L0312, Judged, "no window of a day: one password can reach {n} recipients a day, {m} from the Internet alone", "add e.g. \"2000 / 1 day\"";
    L0313, Judged, "sending block \"{b}\" is open from `Everywhere`", "a network added later may send at once; name them";
    L0314, Judged, "the observed limit of {m1} per {w1} says nothing: {m2} per {w2} is refused beyond", "watch a tighter limit than the one that refuses, or leave it out";
    // 04 Networks, gateways, listeners, TLS
    E0401, Judged, "listener \"{l}\" takes passwords in clear and is reachable from \"{n}\"", "`tls: StartTls(Required)` or `Implicit`";
    E0402, Judged, "{prefix} belongs to both \"{a}\" and \"{b}\"", "give it to one; a more specific prefix may sit inside a wider one";
    E0403, Judged, "\"{a}\" and \"{b}\" want {host}:{port} with different settings", "one port, one behaviour";
    E0404, Judged, "\"{l}\" is reachable from \"{n}\", beyond `never_reachable_beyond.{s}`", "widen the ceiling deliberately or narrow the block";
    E0405, Judged, "({listener}, {client class}) has two blocks: \"{a}\" and \"{b}\"", "remove the pair from one";
    E0406, Later, "listener \"{l}\" speaks {s}, which this image cannot serve", "served: Smtp, Lmtp, Imap, Pop";
    E0407, Judged, "TLS older than 1.2", "no client of the last decade needs it";
    E0408, Judged, "networks leave addresses without a class", "add one `Rest`";
    E0409, Judged, "certificate of \"{l}\" does not cover \"{name}\" (`also`)", "add it to the request";
    L0410, Judged, "port {465|587} with {tls}", "465 is implicit TLS, 587 is STARTTLS; mail programs assume it";
    L0411, Judged, "\"{l}\" asks for logins and offers STARTTLS without requiring it to \"{n}\"", "fine for mail from strangers, not for people";
    L0412, Judged, "listener \"{l}\" answers \"{n}\" but no block serves the pair: always refused", "close it there or add it to a block";
    L0413, Judged, "the ceiling allows clear {Imap|Pop} from \"{n}\" while the help page says IMAPS only", "drop it from the ceiling";
    L0414, Judged, "`never_reachable_beyond.{s}` has neither listener nor `web` address", "keep it as a statement or delete it";
    L0415, Withdrawn, "withdrawn", "see E0416";
    E0416, Judged, "listeners take passwords but nothing limits failed logins (`logins` is switched off)", "guessing comes before theft; take the defaults";
    E0417, Judged, "`Acme` cannot issue for {host}: {suffix} is no public name", "`certificate: Internal` on that listener; one refused name fails the whole order";
    E0418, Judged, "gateway \"{g}\" or front \"{n}\" is too wide ({prefix}): what it tells is believed", "name the machines; at most /24, IPv6 /56";
    L0419, Judged, "gateway \"{g}\" does not turn others away: strangers can go round it", "`refuse_others: true`";
    E0420, Judged, "`imap.mask` names {no client|no capability|\"{word}\", which cannot be masked}", "did you mean \"{near}\"?";
    E0421, Judged, "an answer to a failed login would wait {s}", "at most 60 s: mail programs give up, and every answer that waits keeps a connection";
    // 05 Relaying, domains, recipients, mailboxes
    E0501, Judged, "open relay: a stranger at \"{network}\" can send to the outside through \"{block}\"", "ask for a login, or bound `from`; dialogue below";
    L0502, Judged, "profile \"{a}\" (temporary) has more room than \"{b}\" (default)", "confirm with a waiver or swap";
    E0503, Judged, "\"{n}\" may relay without a password (`never_reachable_beyond.Relay`) but is too wide ({prefix})", "name the machines; at most /16, or private-use space";
    E0504, Judged, "recipients are not checked before acceptance", "put `KnownRecipient` first, or you will bounce to forged senders";
    E0505, Judged, "\"{domain}\" is ours but no listener receives for it", "add a block in `may_receive`, or drop the domain";
    E0506, Judged, "a {size} message does not fit the smallest quota ({quota})", "raise the quota of \"{profile}\" or lower `message_size`";
    L0507, Judged, "block \"{b}\" sends as anyone", "`as: OwnAddresses` stops a stolen account from posing as a colleague";
    E0508, Judged, "route or next hop `{r}` leads back to listener \"{l}\"", "mail would loop";
    E0509, Judged, "the grant to {login} gives {q}, profile \"{p}\" requires more than {floor}", "give more, or put the person in \"{near}\"";
    E0510, Judged, "grant to {login} has no reason or ended on {date}", "fill `because`, renew `until`, or delete the grant";
    L0511, Withdrawn, "withdrawn", "see L0514";
    L0512, Judged, "\"{size}\" on the wire carries about {size×0.73} of attachments", "20 MB lets through 14.6 MB; say which one you mean on the page";
    E0513, Judged, "postmaster or abuse is not deliverable", "both are required of any mail domain";
    L0514, Judged, "a full mailbox refuses for good at the first byte", "lists unsubscribe people on holiday; `grace`, then `TryLater` for some days";
    E0515, Judged, "next hop of \"{domain}\" is that domain itself or has no port", "write the host: what DNS says of a passed-on domain is us";
    L0516, Judged, "\"{domain}\" passes on `Any` recipient", "the next hop refuses after we accepted, and we bounce to forged senders; `Directory` or `AskThere`";
    L0517, Judged, "unknown machines at \"{n}\" may send as anyone of ours (`Shadow`)", "register the applications seen in the report, then `Refuse`";
    E0518, Judged, "application \"{a}\" has no owner, ended on {date}, poses outside our domains or lies outside the networks of its block", "fix or delete it";
    E0519, Judged, "\"{domain}\" is an alias of \"{other}\", which is {undefined|an alias}", "point it at a held or passed-on domain";
    L0520, Judged, "application \"{a}\" ends on {date}, within 30 days", "ask {owner}, renew `until`";
    E0521, Judged, "`delivery.retry` {is empty|has a wait of {s}}", "a wait lasts from 1 s to 1 day, e.g. [\"1 min\", \"15 min\", \"1 h\", \"4 h\"]";
    L0522, Judged, "nobody hears of a delay: `warn_after` is not before the end of `retention.queue`", "shorten it, or write `warn_after: Never`";
    E0523, Judged, "`{path}` {is 0|names no host}: mail for it would wait for ever", "write at least 1, or take the entry away";
    E0524, Judged, "`routes.remote_login` is for a smart host, and there is none", "write `remote: Smarthost(\"host:port\")`, or drop the login";
    L0525, Judged, "block \"{b}\" guards the reverse-path, and not the From that people read", "leave `header_from` out, and it is held to `as`";
    E0526, Judged, "list \"{n}\" {has no answer that counts|would count {prefix}|is asked on \"{l}\", where nothing is received}", "write the answers the list documents, inside 127.0.0.0/8, and listeners of `may_receive`";
    E0527, Judged, "{keys would change faster than DNS forgets them|`signing` has no algorithm}", "`rotate_every` is at least 7 days; `signing: None` signs nothing";
    L0528, Judged, "nothing is signed, and mail leaves for the world", "take the default: receivers trust what is signed";
    E0529, Judged, "\"{l}\" would show mailboxes, and mail is kept at {host}", "people read their mail there: drop the listener, or `held: Mailbox`";
    E0530, Judged, "`{mechanism}` takes tokens, and nobody issues any", "write `identity.oauth`, or drop the mechanism";
    // 06 Redirection
    E0601, Judged, "\"{domain}\" is both allowed ({a}) and a refused example ({b})", "the page would say both; decide";
    E0602, Judged, "`Suffix(\"{tld}\")` is a public suffix", "it allows everyone under it";
    E0603, Judged, "\"{domain}\" in `allow` is a public mailbox provider ({list}, {date})", "§5 refuses these; remove it or waive with a reason";
    E0604, Judged, "redirect to one of our own domains", "loop";
    E0605, Judged, "user filters may redirect, around `redirects`", "drop `Redirect` from `filters.may`";
    L0606, Judged, "\"{a}\" is already covered by \"{b}\"", "keep it only for the page's sake";
    L0607, Judged, "redirected mail was modified before ({step})", "its signature breaks and the partner may refuse it; `tag: (copies: Local)`";
    L0608, Judged, "step `Redirect` comes before `{Antispam|Antivirus}`", "you would forward what you do not keep";
    E0609, Later, "{n} existing redirects are not allowed by this plan", "list below; `deploy --expire-redirects {delay}` or extend `allow`";
    // 07 Authentication of mail, scanning
    E0701, Judged, "{direction} mail is not scanned by \"{engine}\"", "guarantee `EveryMessageScanned` asks for it";
    E0702, Judged, "`Accept` comes before `Antivirus`", "after 250 you own the message: you can only delete or bounce it";
    L0703, Judged, "infected inbound mail is answered `Refuse` while `tell: Nobody`", "the sending server will tell the forged sender; `AcceptSilently`, or accept that";
    E0704, Judged, "`engine_down` lets mail through that no engine looked at", "`at_least: 1`; with none, the sender's queue keeps it";
    E0705, Judged, "\"{a}\" and \"{b}\" are the same engine at the same address", "two opinions need two engines";
    E0706, Judged, "external scanner \"{s}\" does not say which way its score runs", "`says: PositiveIsSpam` or `NegativeIsSpam`";
    E0707, Judged, "`ScoreBelow({t})` would tag neutral mail (score 0)", "low is spam: the threshold is 0 or below";
    E0708, Judged, "spam action `{a}` contradicts `always: Deliver`", "tag; people decide what to delete";
    L0709, Judged, "the tag rewrites Subject, which senders sign", "check signatures before tagging; keep the original in X-Original-Subject";
    E0710, Judged, "`Filters` precede `Antispam` but users filter on the tag", "move `Filters` after";
    L0711, Judged, "signatures of \"{engine}\" may be {age} old before anyone is warned", "ask for `AtLeast(\"2 / 1 day\")` or more";
    E0712, Judged, "corrections mailbox {addr} does not exist", "create it; it is exempt from `Antispam`, never from `Antivirus`";
    L0713, Judged, "no virus engine", "add one under `scanners`, or waive this with the reason";
    L0714, Judged, "anyone may teach the spam filter", "`taught_by`";
    L0715, Judged, "a logged-in sender is not told that the message was stopped", "the sender is not forged; `reply: Refuse, tell: Sender` in `outbound_from_person`";
    L0716, Judged, "one engine that stays down stops all mail", "a licence lapses one day; `then: ContinueWith(at_least: 1, rescan: true, alarm: true)`";
    L0717, Judged, "mail posing as us is {only tagged|not looked at}", "`RequireAligned(else: Refuse)` once the applications are registered";
    E0718, Judged, "step `Authenticate` comes after `Accept` while `else: Refuse`", "move it before";
    E0719, Judged, "exit codes of \"{s}\" {belong to no command|name none that is clean|say {code} twice}", "`exits: [(code: 0, means: Clean), (code: 13, means: Infected)]`, as the program documents; any other code is no verdict";
    E0720, Judged, "\"{s}\" {has {span} for a message|looks at {n} messages at once}", "`within` from 1 s to 10 min, a sending server waits no longer; `at_once` from 1 to 1000";
    E0721, Judged, "\"{s}\" is reached as {word}, which cannot {score spam|find viruses}", "scores: Rspamd, Spamd, Milter, BuiltIn; viruses: Clamd, Icap, Command, Milter";
    E0722, Judged, "`rescan` takes infected mail out of mailboxes, and it would be kept nowhere", "`keep: Quarantine` for what is infected inbound; `rescan: Never` looks once";
    E0723, Judged, "`blocked` would turn our own mail away: {what} is ours", "block who is outside; a stolen account is locked";
    E0724, Judged, "an entry of `blocked` {has no reason|ended on {date}|stands twice}", "fill `because`, renew `until`, or delete the entry";
    L0725, Judged, "`blocked` turns everybody at {provider} away", "block the one address, as `Sender(\"…\")`";
    E0726, Judged, "`response` {has a life no block can have|has more mailboxes than there are}", "`block_at_most` from 1 min to 366 days; 0 mailboxes always ask for a second manager";
    // 08 People
    E0801, Judged, "two people can get the same address and `homonyms` is not set", "`AskDirectory` or `Append(...)`; logins are told apart, addresses are not";
    E0802, Judged, "login collisions are possible and `collision` is not set", "`Append(suffix: \"-{n}\", first: 1, …)`";
    E0803, Judged, "login `{x}` can come from two different people: {p} plain, {q} with suffix", "choose a suffix no initial can imitate";
    E0804, Judged, "login example disagrees: for {person} the rule gives `{a}`, the example says `{b}`", "examples run in order, earlier people first; fix one side";
    E0805, Judged, "password page or directory server {url} is reachable without TLS", "use https, ldaps or `tls: StartTls`";
    L0806, Judged, "passwords expire, can only be changed from {from}, and mail is readable from {more}", "someone always outside gets locked out";
    L0807, Judged, "forced periodic renewal", "current advice prefers length and breach checks; kept because the guide says so";
    E0808, Judged, "login form can give an invalid or reserved name ({x})", "set `fold: AsciiLower`; root, postmaster and abuse are reserved";
    E0809, Judged, "subaddress separator `{x}` {is none of + = _ . -|stands in `{form}`}", "write \"+\", as most servers do";
    E0811, Judged, "login or address {x} is given to two people", "the first registered keeps it; change the override";
    E0812, Judged, "{person} has unknown profile, unit or home \"{x}\"", "did you mean \"{near}\"?";
    E0813, Judged, "\"{address}\" has no members or points at nobody", "name a login";
    E0814, Judged, "{address} is in a domain that is not held here", "held: …";
    E0815, Judged, "alias {a} leads back to itself", "break the circle at {b}";
    E0816, Judged, "people are not in order of registration ({a} before {b})", "order decides who keeps the plain login";
    E0817, Judged, "{person} leaves on {date}, before the first day", "`until` is the last day; leave it out where none is known";
    E0818, Judged, "the redirect of {person} to {address} {is in a domain of ours|is among the refused examples|is allowed by nothing}", "take it away, or extend `redirects.allow`";
    L0819, Judged, "the redirect of {person} to {address} waits for a grant", "`facteur redirect` writes down who approved it, why, and until when";
    E0820, Judged, "`portal.at` {is reachable without TLS|has a path|names an address and no host}", "write \"https://host\"";
    E0821, Judged, "a session of the portal would last {span} {without a request|in all}", "`idle` from 1 min, `at_most` up to 7 days, and no shorter than `idle`";
    E0822, Judged, "\"{n}\" {is for managers|changes passwords}, and does not reach the portal", "add it to `portal.from`, or take it away";
    E0823, Judged, "`{path}` {is reached without TLS|names nothing|needs a portal, and there is none}", "write an https URL and names that stand for something; `portal: (at: \"https://…\")`";
    E0824, Judged, "`hash` {makes a stolen file of verifiers cheap to guess|takes more than a login may}", "e.g. (memory: \"7 MiB\", passes: 5, lanes: 1) or (memory: \"19 MiB\", passes: 2, lanes: 1)";
    E0825, Judged, "`{path}` {has {span}|has nothing|names {state} twice|stands before {state}}", "an hour to a year before a change; states of one day to five years, each once, from the most that may be done to the least";
    L0826, Judged, "a login or address may go to somebody else {after {span}|once `retention.ledger` ends}", "mail for who had it comes to who has it now; `reuse_after: Never` and `ledger: Forever`";
    E0827, Judged, "`roles.correspondents` {names no unit|gives addresses that are not ours}", "a form such as \"Correspondent.{Unit}@example.org\"";
    L0828, Judged, "nobody is {a mail manager|an administrator}", "write the functional address that `roles` names, with members";
    E0829, Judged, "detector \"{d}\" {does nothing|looks at {what}}", "at least one reaction; 1 or more within 1 min to 1 day; a share of 1 % to 100 %";
    E0830, Judged, "detector \"{d}\" would lock for {span}", "from 1 min to 30 days: nobody may be forgotten behind a lock";
    L0831, Judged, "nobody notices a stolen account (`compromise` is switched off)", "take the defaults";
    L0832, Judged, "detector \"{d}\" tells nobody", "add `Alert`: a person has to look";
    L0833, Judged, "managers reach the portal from \"{n}\" with a password alone", "`second_factor: Required(for: [Manager, Administrator])`, or narrow `managers_from`";
    // 09 Guarantees, storage, time
    E0901, Judged, "guarantee {g} is broken", "counterexample and the line to change, below (an open relay is reported once, as E0501, and hides E0205 on the same block)";
    E0902, Judged, "guarantee {g} is empty: \"{n}\" no longer exists", "an empty promise is worse than none";
    E0903, Judged, "{g} needs a fact outside the policy ({fact})", "a note: `doctor --online` or a people file can check it; it is not proved";
    E0904, Judged, "backups: `at_most` {a} is shorter than `at_least` {b}", "exchange them, or give a single `keep`";
    L0905, Judged, "mail received and deleted between two backups is in none", "the page says so; back up more often if that is not acceptable";
    L0906, Judged, "quarantine ({a}) outlives backups ({b})", "infected mail would be the oldest copy you keep";
    L0907, Judged, "loss records kept {d}", "they name people; check with the data-protection officer";
    E0908, Judged, "{time} does not exist on {date} or happens twice on {date} in {zone}", "choose a time outside the change, e.g. \"03:30\"";
    L0909, Judged, "backups go to the same disk", "what loses the disk loses them; `to: Elsewhere(\"…\")`";
    // 10 Plans and deployment
    E1001, Judged, "plan is not signed by a key enrolled here", "`compile --sign`, or use a development image";
    E1002, Judged, "plan format {n}, this runtime reads {m}–{k}; or another list of providers or suffixes is pinned", "compile with `--format {k}` or update the image";
    E1003, Judged, "snapshot differs", "read it, then `facteur snapshot --accept`";
    E1004, Judged, "published page was made from {old}, the plan is {new}", "`facteur doc`";
    E1005, Judged, "change needs a restart of {listener}", "`deploy --restart {listener}`";
    E1006, Judged, "serial {a} is not above the one running ({b})", "`rollback` says so explicitly";
    L1007, Judged, "the change loosens {what}", "needs `--ack loosen`";
    E1008, Judged, "`{path}` would not guard a plan on trial", "`trial` from 5 s to 1 day, `down` from 10 s to 1 h; accounts, times and messages above 0";
}

impl Code {
    /// Lints can be waived and denied; everything else stops the compilation or is a note.
    pub fn is_lint(self) -> bool {
        self.as_str().starts_with('L')
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text).ok_or(UnknownCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_within_their_hundred_and_never_twice() {
        let numbers: Vec<&str> = Code::ALL.iter().map(|code| &code.as_str()[1..]).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    }

    #[test]
    fn every_code_reads_back_from_its_text() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
        }
        assert_eq!("E9999".parse::<Code>(), Err(UnknownCode));
    }

    #[test]
    fn titles_are_one_line_without_a_full_stop() {
        for code in Code::ALL {
            assert!(!code.title().contains('\n') && !code.title().ends_with('.'), "{code}");
        }
    }
}
