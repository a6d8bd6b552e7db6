//! How a page acts: through the operation the command line posts, in the name of who is signed in.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Visitor;
use crate::operate::{self, OperateError, Operation, Who};

/// Stops the work when nobody waits for it any more.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs an operation for a visitor, on a thread that may block.
pub(crate) async fn act<O: Operation>(visitor: &Visitor, request: O) -> Result<O::Response, OperateError> {
    let waiting = Waiting(Arc::new(AtomicBool::new(false)));
    let context = operate::door::context(&visitor.portal.service, who(visitor), waiting.0.clone());
    let handle = move || std::panic::catch_unwind(AssertUnwindSafe(|| request.perform(&context, &mut |_| {})));
    match tokio::task::spawn_blocking(handle).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) | Err(_) => Err(OperateError::Panicked),
    }
}

fn who(visitor: &Visitor) -> Who {
    Who::Person { login: visitor.login.clone(), from: visitor.address }
}
