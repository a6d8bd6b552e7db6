//! What one client may take: octets, time, connections, and a host that is ours.

use std::io::{Read, Write};
use std::net::Ipv4Addr;

use tests::{Browser, Outcome, wire};

use super::{person, serve};

/// The bound of `serve.rs`.
const OF_ADDRESS_MAX: usize = 128;

#[test]
fn what_is_too_large_is_refused_before_it_is_read() -> Outcome {
    let server = serve();
    let mut browser = Browser::signed_in(&server, "inside", &person(&server, 0));
    let token = browser.get("/")?.token("/language");
    let large = "x".repeat(70_000);
    let page = browser.post("/language", &[("token", &token), ("language", "fr"), ("back", &large)])?;
    assert_eq!(page.status, 413);
    let name = "X-Long";
    assert_eq!(browser.request("GET", "/", &[(name, &"y".repeat(20_000))], "")?.status, 431);
    let host = browser.host();
    // A length that is a lie of petabytes costs nothing.
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nHost: {host}\r\nOrigin: https://{host}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9999999999999999\r\n\r\n"
    );
    assert_eq!(browser.raw(head.as_bytes())?.status, 413);
    assert_eq!(browser.get("/")?.status, 200);
    Ok(())
}

#[test]
fn slow_clients_are_cut_and_others_do_not_notice() -> Outcome {
    let server = serve();
    let mut browser = Browser::signed_in(&server, "inside", &person(&server, 0));
    let host = browser.host();
    let mut silent = browser.connect()?;
    let mut header = browser.connect()?;
    header.write_all(format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-Slow: ").as_bytes())?;
    let mut body = browser.connect()?;
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nHost: {host}\r\nOrigin: https://{host}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nlogin="
    );
    body.write_all(head.as_bytes())?;
    for stream in [&mut silent, &mut header, &mut body] {
        stream.flush()?;
    }
    assert_eq!(browser.get("/")?.status, 200, "meanwhile");
    // The server ends each; a read that never ends fails the test after a minute.
    let mut answer = Vec::new();
    for stream in [&mut silent, &mut header] {
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof),
        }
    }
    let mut first = [0; 12];
    body.read_exact(&mut first)?;
    assert_eq!(&first, b"HTTP/1.1 408");
    Ok(())
}

#[test]
fn one_address_has_so_many_connections_and_no_more() -> Outcome {
    wire::many_files();
    let server = serve();
    let mut browser = Browser::new(&server, "inside");
    let address = browser.host().parse()?;
    let held: Vec<_> =
        (0..OF_ADDRESS_MAX).map(|_| wire::connect(address, Ipv4Addr::LOCALHOST)).collect::<Result<_, _>>()?;
    assert!(browser.get("/sign-in").is_err(), "the next one is closed");
    let mut elsewhere = tests::Imap::connect(&server, "imaps", "inside")?;
    elsewhere.command("NOOP")?.ok()?;
    drop(held);
    tests::wait::until(std::time::Duration::from_secs(30), "the places are free again", || {
        browser.get("/sign-in").ok().filter(|page| page.status == 200)
    });
    Ok(())
}

#[test]
fn only_hosts_of_ours_are_answered() -> Outcome {
    let server = serve();
    let mut browser = Browser::new(&server, "inside");
    for (host, status) in [
        ("messagerie.univ-nantes.fr", 200),
        ("MESSAGERIE.univ-nantes.fr", 200),
        ("evil.example", 421),
        ("messagerie.univ-nantes.fr.evil.example", 421),
        ("messagerie.univ-nantes.fr@evil.example", 421),
        ("", 421),
    ] {
        assert_eq!(browser.request("GET", "/sign-in", &[("Host", host)], "")?.status, status, "{host:?}");
    }
    Ok(())
}
