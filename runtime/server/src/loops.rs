//! Work that goes on for as long as the server does. One that ends by a panic is told of and begun again, after a pause that grows
//! while it keeps ending: what it does for everybody is not lost for one message it cannot bear.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::service::{Service, stopped};

/// The first pause; each is twice the one before.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(5 * 60);
/// Work that went on for so long begins with the first pause again.
const SOUND_AFTER: Duration = Duration::from_secs(10 * 60);

/// What becomes of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It works, for the first time or again.
    Begun,
    /// It ended by a panic, and is begun again after this.
    Panicked(Duration),
}

/// Starts `work` under a name.
pub(crate) fn start<W>(
    service: &Arc<Service>,
    name: &'static str,
    work: impl Fn(Arc<Service>) -> W + Send + Sync + 'static,
) -> JoinHandle<()>
where
    W: Future<Output = ()> + Send + 'static,
{
    start_after(None, service, name, work)
}

/// The same, once `before` has ended, unless the server is to stop by then.
pub(crate) fn start_after<W>(
    before: Option<JoinHandle<()>>,
    service: &Arc<Service>,
    name: &'static str,
    work: impl Fn(Arc<Service>) -> W + Send + Sync + 'static,
) -> JoinHandle<()>
where
    W: Future<Output = ()> + Send + 'static,
{
    let service = service.clone();
    tokio::spawn(async move {
        if let Some(before) = before {
            // A panic was counted.
            let _ = before.await;
        }
        let tell = |told| match told {
            Told::Begun => {
                service.served.begun(name);
                // That it never ended is no error.
                let _ = service.metrics.loops_stopped.remove_label_values(&[name]);
            }
            Told::Panicked(pause) => {
                service.served.ended(name);
                service.metrics.loops_stopped.with_label_values(&[name]).set(1);
                service.metrics.loop_panics.with_label_values(&[name]).inc();
                tracing::error!(name, ?pause, "work in the background has ended by a panic and is begun again");
            }
        };
        supervise(service.stop.clone(), tell, || work(service.clone())).await;
    })
}

/// Runs `work` until it ends by itself or the server is to stop.
async fn supervise<W>(mut stop: watch::Receiver<bool>, tell: impl Fn(Told), work: impl Fn() -> W)
where
    W: Future<Output = ()> + Send + 'static,
{
    let mut pause = PAUSE_MIN;
    while !*stop.borrow() {
        tell(Told::Begun);
        let began = Instant::now();
        match tokio::spawn(work()).await {
            Err(error) if error.is_panic() => {}
            Ok(()) | Err(_) => return,
        }
        if began.elapsed() >= SOUND_AFTER {
            pause = PAUSE_MIN;
        }
        tell(Told::Panicked(pause));
        // A server that stops waits for nobody's pause.
        let _ = tokio::time::timeout(pause, stopped(&mut stop)).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn work_that_panics_is_begun_again_and_work_that_ends_is_not() {
        let (_stop, stopping) = watch::channel(false);
        let (runs, heard) = (Arc::new(AtomicU32::new(0)), Mutex::new(Vec::new()));
        let work = || {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            async move { assert!(run > 0, "the first message it cannot bear") }
        };
        supervise(stopping, |told| heard.lock().unwrap().push(told), work).await;
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        assert_eq!(heard.into_inner().unwrap(), [Told::Begun, Told::Panicked(PAUSE_MIN), Told::Begun]);
    }

    #[tokio::test]
    async fn a_server_that_stops_begins_nothing_again() {
        let (stop, stopping) = watch::channel(false);
        let tell = |told| {
            if let Told::Panicked(_) = told {
                stop.send_replace(true);
            }
        };
        let runs = Arc::new(AtomicU32::new(0));
        let work = || {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            async move { assert!(run > 9, "always") }
        };
        supervise(stopping, tell, work).await;
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    }
}
