//! What works by itself under a plan. Another plan lets it begin again: each ends at its next pause, and only then its successor
//! begins, so that no two of a kind work at a time. Nobody waits for that.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::service::Service;
use crate::spam::colleagues;
use crate::{
    certificates, compromise, fullness, ldap, loops, night, notices, quotas, reports, scan, signing, standing,
    teaching, world,
};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A name, and what begins under a plan.
type Keep = (&'static str, fn(Arc<Service>) -> Work);

/// Each reads the plan when it begins.
const KEPT: [Keep; 16] = [
    ("certificates", |service| Box::pin(certificates::keep(service))),
    ("compromise", |service| Box::pin(compromise::keep(service))),
    ("fullness", |service| Box::pin(fullness::keep(service))),
    ("standing", |service| Box::pin(standing::keep::keep(service))),
    ("night", |service| Box::pin(night::keep(service))),
    ("reports", |service| Box::pin(reports::keep(service))),
    ("quotas", |service| Box::pin(quotas::keep(service))),
    ("teaching", |service| Box::pin(teaching::keep(service))),
    ("password_warnings", |service| Box::pin(crate::passwords::warnings::keep(service))),
    ("notices", |service| Box::pin(notices::keep(service))),
    ("scanners", |service| Box::pin(scan::keep(service))),
    ("rescans", |service| Box::pin(scan::rescan::keep(service))),
    ("signing", |service| Box::pin(signing::keep(service))),
    ("colleagues", |service| Box::pin(colleagues::keep(service))),
    ("directory", |service| Box::pin(ldap::keep(service))),
    ("tls_reports", |service| Box::pin(world::tls_report::keep(service))),
];

/// What ends them, and the work.
type Now = (Option<watch::Sender<bool>>, Vec<JoinHandle<()>>);

/// What works now.
#[derive(Default)]
pub(crate) struct Keepers {
    now: Mutex<Now>,
}

impl Keepers {
    /// They work under the plan of `service` from now on.
    pub fn turn(&self, service: &Arc<Service>) {
        let (stop, stopping) = watch::channel(false);
        // They end by themselves, and connections do not.
        let keeper = Arc::new(Service { stop: stopping, ..(**service).clone() });
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = now.0.replace(stop) {
            before.send_replace(true);
        }
        let mut before = std::mem::take(&mut now.1).into_iter();
        let begin = |(name, keep): Keep| loops::start_after(before.next(), &keeper, name, keep);
        now.1 = KEPT.into_iter().map(begin).collect();
    }

    /// Ends them all.
    pub async fn end(&self) {
        let (stop, tasks) = std::mem::take(&mut *self.now.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(stop) = stop {
            stop.send_replace(true);
        }
        for task in tasks {
            let _ = task.await;
        }
    }
}
