//! Drives an IMAP session.

use std::sync::Arc;

use super::Connection;
use crate::service::Service;

/// Holds the conversation to its end.
pub async fn run(service: Arc<Service>, connection: Connection) {
    let _ = (service, connection);
}
