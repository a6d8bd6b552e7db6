use proptest::prelude::*;

use super::*;

const HEAD: &str = "ICAP/1.0 200 OK\r\nISTag: \"a-1\"\r\n";

/// What a client hears: the verdict on the whole response, or what was wrong.
fn heard(wire: &str, body: Body, whole: bool) -> Result<Verdict, BadResponse> {
    let mut reader = ResponseReader::new(false, 1_000);
    reader.feed(wire.as_bytes());
    loop {
        match reader.next() {
            Event::Body(_) => {}
            Event::Whole(response) => return Ok(verdict(&response, body, whole)),
            Event::Bad(bad) => return Err(bad),
            Event::NeedInput | Event::Continue => panic!("not over: {wire}"),
        }
    }
}

fn infected(name: &str) -> Verdict {
    Verdict::Infected(name.to_owned())
}

fn block(fields: &str, status: u16) -> String {
    let inner = format!("HTTP/1.1 {status} X\r\nContent-Type: text/html\r\n\r\n");
    format!("{HEAD}{fields}Encapsulated: res-hdr=0, res-body={}\r\n\r\n{inner}3\r\nbad\r\n0\r\n\r\n", inner.len())
}

#[test]
fn what_c_icap_says_of_a_virus_is_its_name() {
    let fields = "Server: C-ICAP/0.5.10\r\nConnection: keep-alive\r\n\
                  X-Infection-Found: Type=0; Resolution=2; Threat=Test.Eicar.UNOFFICIAL;\r\n\
                  X-Violations-Found: 1\r\n\t-\r\n\tTest.Eicar.UNOFFICIAL\r\n\t0\r\n\t0\r\n";
    assert_eq!(heard(&block(fields, 403), Body::Differs, true), Ok(infected("Test.Eicar.UNOFFICIAL")));
}

#[test]
fn findings_of_other_engines() {
    let found = [
        ("X-Virus-ID: EICAR test file\r\n", infected("EICAR test file")),
        ("X-Violations-Found: 1\r\n a.zip\r\n W32/Bad\r\n 7\r\n 2\r\n", infected("W32/Bad")),
        ("X-Infection-Found: Type=2; Resolution=2; Threat=too deep;\r\n", Verdict::Suspect("too deep".into())),
        (
            "X-Infection-Found: Type=0; Resolution=0; Threat=Heuristics.Encrypted.Zip;\r\n",
            Verdict::Suspect("Heuristics.Encrypted.Zip".into()),
        ),
    ];
    for (fields, expected) in found {
        assert_eq!(heard(&block(fields, 403), Body::Differs, true), Ok(expected.clone()), "{fields}");
        // Also where it is found before all of the message was there, and where the page comes with 200.
        assert_eq!(heard(&block(fields, 200), Body::Differs, false), Ok(expected), "{fields}");
    }
}

#[test]
fn words_that_contradict_each_other_are_no_verdict() {
    let no_content = |fields: &str| format!("ICAP/1.0 204 No Content\r\n{fields}Encapsulated: null-body=0\r\n\r\n");
    let cases = [
        (no_content("X-Virus-ID: Eicar\r\n"), Body::None),
        (no_content("X-Infection-Found: Type=0;\r\n"), Body::None),
        (block("X-Infection-Found: Type=0; Resolution=2; Threat=;\r\n", 403), Body::Differs),
        (block("X-Response-Info: Blocked\r\n", 403), Body::Differs),
        (block("", 403), Body::Differs),
        (block("", 503), Body::Same),
        (block("", 200), Body::Differs),
        ("ICAP/1.0 500 Server error\r\nConnection: close\r\n\r\n".to_owned(), Body::None),
        ("ICAP/1.0 404 Service not found\r\n\r\n".to_owned(), Body::None),
        ("ICAP/1.0 200 OK\r\n\r\n".to_owned(), Body::None),
    ];
    for (wire, body) in cases {
        assert!(matches!(heard(&wire, body, true), Ok(Verdict::None(_))), "{wire}");
    }
}

#[test]
fn clean_is_said_of_a_whole_message_only() {
    let no_content = "ICAP/1.0 204 Unmodified\r\nX-Violations-Found: 0\r\n\r\n";
    assert_eq!(heard(no_content, Body::None, true), Ok(Verdict::Clean));
    assert!(matches!(heard(no_content, Body::None, false), Ok(Verdict::Refused(_))));
    assert_eq!(heard(&block("", 200), Body::Same, true), Ok(Verdict::Clean));
    assert!(matches!(heard(&block("", 200), Body::Same, false), Ok(Verdict::Refused(_))));
    assert!(matches!(heard("ICAP/1.0 413 Too large\r\n\r\n", Body::None, false), Ok(Verdict::Refused(_))));
}

#[test]
fn what_is_not_the_protocol_is_not_read() {
    let long = format!("{HEAD}X-Long: {}\r\n\r\n", "x".repeat(SECTION_OCTETS_MAX));
    let inner = "HTTP/1.1 200 OK\r\n\r\n";
    let endless = format!(
        "{HEAD}Encapsulated: res-hdr=0, res-body={}\r\n\r\n{inner}7d0\r\n{}\r\n",
        inner.len(),
        "x".repeat(2_000)
    );
    let cases = [
        ("HTTP/1.1 200 OK\r\n\r\n", BadResponse::Unknown),
        ("ICAP/1.0 2000 OK\r\n\r\n", BadResponse::Unknown),
        ("ICAP/1.0 200 OK\r\nno field\r\n\r\n", BadResponse::Unknown),
        ("ICAP/1.0 100 Continue\r\n\r\n", BadResponse::Continue),
        ("ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=5, res-body=2\r\n\r\n", BadResponse::Unknown),
        ("ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=99999999\r\n\r\n", BadResponse::Unknown),
        ("ICAP/1.0 204 No\r\nEncapsulated: res-body=0\r\n\r\n", BadResponse::Unknown),
        ("ICAP/1.0 200 OK\r\nEncapsulated: opt-body=0\r\n\r\nffffffffff\r\n", BadResponse::Unknown),
        (&long, BadResponse::Header),
        (&endless, BadResponse::Body),
    ];
    for (wire, expected) in cases {
        assert_eq!(heard(wire, Body::Differs, true), Err(expected), "{}", &wire[..wire.len().min(80)]);
    }
}

#[test]
fn a_service_says_what_it_takes() {
    let options = "ICAP/1.0 200 OK\r\nMethods: RESPMOD, REQMOD\r\nService: C-ICAP\r\nISTag: \"CI0001-x\"\r\n\
                   Options-TTL: 3600\r\nPreview: 1024\r\nAllow: 204\r\nMax-Connections: 20\r\nEncapsulated: null-body=0\r\n\r\n";
    let read = |wire: &str| {
        let mut reader = ResponseReader::new(false, 0);
        reader.feed(wire.as_bytes());
        match reader.next() {
            Event::Whole(response) => Service::of(&response),
            event => panic!("{event:?}"),
        }
    };
    let expected = Service {
        method: Method::Respmod,
        preview: Some(1024),
        istag: Some("CI0001-x".into()),
        ttl_s: Some(3600),
        connections_max: Some(20),
        name: "C-ICAP".into(),
    };
    assert_eq!(read(options), Ok(expected));
    assert_eq!(read(&options.replace("RESPMOD, ", "")).map(|it| it.method), Ok(Method::Reqmod));
    assert!(read(&options.replace("RESPMOD, REQMOD", "FILEMOD")).is_err());
    assert!(read("ICAP/1.0 404 Service not found\r\n\r\n").is_err());
    assert_eq!(read(&String::from_utf8(Server::service("x")).unwrap()).map(|it| it.preview), Ok(Some(1024)));
}

#[test]
fn a_place_has_a_host_and_a_service() {
    assert_eq!(place("scan.example:1344"), Some(("scan.example:1344", "respmod")));
    assert_eq!(place("scan.example:1344/"), Some(("scan.example:1344", "respmod")));
    assert_eq!(place("scan.example:1344/av?mode=simple"), Some(("scan.example:1344", "av?mode=simple")));
    assert_eq!(place("/avscan"), None);
    assert_eq!(place("scan.example:1344/a b"), None);
}

#[test]
fn the_stand_in_and_the_client_understand_each_other() {
    assert_eq!(heard(std::str::from_utf8(Server::clean()).unwrap(), Body::None, true), Ok(Verdict::Clean));
    let found = String::from_utf8(Server::infected("Eicar-Test-Signature")).unwrap();
    assert_eq!(heard(&found, Body::Differs, true), Ok(infected("Eicar-Test-Signature")));
    assert!(matches!(heard(std::str::from_utf8(Server::bad()).unwrap(), Body::None, true), Ok(Verdict::None(_))));
}

#[test]
fn two_responses_follow_each_other_and_a_100_may_come_before() {
    let mut reader = ResponseReader::new(true, 100);
    reader.feed(b"ICAP/1.0 100 Continue\r\n\r\nICAP/1.0 204 Unmodified\r\n\r\nmore");
    assert_eq!(reader.next(), Event::Continue);
    assert!(matches!(reader.next(), Event::Whole(response) if response.is_kept_alive()));
    assert!(!reader.is_empty(), "what follows was not asked for");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_octets_make_either_side_panic(
        head in prop::sample::select(&[
            "", "ICAP/1.0 ", "ICAP/1.0 200 OK\r\n", "ICAP/1.0 100 Continue\r\n\r\n", "RESPMOD icap://a/b ICAP/1.0\r\n",
            "ICAP/1.0 200 OK\r\nEncapsulated: res-hdr=0, res-body=19\r\n\r\nHTTP/1.1 403 No\r\n\r\n",
            "RESPMOD icap://a/b ICAP/1.0\r\nPreview: 4\r\nEncapsulated: res-body=0\r\n\r\n",
        ][..]),
        tail in prop::collection::vec(prop_oneof![Just(b'0'), Just(b'\r'), Just(b'\n'), Just(b';'), any::<u8>()], 0..80),
    ) {
        fuzz(&[head.as_bytes(), &tail].concat());
    }
}
