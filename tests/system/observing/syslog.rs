//! Log lines at a syslog server that reads the frames of RFC 5425, and as JSON.

use std::fs;
use std::io::{BufReader, Read};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tests::skip::{Missing, skip};
use tests::{Outcome, program, wait};

use super::house::{House, WITHIN};

/// Reads frames of one connection until `enough` has come; then the connection is cut.
fn frames(
    listener: &TcpListener,
    tls: &Arc<ServerConfig>,
    enough: impl Fn(&str) -> bool,
) -> std::io::Result<Vec<String>> {
    let (stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(WITHIN))?;
    let connection = ServerConnection::new(tls.clone()).map_err(std::io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let mut all = Vec::new();
    loop {
        let mut length = String::new();
        loop {
            let mut octet = [0];
            reader.read_exact(&mut octet)?;
            match octet[0] {
                b' ' => break,
                digit => length.push(char::from(digit)),
            }
        }
        let mut message = vec![0; length.parse().map_err(std::io::Error::other)?];
        reader.read_exact(&mut message)?;
        let message = String::from_utf8(message).map_err(std::io::Error::other)?;
        let last = enough(&message);
        all.push(message);
        if last {
            return Ok(all);
        }
    }
}

/// What a site says to send its lines to a port here, under the authority of the house.
fn to_syslog(house: &House, port: u16) -> String {
    format!(
        ", hosts: {{\"logs.example.org\": \"127.0.0.1\"}},\n\
         syslog: (to: \"logs.example.org:{port}\", name: \"mail.example.org\", authority: {:?})",
        house.scratch.join("ca.pem")
    )
}

#[test]
fn lines_go_to_a_syslog_server_over_tls_and_go_on_after_it_was_away() -> Outcome {
    let house = House::new();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let tls = house.authority.certifies("logs.example.org").tls;
    let site = to_syslog(&house, port);
    let serving = house.serve(&site, &[]);
    let first = frames(&listener, &tls, |message| message.contains("listening"))?;
    let line = first.last().expect("a frame");
    // <PRI>VERSION TIMESTAMP HOST APP PID MSGID [data] BOM text
    let fields: Vec<&str> = line.splitn(7, ' ').collect();
    assert_eq!((fields[0], fields[2], fields[3]), ("<22>1", "mail.example.org", "facteur"), "{line}");
    assert!(fields[1].ends_with('Z') && fields[1].len() == "2026-11-30T12:00:00.123Z".len(), "{line}");
    assert!(
        line.contains("[fields@32473 ") && line.contains("listener=\"") && line.contains("] \u{feff}listening"),
        "{line}"
    );
    // The connection was cut; another begins by itself, and what is said meanwhile waits for it.
    let again = frames(&listener, &tls, |message| message.contains("log lines go to the syslog server"))?;
    assert!(again.iter().all(|line| line.starts_with('<')), "{again:?}");
    wait::until(WITHIN, "it is counted", || (serving.metric("facteur_syslog_sent_total") > 0.0).then_some(()));
    drop(listener);
    // Nobody listens any more: the server goes on.
    wait::until(WITHIN, "the end is noticed", || (serving.metric("facteur_syslog_up") == 0.0).then_some(()));
    assert!(serving.get("/healthz").is_some());
    serving.stop();
    Ok(())
}

#[test]
fn the_last_lines_of_a_server_that_stops_arrive_and_one_that_is_away_holds_nobody_up() -> Outcome {
    let house = House::new();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let tls = house.authority.certifies("logs.example.org").tls;
    let site = to_syslog(&house, port);
    let serving = house.serve(&site, &[]);
    let away = listener.try_clone()?;
    let read = std::thread::spawn(move || frames(&away, &tls, |message| message.ends_with("\u{feff}stopped")));
    wait::until(WITHIN, "lines go there", || (serving.metric("facteur_syslog_sent_total") > 0.0).then_some(()));
    serving.stop();
    let read = read.join().expect("the reader ends")?;
    assert!(read.iter().any(|line| line.contains("listening")), "{read:?}");
    // Nobody answers: the server ends all the same.
    drop(listener);
    house.serve(&site, &[]).stop();
    Ok(())
}

#[test]
fn a_server_of_another_name_gets_nothing() -> Outcome {
    let house = House::new();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let tls = house.authority.certifies("somebody-else.example.org").tls;
    let site = to_syslog(&house, port);
    let serving = house.serve(&site, &[]);
    assert!(frames(&listener, &tls, |_| true).is_err());
    wait::until(WITHIN, "the log says why", || {
        serving.log().contains("no log lines go to the syslog server").then_some(())
    });
    assert_eq!(serving.metric("facteur_syslog_sent_total"), 0.0);
    serving.stop();
    Ok(())
}

#[test]
fn lines_are_json_where_that_is_wanted() -> Outcome {
    let house = House::new();
    let serving = house.serve("", &["--log", "json"]);
    wait::until(WITHIN, "it says that it listens", || serving.log().contains("listening").then_some(()));
    for line in serving.log().lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        assert!(line["time"].is_string() && line["level"].is_string() && line["fields"].is_object(), "{line}");
    }
    serving.stop();
    Ok(())
}

/// What Debian's rsyslog writes of each line: what it understood of it.
const UNDERSTOOD: &str = "%syslogfacility-text% %syslogseverity-text% %hostname% %app-name% %structured-data% %msg%\\n";

#[test]
fn rsyslog_understands_every_field() -> Outcome {
    if program::find("rsyslogd").is_none() || !fs::exists("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_gtls.so")? {
        skip("rsyslog_understands_every_field", Missing::Program("rsyslogd"));
        return Ok(());
    }
    let house = House::new();
    let shown = house.authority.certifies("logs.example.org");
    let [ca, chain, key, out, config, pid] =
        ["ca.pem", "logs.pem", "logs.key", "rsyslog.out", "rsyslog.conf", "rsyslog.pid"]
            .map(|name| house.scratch.join(name));
    fs::write(&chain, shown.chain_pem)?;
    fs::write(&key, shown.key_pem)?;
    // It takes no port 0: one that was free a moment ago mostly still is.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let text = format!(
        "global(workDirectory={:?} defaultNetstreamDriver=\"gtls\" defaultNetstreamDriverCAFile={ca:?}\n\
         defaultNetstreamDriverCertFile={chain:?} defaultNetstreamDriverKeyFile={key:?})\n\
         module(load=\"imtcp\" StreamDriver.Name=\"gtls\" StreamDriver.Mode=\"1\" StreamDriver.AuthMode=\"anon\")\n\
         input(type=\"imtcp\" port=\"{port}\" address=\"127.0.0.1\")\n\
         template(name=\"understood\" type=\"string\" string=\"{UNDERSTOOD}\")\n\
         action(type=\"omfile\" file={out:?} template=\"understood\")\n",
        house.scratch.path()
    );
    fs::write(&config, text)?;
    let mut rsyslog = Command::new(program::find("rsyslogd").unwrap_or_default());
    rsyslog.arg("-n").arg("-f").arg(&config).arg("-i").arg(&pid).stdin(Stdio::null()).stdout(Stdio::null());
    let mut rsyslog = rsyslog.spawn()?;
    let site = format!(
        ", hosts: {{\"logs.example.org\": \"127.0.0.1\"}},\n\
         syslog: (to: \"logs.example.org:{port}\", name: \"mail.example.org\", authority: {ca:?})"
    );
    let serving = house.serve(&site, &[]);
    let read = wait::until(WITHIN, "it wrote what it understood", || {
        let text = fs::read_to_string(&out).unwrap_or_default();
        text.contains("listening").then_some(text)
    });
    rsyslog.kill()?;
    rsyslog.wait()?;
    let line = read.lines().find(|line| line.ends_with("listening")).expect("it is there");
    assert!(line.starts_with("mail info mail.example.org facteur [fields@32473 listener=\""), "{line}");
    serving.stop();
    Ok(())
}
