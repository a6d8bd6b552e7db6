//! The control socket `DATA/control.sock`: only root and the owner of the data folder may open it. `GET /status` tells the
//! state of the server as JSON; the commands of operators are in `operate`.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tokio::net::UnixListener;

use crate::service::Service;

/// What `GET /status` answers.
#[derive(Serialize)]
struct Status<'a> {
    schema: u32,
    pid: u32,
    plan: &'a str,
    plan_hash: &'a str,
    institution: &'a str,
    domain: &'a str,
    data: &'a Path,
    stopping: bool,
    panics: u64,
    connections_open: u64,
    queue_messages: i64,
    trouble: Option<&'a str>,
    /// What an operator should see to.
    warnings: Vec<String>,
    /// How the directory server does; absent where there is none.
    directory: Option<crate::ldap::LdapState>,
}

/// `control.sock` in the data folder.
pub fn path(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Binds the socket with mode 0600. A stale one of a server that was killed is replaced: whoever binds holds the lock
/// of the data folder. It is bound under another name first, so that it is never there with wider permissions.
pub fn bind(data: &Path) -> io::Result<UnixListener> {
    let path = path(data);
    let fresh = data.join("control.sock.new");
    remove(&fresh)?;
    let listener = UnixListener::bind(&fresh)?;
    std::fs::set_permissions(&fresh, Permissions::from_mode(0o600))?;
    std::fs::rename(&fresh, &path)?;
    Ok(listener)
}

/// Removes the socket; not an error when it is gone.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The body of `GET /status`.
pub fn status(service: &Service) -> String {
    let plan = service.tables.plan();
    let status = Status {
        schema: 1,
        pid: std::process::id(),
        plan: &service.plan,
        plan_hash: &service.plan_full,
        institution: &plan.institution.name,
        domain: plan.institution.domain.as_str(),
        data: &service.site.data,
        stopping: *service.stop.borrow(),
        panics: crate::metrics::panics(),
        connections_open: service.admission.open(),
        queue_messages: service.metrics.queue_messages.get(),
        trouble: service.trouble(),
        warnings: crate::keys::warnings(&service.store),
        directory: service.ldap.as_deref().map(crate::ldap::Ldap::state),
    };
    serde_json::to_string(&status).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}
