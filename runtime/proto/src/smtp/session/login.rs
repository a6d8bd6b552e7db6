//! AUTH (RFC 4954): the exchange of a mechanism, and its verdict.

use mail::reply::{self, Reply};

use super::connection::Connection;
use super::state::{ENDLESS_LINE_OCTETS, Listening, Progress, Ready, State, Waiting, endless, too_long};
use super::{AuthMode, Question, Step};
use crate::line::{Inbox, Line};
use crate::sasl::{self, Claim, Exchange, Mechanism, Progress as SaslProgress, SaslError};
use crate::smtp::command::AUTH_OCTETS_MAX;

impl Ready {
    /// RFC 4954 4.
    pub fn auth(self, name: &str, initial: Option<&str>, connection: &mut Connection) -> State {
        let refuse = |code, text: &str| Reply::new(code, text);
        let config = &connection.config;
        if config.auth == AuthMode::Never {
            return self.bad(connection.refusals.no_login.clone(), connection);
        }
        if !config.login_possible() {
            return self.bad(connection.refusals.login_needs_tls.clone(), connection);
        }
        if self.login {
            return self.bad(refuse(reply::BAD_SEQUENCE, "Already logged in"), connection);
        }
        let offered = sasl::offered(&config.mechanisms, &connection.bindings);
        let known = Mechanism::from_name(name).filter(|mechanism| offered.contains(mechanism));
        let Some(mechanism) = known else {
            return self.bad(refuse(reply::PARAMETER_NOT_IMPLEMENTED, "Mechanism not offered"), connection);
        };
        let begun = Exchange::begin(mechanism, initial, &connection.bindings);
        self.login_progress(mechanism, begun, connection)
    }

    pub fn login_progress(
        self,
        mechanism: Mechanism,
        progress: Result<SaslProgress, SaslError>,
        connection: &mut Connection,
    ) -> State {
        match progress {
            Ok(SaslProgress::Challenge(exchange, challenge)) => {
                connection.send(Reply::new(reply::AUTH_CONTINUE, challenge));
                State::Login(self, mechanism, exchange)
            }
            Ok(SaslProgress::Salt(awaits)) => {
                connection.ask(Question::Salt { login: awaits.login.clone() });
                State::Waiting(Waiting::Salt(self, mechanism, awaits))
            }
            Ok(SaslProgress::Done(claim)) => {
                connection.ask(Question::Authenticate { mechanism, claim: claim.clone() });
                State::Waiting(Waiting::Login(self, claim))
            }
            Err(error) => self.bad(said(error), connection),
        }
    }
}

fn said(error: SaslError) -> Reply {
    match error {
        SaslError::Cancelled => Reply::new(reply::AUTH_SYNTAX, "Login cancelled"),
        SaslError::Encoding => Reply::new(reply::AUTH_SYNTAX, "Not base64"),
        SaslError::Malformed => Reply::new(reply::AUTH_SYNTAX, "Not what this mechanism sends"),
        SaslError::OtherIdentity => Reply::new(reply::AUTH_FAILED, "Nobody acts for another here"),
        SaslError::OtherChannel => Reply::new(reply::AUTH_FAILED, "The channel binding is not that of this connection"),
    }
}

/// The verdict on a claim. SCRAM and tokens have a last challenge before some of theirs.
pub(super) fn answered(ready: Ready, claim: &Claim, reply: Reply, connection: &mut Connection) -> State {
    let signature = connection.server_signature.take();
    // RFC 4954 6: a server in trouble says 454 at once.
    let challenge = claim.last_challenge(reply.code.is_positive(), signature.as_deref());
    match challenge.filter(|_| !reply.code.is_temporary()) {
        Some(challenge) => {
            connection.send(Reply::new(reply::AUTH_CONTINUE, challenge));
            State::LoginEnd(ready, reply)
        }
        None => ended(ready, reply, connection),
    }
}

fn ended(ready: Ready, reply: Reply, connection: &mut Connection) -> State {
    if !reply.code.is_positive() {
        return ready.bad(reply, connection);
    }
    connection.send(reply);
    State::Listening(Listening::Ready(Ready { login: true, ..ready }))
}

/// The client's next line in an exchange.
pub(super) fn line(
    ready: Ready,
    mechanism: Mechanism,
    exchange: Exchange,
    connection: &mut Connection,
    inbox: &mut Inbox,
) -> Progress {
    Progress::Moved(match inbox.line(AUTH_OCTETS_MAX, ENDLESS_LINE_OCTETS) {
        Line::Incomplete => return Progress::Stuck(State::Login(ready, mechanism, exchange), Step::NeedInput),
        Line::Endless => connection.cut(endless(), State::Listening(Listening::Ready(ready))),
        // RFC 4954 4: 500, and the exchange is over.
        Line::TooLong => ready.bad(too_long(), connection),
        Line::Whole(line) => ready.login_progress(mechanism, exchange.respond(&line), connection),
    })
}

/// The line that answers the last challenge. It says nothing, but `*` gives up a login that was granted.
pub(super) fn last_line(ready: Ready, reply: Reply, connection: &mut Connection, inbox: &mut Inbox) -> Progress {
    Progress::Moved(match inbox.line(AUTH_OCTETS_MAX, ENDLESS_LINE_OCTETS) {
        Line::Incomplete => return Progress::Stuck(State::LoginEnd(ready, reply), Step::NeedInput),
        Line::Endless => connection.cut(endless(), State::Listening(Listening::Ready(ready))),
        Line::TooLong => ready.bad(too_long(), connection),
        Line::Whole(line) if line == b"*" && reply.code.is_positive() => {
            ready.bad(said(SaslError::Cancelled), connection)
        }
        Line::Whole(_) => ended(ready, reply, connection),
    })
}
