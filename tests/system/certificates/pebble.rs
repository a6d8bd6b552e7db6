//! Debian's `pebble`, an authority for tests that speaks ACME, on ports of its own, killed when the test ends.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use tests::dns::Dns;
use tests::scratch::Scratch;
use tests::{wait, wire};

use super::WITHIN;
use crate::world::authority::Authority;

const PEBBLE: &str = "/usr/bin/pebble";
/// An account that pebble knows when accounts have to be bound to one (RFC 8555 7.3.4).
pub const BOUND_KEY: &str = "kid-1";
pub const BOUND_SECRET: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

/// The name its own certificate is for.
const HOST: &str = "acme.example";

pub struct Pebble {
    child: Child,
    scratch: Scratch,
    pub port: u16,
    management: u16,
    /// Where it comes to look at challenges.
    pub challenge: SocketAddr,
}

impl Pebble {
    pub fn is_here() -> bool {
        Path::new(PEBBLE).exists()
    }

    /// Hosts are where `dns` says. Certificates last `life_s` seconds.
    #[track_caller]
    pub fn start(dns: &Dns, life_s: u64, bound: bool) -> Pebble {
        let scratch = Scratch::new("pebble");
        let authority = Authority::new();
        let shown = authority.certifies_all(&[HOST, "localhost"]);
        let write = |name: &str, text: &str| fs::write(scratch.join(name), text).expect("the scratch folder is ours");
        write("authority.pem", &authority.pem());
        write("chain.pem", &shown.chain_pem);
        write("key.pem", &shown.key_pem);
        let [port, management, challenge] = free_ports();
        write(
            "pebble.json",
            &format!(
                r#"{{"pebble": {{"listenAddress": "127.0.0.1:{port}", "managementListenAddress": "127.0.0.1:{management}",
                "certificate": {:?}, "privateKey": {:?}, "httpPort": {challenge}, "tlsPort": {challenge},
                "ocspResponderURL": "", "certificateValidityPeriod": {life_s}, "externalAccountBindingRequired": {bound},
                "externalAccountMACKeys": {{"{BOUND_KEY}": "{BOUND_SECRET}"}}}}}}"#,
                scratch.join("chain.pem"),
                scratch.join("key.pem")
            ),
        );
        let log = File::create(scratch.join("log")).expect("the scratch folder is ours");
        let mut command = Command::new(PEBBLE);
        command.arg("-config").arg(scratch.join("pebble.json")).args(["-dnsserver", &dns.address.to_string()]);
        // It waits before it looks, and forgets nonces, unless it is told not to; the second is left as it is.
        command.env("PEBBLE_VA_NOSLEEP", "1").stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a file handle can be doubled")).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("{PEBBLE}: {error}"));
        wait::until(WITHIN, "pebble listens", || {
            (TcpStream::connect(("127.0.0.1", port)).is_ok() && TcpStream::connect(("127.0.0.1", management)).is_ok())
                .then_some(())
        });
        let challenge = SocketAddr::from(([127, 0, 0, 1], challenge));
        Pebble { child, scratch, port, management, challenge }
    }

    /// The URL a site names.
    pub fn directory(&self) -> String {
        format!("https://{HOST}:{}/dir", self.port)
    }

    /// An entry of the site's host table.
    pub fn host(&self) -> String {
        format!("\"{HOST}:{0}\": \"127.0.0.1:{0}\"", self.port)
    }

    /// The authority that vouches for its HTTPS.
    pub fn authority(&self) -> PathBuf {
        self.scratch.join("authority.pem")
    }

    /// Trusts what it issues, and nothing else.
    #[track_caller]
    pub fn trust(&self) -> Arc<ClientConfig> {
        let root = self.scratch.join("root.pem");
        fs::write(&root, self.managed("/roots/0")).expect("the scratch folder is ours");
        wire::trusting(&root)
    }

    /// A page of its management.
    #[track_caller]
    fn managed(&self, path: &str) -> String {
        let config = wire::trusting(&self.authority());
        let name = ServerName::try_from("localhost").expect("a name");
        let connection = ClientConnection::new(config, name).expect("a connection can be prepared");
        let socket = TcpStream::connect(("127.0.0.1", self.management)).expect("pebble listens");
        let mut stream = StreamOwned::new(connection, socket);
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").expect("pebble takes a request");
        let mut page = String::new();
        // Go closes without a word of TLS.
        let _ = stream.read_to_string(&mut page);
        page.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no page: {page}")).1.to_owned()
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.scratch.join("log")).unwrap_or_default()).into_owned()
    }
}

impl Pebble {
    /// It is gone; its files stay.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.stop();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// Ports the kernel had a moment ago.
#[track_caller]
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("the kernel has a port"));
    listeners.map(|listener| listener.local_addr().expect("a bound socket has one").port())
}
