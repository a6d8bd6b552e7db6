//! Steps of a session that take long: a search through a large message, its parts, a pattern over many names.
//!
//! INVARIANT (free workers): such a step runs where it holds up its own connection only, and no more of them at a time than
//! there are processors; the others wait in the order they came.

use std::sync::LazyLock;

use proto::imap::{Answer, Message};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

/// Less than this is done at once: to go elsewhere costs more.
const CONTENT_OCTETS: usize = 16 * 1024;
const MAILBOXES: usize = 32;
/// Keys of a SEARCH are compared with each message of the mailbox.
const MESSAGES: usize = 2_000;

static PLACES: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)));

/// Which steps of the session may take long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heavy {
    None,
    /// Those up to the next that sends: what is sent in many steps is made in small ones.
    UntilSent,
    /// Those up to its next wait.
    UntilWait,
}

/// What an answer gives the session to do.
pub fn heavy(answer: &Answer, messages: usize) -> Heavy {
    let (long, until) = match answer {
        Answer::Messages(found) => {
            let octets: usize = found.iter().map(octets).sum();
            (messages > MESSAGES || octets > CONTENT_OCTETS, Heavy::UntilWait)
        }
        Answer::Mailboxes(rows) => (rows.len() > MAILBOXES, Heavy::UntilWait),
        Answer::Opened(opened) => (opened.1.len() > MESSAGES, Heavy::UntilSent),
        Answer::Keys(keys) => (keys.len() > MESSAGES, Heavy::UntilSent),
        Answer::Changed(_)
        | Answer::Candidates(_)
        | Answer::Vanished(_)
        | Answer::Identities(_)
        | Answer::Stored(_)
        | Answer::Copied(_)
        | Answer::Expunged(_) => (messages > MESSAGES, Heavy::UntilSent),
        Answer::Authenticated { .. }
        | Answer::Salt(_)
        | Answer::NotAuthenticated(_)
        | Answer::Mailbox(_)
        | Answer::Selected(_)
        | Answer::Octets(_)
        | Answer::Rendered(_)
        | Answer::Now(_)
        | Answer::Appended { .. }
        | Answer::Quota(_)
        | Answer::Created(_)
        | Answer::Sizes(_)
        | Answer::Acl(_)
        | Answer::Rights(_)
        | Answer::Metadata(_)
        | Answer::Annotated { .. }
        | Answer::Done
        | Answer::Failed(_) => (false, Heavy::None),
    };
    if long { until } else { Heavy::None }
}

/// What a key of a SEARCH may have to look through.
fn octets(message: &Message) -> usize {
    let texts = message.summary.as_ref().map_or(0, |summary| {
        let people = summary.from.len() + summary.to.len() + summary.cc.len() + summary.bcc.len();
        people + summary.subject.len() + summary.message_id.len()
    });
    message.content.len() + texts
}

/// Runs a heavy step.
pub async fn run<T>(step: impl FnOnce() -> T) -> T {
    // Nobody closes the semaphore; without a place the step would still have to be made.
    let _place = PLACES.acquire().await;
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(step),
        // The one thread there is has no other to leave its tasks to.
        _ => step(),
    }
}

#[cfg(test)]
mod tests {
    use proto::imap::Changes;

    use super::*;

    #[test]
    fn much_to_look_through_is_heavy_and_little_is_not() {
        let message = |octets: usize| Message { uid: 1, summary: None, content: vec![b'x'; octets] };
        assert_eq!(heavy(&Answer::Messages(vec![message(1_000)]), 10), Heavy::None);
        assert_eq!(heavy(&Answer::Messages(vec![message(9_000), message(9_000)]), 10), Heavy::UntilWait);
        assert_eq!(heavy(&Answer::Messages(Vec::new()), 100_000), Heavy::UntilWait);
        assert_eq!(heavy(&Answer::Changed(Changes::none(1)), 100_000), Heavy::UntilSent);
        assert_eq!(heavy(&Answer::Done, 100_000), Heavy::None);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn the_only_worker_stays_free_during_a_heavy_step() {
        let (told, hear) = std::sync::mpsc::channel();
        // The step waits for a task that only the one worker can run.
        let heavy = tokio::spawn(run(move || hear.recv_timeout(std::time::Duration::from_secs(60)).is_ok()));
        let other = tokio::spawn(async move { told.send(()).is_ok() });
        assert!(heavy.await.unwrap());
        assert!(other.await.unwrap());
    }
}
