//! What `facteur health` asks of the server besides its status: a login to go the whole way with, and a short look at the
//! store.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::verify::sentence;
use super::{Context, OperateError, Operation, Progress};
pub use crate::probe_login::ProbeLogin;
use crate::scan;

/// `POST /health/login`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawProbeLogin {}

/// `POST /health/scanners`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskScanners {}

/// What antivirus engines answered when they were asked just now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannersAsked {
    pub engines: usize,
    /// Those that gave no verdict, or a wrong one, on messages whose verdict is known.
    pub silent: Vec<String>,
}

/// `POST /health/store`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookAtStore {}

/// What was looked at in moments, and what was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreLooked {
    /// The newest.
    pub bodies: u64,
    /// Databases that are too large to be checked in moments.
    pub unchecked: u64,
    /// One sentence each.
    pub findings: Vec<String>,
    pub read_only: bool,
}

impl Operation for DrawProbeLogin {
    type Response = ProbeLogin;
    const PATH: &'static str = "/health/login";
    const LONG: bool = false;
    const NEEDS_SERVER: bool = true;

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ProbeLogin, OperateError> {
        let service = context.server.as_ref().ok_or(OperateError::NoServer)?;
        Ok(service.probe_logins.draw(Instant::now()))
    }
}

impl Operation for AskScanners {
    type Response = ScannersAsked;
    const PATH: &'static str = "/health/scanners";
    const LONG: bool = false;
    const NEEDS_SERVER: bool = true;

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<ScannersAsked, OperateError> {
        let service = context.server.as_ref().ok_or(OperateError::NoServer)?.current();
        // Handlers run on threads that may block.
        let silent = tokio::runtime::Handle::current().block_on(scan::silent(&service));
        Ok(ScannersAsked { engines: service.engines.len(), silent })
    }
}

impl Operation for LookAtStore {
    type Response = StoreLooked;
    const PATH: &'static str = "/health/store";
    const LONG: bool = false;
    const NEEDS_SERVER: bool = true;

    fn handle(self, context: &Context, _tell: &mut dyn FnMut(Progress)) -> Result<StoreLooked, OperateError> {
        let (report, unchecked) = context.store.verify_newest()?;
        Ok(StoreLooked {
            bodies: report.bodies,
            unchecked,
            findings: report.findings.iter().map(|finding| sentence(&context.store, finding, true)).collect(),
            read_only: context.store.is_read_only(),
        })
    }
}
