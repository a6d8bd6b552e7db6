//! Listeners of this machine, asked for their greeting.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use server::operate::StatusNow;
use server::operate::status::probe::{Level, Limits, Probe, Probed, judge};

use super::super::own_listener::{any_certificate, reachable};
use super::seconds;
use crate::wire::{Door, Wire};

/// Longest wait for one greeting.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the status says of the listeners, and how long each takes to its greeting.
pub fn probe(probe: Probe, now: &StatusNow, limits: Limits) -> Probed {
    let mut probed = judge(probe, now, Limits::default());
    let speaks: &[&str] = match probe {
        Probe::Smtp => &["smtp", "smtps", "lmtp"],
        _ => &["imap", "imaps", "pop3", "pop3s"],
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return probed };
    for listener in now.listeners.iter().filter(|one| one.open && speaks.contains(&one.speaks.as_str())) {
        let Some(address) = listener.addresses.first().and_then(|address| address.parse().ok()) else { continue };
        let implicit = listener.speaks.ends_with('s');
        let started = Instant::now();
        let greeted = runtime.block_on(async { tokio::time::timeout(PATIENCE, greeting(address, implicit)).await });
        let took = started.elapsed();
        match greeted.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())) {
            Ok(()) => {
                let figure = seconds(&listener.name, took, limits);
                probed.level = probed.level.max(limits.level(figure.value, false));
                probed.figures.push(figure);
            }
            Err(error) => {
                probed.level = Level::Critical;
                probed.says += &format!("; {} gives no greeting: {error}", listener.name);
            }
        }
    }
    probed
}

/// A listener that refuses us by policy has answered, too.
async fn greeting(address: SocketAddr, implicit: bool) -> std::io::Result<()> {
    let door = Door {
        address: reachable(address),
        source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        host: "localhost".to_owned(),
        implicit_tls: implicit,
    };
    let mut wire = Wire::connect(&door, Arc::new(any_certificate()?)).await?;
    let line = wire.line().await?;
    // The session ends as its protocol wants; what is answered to that is no matter.
    let bye: &[u8] = if line.starts_with('*') { b"a LOGOUT\r\n" } else { b"QUIT\r\n" };
    let _ = wire.send(bye).await;
    Ok(())
}
