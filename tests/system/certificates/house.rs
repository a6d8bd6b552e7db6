//! The bench policy served at a site that has no certificate of its own.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection};
use rustls_pki_types::{CertificateDer, ServerName};
use tests::program;
use tests::scratch::Scratch;
use tests::wait;

use super::WITHIN;

pub struct House {
    pub scratch: Scratch,
}

pub struct Serving {
    child: Child,
    log: PathBuf,
}

impl House {
    /// `facts` is what the site says besides where it listens.
    #[track_caller]
    pub fn new(facts: &str) -> House {
        let scratch = Scratch::new("certificates");
        let policy = program::top().join("policies/bench");
        let mut compile = Command::new(program::facteur());
        program::run(compile.arg("compile").arg(policy).arg("--out").arg(scratch.path())).ends(0);
        let house = House { scratch };
        house.says(facts);
        house
    }

    /// Another site for the next start.
    pub fn says(&self, facts: &str) {
        let site = format!(
            "Site(data: {:?}, listeners: {{\"imaps\": [\"127.0.0.1:0\"], \"mx\": [\"127.0.0.1:0\"]}}, outbound: Sink, {facts})\n",
            self.data()
        );
        fs::write(self.scratch.join("site.ron"), site).expect("the scratch folder is ours");
    }

    pub fn data(&self) -> PathBuf {
        self.scratch.join("data")
    }

    #[track_caller]
    pub fn serve(&self) -> Serving {
        let log = self.scratch.join("serve.log");
        let out = File::create(&log).expect("the scratch folder is ours");
        let mut command = Command::new(program::facteur());
        command.arg("serve").arg("--plan").arg(self.scratch.join("bench.plan.ron"));
        command.arg("--site").arg(self.scratch.join("site.ron")).env("RUST_LOG", "info");
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out).spawn();
        let mut serving = Serving { child: spawned.expect("facteur is built"), log };
        wait::until(WITHIN, "facteur serve listens", || {
            if let Ok(Some(status)) = serving.child.try_wait() {
                panic!("facteur serve ended with {status}\n{}", serving.log());
            }
            (serving.log().matches(" listening ").count() == 2).then_some(())
        });
        serving
    }

    /// Is `word` in a file of the data folder?
    pub fn holds(&self, word: &str) -> bool {
        let mut folders = vec![self.data()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("ballast") {
                    let octets = fs::read(&path).unwrap_or_default();
                    if octets.windows(word.len()).any(|there| there == word.as_bytes()) {
                        return true;
                    }
                }
            }
        }
        false
    }
}

impl Serving {
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    #[track_caller]
    pub fn address(&self, listener: &str) -> SocketAddr {
        let log = self.log();
        let line = log.lines().find(|line| line.contains(" listening ") && line.contains(listener));
        let address = line.and_then(|line| line.split(['"', ' ', '=']).find_map(|word| word.parse().ok()));
        address.unwrap_or_else(|| panic!("{listener} does not listen\n{log}"))
    }

    /// What the listener of IMAP shows to somebody who wants `mail.example.org` and trusts as `tls` says.
    pub fn shown(&self, tls: &Arc<ClientConfig>) -> Result<CertificateDer<'static>, String> {
        let name = ServerName::try_from("mail.example.org").expect("a name");
        let mut connection = ClientConnection::new(Arc::clone(tls), name).map_err(|error| error.to_string())?;
        let mut socket = TcpStream::connect(self.address("imaps")).map_err(|error| error.to_string())?;
        socket.set_read_timeout(Some(WITHIN)).map_err(|error| error.to_string())?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket).map_err(|error| error.to_string())?;
        }
        let chain = connection.peer_certificates().ok_or("no certificate")?;
        Ok(chain.first().ok_or("no certificate")?.clone().into_owned())
    }

    /// Asks the server to end and waits for it.
    #[track_caller]
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the server runs");
        let status = wait::until(WITHIN, "the server ends when asked", || self.child.try_wait().expect("it is ours"));
        assert!(status.success(), "{status}\n{}", self.log());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}
