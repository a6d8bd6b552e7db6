//! Work that goes on for as long as the server does. One that ends by a panic is told of: nothing else would.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::service::Service;

/// Starts `work` under a name.
pub(crate) fn start(
    service: &Arc<Service>,
    name: &'static str,
    work: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    let service = service.clone();
    let running = tokio::spawn(work);
    tokio::spawn(async move {
        if let Err(error) = running.await
            && error.is_panic()
        {
            service.served.ended(name);
            service.metrics.loops_stopped.with_label_values(&[name]).set(1);
            tracing::error!(name, "work in the background has ended by a panic; a restart begins it again");
        }
    })
}

/// Work that had ended goes on: another plan has begun it again.
pub(crate) fn goes_on(service: &Service, name: &'static str) {
    service.served.begun(name);
    // That it never ended is no error.
    let _ = service.metrics.loops_stopped.remove_label_values(&[name]);
}
