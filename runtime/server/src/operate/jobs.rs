//! Long work, one of a kind at a time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::OperateError;

/// The kinds that run now, by path.
#[derive(Debug, Default)]
pub(crate) struct Jobs(Mutex<BTreeSet<&'static str>>);

/// The place of one that runs; given back when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    jobs: Arc<Jobs>,
    path: &'static str,
}

impl Jobs {
    pub fn begin(self: &Arc<Self>, path: &'static str) -> Result<Running, OperateError> {
        let fresh = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
        if fresh { Ok(Running { jobs: self.clone(), path }) } else { Err(OperateError::Busy { path: path.to_owned() }) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.jobs.0.lock().unwrap_or_else(PoisonError::into_inner).remove(self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_of_a_kind_waits_for_nobody_and_is_refused() {
        let jobs = Arc::new(Jobs::default());
        let first = jobs.begin("/store/verify").unwrap();
        assert_eq!(jobs.begin("/store/verify").unwrap_err(), OperateError::Busy { path: "/store/verify".to_owned() });
        let _other = jobs.begin("/export").unwrap();
        drop(first);
        assert!(jobs.begin("/store/verify").is_ok());
    }
}
