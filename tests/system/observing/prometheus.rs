//! Debian's Prometheus: its tool reads our rules, and a running one scrapes the server and evaluates them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tests::program;
use tests::skip::{Missing, skip};
use tests::{Facteur, Outcome, wait};

const WITHIN: Duration = Duration::from_secs(90);

fn monitoring(name: &str) -> PathBuf {
    program::top().join("appliance/monitoring").join(name)
}

#[test]
fn promtool_takes_the_rules_and_each_alert_fires_when_it_should() -> Outcome {
    if program::find("promtool").is_none() {
        skip("promtool_takes_the_rules", Missing::Program("promtool"));
        return Ok(());
    }
    program::run(Command::new("promtool").args(["check", "rules"]).arg(monitoring("alerts.yml"))).ends(0);
    for name in ["alerts.test.yml", "alerts-slow.test.yml"] {
        program::run(Command::new("promtool").args(["test", "rules"]).arg(monitoring(name))).ends(0);
    }
    Ok(())
}

/// A Prometheus that scrapes one server; killed when it goes.
struct Prometheus {
    child: Child,
    port: u16,
}

impl Prometheus {
    #[track_caller]
    fn start(server: &Facteur) -> Prometheus {
        // It takes no port 0: one that was free a moment ago mostly still is.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let target = server.describe.metrics.trim_start_matches("http://").trim_end_matches("/metrics");
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
             rule_files: [{:?}]\nscrape_configs:\n  - job_name: facteur\n    static_configs: [{{targets: [{target:?}]}}]\n",
            monitoring("alerts.yml")
        );
        let (file, log) = (server.scratch().join("prometheus.yml"), server.scratch().join("prometheus.log"));
        fs::write(&file, config).expect("the scratch folder is ours");
        let log = fs::File::create(log).expect("the scratch folder is ours");
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", server.scratch().join("tsdb").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("prometheus starts");
        Prometheus { child, port }
    }

    /// `data` of an answer; nothing until it is there.
    fn get(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(WITHIN)).ok()?;
        // HTTP/1.0: the answer ends with the connection, and comes in one piece.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        let answer: Value = serde_json::from_str(body).ok()?;
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        Some(answer["data"].clone())
    }

    fn query(&self, expression: &str) -> Option<Value> {
        let encoded: String = expression.bytes().map(|octet| format!("%{octet:02X}")).collect();
        self.get(&format!("/api/v1/query?query={encoded}")).map(|data| data["result"].clone())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Names of the documented metrics.
fn documented() -> BTreeSet<String> {
    let table = program::run(Command::new(program::facteur()).args(["metrics", "--format", "json"])).ends(0);
    let name = |line: &str| Some(serde_json::from_str::<Value>(line).ok()?["name"].as_str()?.to_owned());
    table.out.lines().filter_map(name).collect()
}

#[test]
fn a_real_prometheus_scrapes_what_is_documented_and_evaluates_every_alert_and_panel() -> Outcome {
    if program::find("prometheus").is_none() {
        skip("a_real_prometheus", Missing::Program("prometheus"));
        return Ok(());
    }
    let server = Facteur::start("nantes");
    let prometheus = Prometheus::start(&server);
    wait::until(WITHIN, "the server was scraped", || {
        let up = prometheus.query("up{job=\"facteur\"}")?;
        (up[0]["value"][1] == "1").then_some(())
    });
    let documented = documented();
    let page = server.metrics();
    let shown = page.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next().map(str::to_owned));
    assert_eq!(shown.collect::<BTreeSet<_>>(), documented);
    // What Prometheus stored is all ours, but for what it adds itself.
    let names = prometheus.get("/api/v1/label/__name__/values").expect("it answers");
    for name in names.as_array().expect("a list").iter().filter_map(Value::as_str) {
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let ours = documented.contains(name) || family.is_some_and(|family| documented.contains(family));
        assert!(ours || name == "up" || name.starts_with("scrape_") || name.starts_with("ALERTS"), "{name}");
    }
    let rules = wait::until(WITHIN, "every rule was evaluated", || {
        let groups = prometheus.get("/api/v1/rules")?;
        let rules = groups["groups"][0]["rules"].as_array()?.clone();
        (rules.len() > 30 && rules.iter().all(|rule| rule["health"] != "unknown")).then_some(rules)
    });
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        assert!(prometheus.query(rule["query"].as_str().unwrap_or_default()).is_some(), "{rule}");
    }
    let board: Value = serde_json::from_str(&fs::read_to_string(monitoring("dashboard.json"))?)?;
    let panels = board["panels"].as_array().map(Vec::as_slice).unwrap_or_default();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let asked = targets.filter_map(|target| target["expr"].as_str()).map(|expression| {
        assert!(prometheus.query(&expression.replace("$instance", ".*")).is_some(), "{expression}");
    });
    assert!(asked.count() > 20);
    server.stop();
    Ok(())
}
