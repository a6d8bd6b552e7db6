//! How a page acts: through the operation the command line posts, in the name of who is signed in.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Visitor;
use crate::operate::{self, Context, OperateError, Operation, Who};

/// Stops the work when nobody waits for it any more.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs an operation for a visitor, on a thread that may block. Their roles say whether they may.
pub(crate) async fn act<O: Operation>(visitor: &Visitor, request: O) -> Result<O::Response, OperateError> {
    with_context(visitor, move |context| request.perform(context, &mut |_| {})).await
}

/// Runs what is no operation of the command line, about the visitor alone, in the same way.
pub(crate) async fn with_context<T: Send + 'static>(
    visitor: &Visitor,
    work: impl FnOnce(&Context) -> Result<T, OperateError> + Send + 'static,
) -> Result<T, OperateError> {
    let waiting = Waiting(Arc::new(AtomicBool::new(false)));
    let who = Who::Person { login: visitor.login.clone(), from: visitor.address };
    let context = operate::door::context(&visitor.portal.service, who, waiting.0.clone());
    let worked = tokio::task::spawn_blocking(move || std::panic::catch_unwind(AssertUnwindSafe(|| work(&context))));
    match worked.await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) | Err(_) => Err(OperateError::Panicked),
    }
}
