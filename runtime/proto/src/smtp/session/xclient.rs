//! XCLIENT: a client that may say so tells for whom it speaks, and the session begins again.
//!
//! INVARIANT (told-alone): what came in one piece behind XCLIENT was said before the answer and is not believed, as after
//! STARTTLS.

use mail::reply::{self, Reply};

use super::Question;
use super::connection::Connection;
use super::state::{Listening, State, Waiting};
use crate::line::Inbox;
use crate::smtp::xclient::Told;

pub(super) fn told(listening: Listening, told: Told, connection: &mut Connection, inbox: &Inbox) -> State {
    if !connection.config.xclient {
        let reply = Reply::new(reply::XCLIENT_REFUSED, "You speak for nobody here");
        return connection.bad(reply, State::Listening(listening));
    }
    if matches!(listening, Listening::Transaction(_) | Listening::Between(_)) {
        let reply = Reply::new(reply::BAD_SEQUENCE, "A transaction is open");
        return connection.bad(reply, State::Listening(listening));
    }
    // INVARIANT (told-alone)
    if !inbox.is_empty() {
        connection.send(Reply::new(reply::BAD_SEQUENCE, "XCLIENT is the last command of a batch"));
        return State::Closed;
    }
    let hello = told.hello.clone();
    connection.ask(Question::Told(told));
    State::Waiting(Waiting::Told(listening, hello))
}
