//! The test platform lets no mail leave: not by its program, whatever the site says, and not by its packet filter, whatever
//! the program does.

use std::process::Command;

use tests::smtp::{letter, read_reply};
use tests::wire::{self, Wire};
use tests::{Outcome, program, wait};

use crate::outbound::site::{Site, WITHIN};
use crate::outbound::smart_host::SmartHost;

#[test]
fn a_twin_hands_nothing_over_though_its_site_says_network() -> Outcome {
    let host = SmartHost::willing(&["PIPELINING"]);
    let site = Site::new(host.port);
    let message = letter(&site.sender.address, "reader@elsewhere.example", "twin").into_bytes();
    let twin = site.serve_with(&["--twin"]);
    for _ in 0..3 {
        twin.submit(&["reader@elsewhere.example"], &message)?;
    }
    wait::until(WITHIN, "all are forgotten", || (twin.log_text().matches(" sunk ").count() >= 3).then_some(()));
    assert!(twin.log_text().contains("this is a test platform"), "{}", twin.log_text());
    let banner = read_reply(&mut Wire::plain(wire::connect(twin.address(), "127.0.0.1".parse()?)?))?;
    assert!(banner.code == 220 && banner.text().contains("TEST PLATFORM"), "{}", banner.text());
    let status = site.run(&["status"]);
    assert!(status.out.starts_with("TEST PLATFORM, no mail leaves: "), "{}", status.out);
    twin.stop();
    assert!(site.spool().is_empty());
    assert_eq!(host.connections(), 0, "nobody opened a connection to the next hop");
    // The same plan and site without it: the next hop is reached, so that the silence above means something.
    let serving = site.serve();
    let banner = read_reply(&mut Wire::plain(wire::connect(serving.address(), "127.0.0.1".parse()?)?))?;
    assert!(!banner.text().contains("TEST"), "{}", banner.text());
    serving.submit(&["reader@elsewhere.example"], &message)?;
    serving.until_told("delivered", 1);
    serving.stop();
    assert_eq!((host.connections(), host.contents()), (1, 1));
    Ok(())
}

/// Tries ports from behind the rules on an interface that counts what it is given.
const TRY: &str = r#"
import json, socket, subprocess, sys
def run(*words): return subprocess.run(words, check=True, capture_output=True, text=True).stdout
open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w").write("1")
run("ip", "link", "set", "lo", "up")
run("ip", "link", "add", "wide", "type", "veth", "peer", "name", "far")
run("ip", "address", "add", "192.0.2.1/24", "dev", "wide")
run("ip", "link", "set", "far", "up")
run("ip", "link", "set", "wide", "up")
run("ip", "neighbour", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "wide")
run("nft", "-f", sys.argv[1])
def sent(): return json.loads(run("ip", "-s", "-j", "link", "show", "wide"))[0]["stats64"]["tx"]["packets"]
def tcp(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.setblocking(False)
    s.connect_ex(("192.0.2.9", port))
    return s
def udp(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try: s.sendto(b"x", ("192.0.2.9", port))
    except PermissionError: pass
before = sent()
kept = [tcp(port) for port in (24, 25, 465, 587)]
mail = sent() - before
kept += [tcp(port) for port in (80, 443, 2525, 3310, 6514, 8025)]
udp(25), udp(514)
other = sent() - before
udp(53)
control = sent() - before - other
counters = {line["counter"]["name"]: line["counter"]["packets"]
    for line in json.loads(run("nft", "-j", "list", "counters"))["nftables"] if "counter" in line}
print(json.dumps([mail, other, control, counters["mail-that-did-not-leave"], counters["other-that-did-not-leave"]]))
"#;

#[test]
fn no_packet_leaves_a_twin_for_a_port_mail_is_taken_at() -> Outcome {
    if !rustix::process::geteuid().is_root() {
        tests::skip::skip("no_packet_leaves_a_twin", tests::skip::Missing::Root);
        return Ok(());
    }
    for needed in ["nft", "ip", "python3"] {
        if crate::clients::found("no_packet_leaves_a_twin", needed).is_none() {
            return Ok(());
        }
    }
    let rules = program::top().join("appliance/image/overlays/staging/etc/nftables.conf");
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "python3", "-c", TRY]).arg(&rules);
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    let seen: Vec<u64> = serde_json::from_str(text.trim()).map_err(|_| format!("{text}{error}"))?;
    let [mail, other, control, mail_dropped, other_dropped] = seen[..] else { panic!("{text}") };
    assert_eq!((mail, other), (0, 0), "nothing left: {text}");
    assert!(control > 0, "a question to a name server leaves, so that the count means something: {text}");
    assert!(mail_dropped >= 5 && other_dropped >= 7, "every try was counted: {text}");
    Ok(())
}
