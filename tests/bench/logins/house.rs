//! The bench policy served by `facteur serve`, where a client is who its socket says: each program of a storm may have an
//! address of its own.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustls::ClientConfig;
use tests::scratch::Scratch;
use tests::{Facteur, Options, program, wait, wire};

const WITHIN: Duration = Duration::from_secs(600);

/// A data folder with people, a plan and a site.
pub struct House {
    scratch: Scratch,
    pub logins: Vec<(String, String)>,
    pub address: String,
    pub tls: Arc<ClientConfig>,
}

/// A running `facteur serve`; killed when it goes.
pub struct Serving {
    child: Child,
    log: PathBuf,
    data: PathBuf,
}

impl House {
    /// With so many people. They share one verifier, made once: what is measured is checking it, and each login has a hash
    /// and a name of its own all the same.
    pub fn new(people: u32) -> House {
        let scratch = Scratch::new("storm");
        let policy = program::top().join("policies/bench");
        let options = Options { data: Some(scratch.join("data")), people, ..Options::default() };
        let running = Facteur::start_with(&policy, options);
        let numbered = running.describe.people.iter().filter(|who| who.login.starts_with("user"));
        let logins = numbered.map(|who| (who.login.clone(), who.password.clone())).collect();
        let address = running.describe.people[0].address.clone();
        running.stop();
        program::run(Command::new(program::facteur()).arg("compile").arg(&policy).arg("--out").arg(scratch.path()))
            .ends(0);
        let key = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_string()]).expect("a certificate can be made");
        let (chain, secret) = (scratch.join("chain.pem"), scratch.join("key.pem"));
        let write = |path: PathBuf, text: &str| fs::write(path, text).expect("the scratch folder is ours");
        write(chain.clone(), &key.cert.pem());
        write(secret.clone(), &key.signing_key.serialize_pem());
        let data = scratch.join("data");
        let site = format!(
            "Site(data: {data:?}, listeners: {{\"mx\": [\"127.0.0.1:0\"], \"imaps\": [\"127.0.0.1:0\"]}}, outbound: Sink,\n\
             certificates: {{\"default\": File(chain: {chain:?}, key: {secret:?})}})\n"
        );
        write(scratch.join("site.ron"), &site);
        let tls = wire::trusting(&chain);
        House { scratch, logins, address, tls }
    }

    pub fn serve(&self) -> Serving {
        let log = self.scratch.join("serve.log");
        let out = File::create(&log).expect("the scratch folder is ours");
        let mut command = Command::new(program::facteur());
        command.arg("serve").arg("--plan").arg(self.scratch.join("bench.plan.ron"));
        command.arg("--site").arg(self.scratch.join("site.ron")).env("RUST_LOG", "warn,facteur=info");
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(out).spawn();
        let child = spawned.expect("facteur is built");
        let mut serving = Serving { child, log, data: self.scratch.join("data") };
        wait::until(WITHIN, "facteur serve listens", || {
            if let Ok(Some(status)) = serving.child.try_wait() {
                panic!("facteur serve ended with {status}\n{}", serving.log());
            }
            (serving.address("imaps").is_some() && serving.address("mx").is_some()).then_some(())
        });
        serving
    }
}

impl Serving {
    pub fn address(&self, listener: &str) -> Option<SocketAddr> {
        let log = self.log();
        let said = log.lines().find(|line| line.contains("listening") && line.contains(listener))?;
        said.split(['"', ' ', '=']).find_map(|word| word.parse().ok())
    }

    /// The sum of a metric over labels that begin so; 0 when it is not there.
    pub fn metric(&self, name: &str) -> f64 {
        let page = self.metrics().unwrap_or_default();
        let values = page.lines().filter_map(|line| line.strip_prefix(name)?.rsplit(' ').next()?.parse::<f64>().ok());
        values.fold(0.0, |sum, value| sum + value)
    }

    fn metrics(&self) -> io::Result<String> {
        let mut stream = UnixStream::connect(self.data.join("control.sock"))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: facteur\r\nConnection: close\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        Ok(page)
    }

    /// Asks it to end and waits for that.
    pub fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("the server runs");
        wait::until(WITHIN, "the server ends when asked", || self.child.try_wait().expect("the child is ours"));
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
