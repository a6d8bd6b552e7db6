use super::import_again;
use super::menu::{Effect, Facts, Menu};
use super::network::{Static, Wanted};
use crate::commands::appliance::first_boot::{self, Places};

fn facts() -> Facts {
    Facts {
        version: "1.2.3".into(),
        twin: false,
        interfaces: vec![("eth0".into(), vec!["10.0.2.15".into()]), ("eth1".into(), Vec::new())],
        plan: "plan 7f3a number 4, ON TRIAL for 50 s more".into(),
        missing: vec!["no site was given".into(), "evil \x1b[2J".into()],
    }
}

/// What typing these lines brings about.
fn typed(lines: &[&str]) -> Vec<Effect> {
    let (mut menu, facts) = (Menu::new(), facts());
    lines.iter().filter_map(|line| menu.line(line, &facts).0).collect()
}

#[test]
fn the_screen_says_where_the_machine_is_what_it_serves_and_what_is_missing() {
    let screen = Menu::new().screen(&facts());
    for words in
        ["facteur 1.2.3", "eth0         10.0.2.15", "eth1         no address", "ON TRIAL", "! no site was given"]
    {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
    assert!(!screen.contains('\x1b'), "nothing from outside moves the cursor");
    assert!(!screen.contains("TEST PLATFORM"));
    let twin = Facts { twin: true, ..facts() };
    assert!(Menu::new().screen(&twin).contains("facteur 1.2.3  TEST PLATFORM: no mail leaves"));
    let many = Facts { missing: (0..20).map(|n| format!("trouble {n}")).collect(), ..facts() };
    let screen = Menu::new().screen(&many);
    assert!(screen.contains("and 12 more") && !screen.contains("trouble 9"), "{screen}");
    assert!(screen.lines().count() <= 24 && screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
}

#[test]
fn what_changes_the_machine_is_done_only_after_a_yes() {
    for (choice, effect) in [
        ("5", Effect::ImportAgain),
        ("7", Effect::PowerOff),
        ("8", Effect::Reboot),
        ("4", Effect::Run(["rollback", "--reason", "at the console of the machine"].map(str::to_owned).to_vec())),
    ] {
        assert_eq!(typed(&[choice, "yes"]), [effect], "{choice}");
        for other in ["", "y", "no", "YES", "yes please"] {
            assert_eq!(typed(&[choice, other]), [], "{choice} {other}");
        }
        assert_eq!(typed(&[choice, "no", "yes"]), [], "a yes that comes late is no answer to anything");
    }
    assert_eq!(
        typed(&["6", "the keys were lost", "yes"]),
        [Effect::BreakGlass { because: "the keys were lost".into() }]
    );
    assert_eq!(typed(&["6", "", "yes"]), []);
}

#[test]
fn looking_needs_no_yes_and_nonsense_does_nothing() {
    assert_eq!(typed(&["1"]), [Effect::Run(vec!["status".into()])]);
    assert_eq!(typed(&["3"]), [Effect::Run(vec!["update".into(), "status".into()])]);
    let status = Effect::Run(vec!["update".into(), "status".into()]);
    let rollback = Effect::Run(vec!["update".into(), "rollback".into()]);
    assert_eq!(typed(&["3", "1", "yes"]), [status.clone(), Effect::Update]);
    assert_eq!(typed(&["3", "2", "yes"]), [status.clone(), rollback]);
    for other in ["", "no", "1"] {
        assert_eq!(typed(&["3", "1", other]), std::slice::from_ref(&status), "{other}");
    }
    for nonsense in ["", "0", "9", "11", "status; sh", "$(sh)", "!sh", "\x1b[A", &"x".repeat(5_000), "１"] {
        assert_eq!(typed(&[nonsense]), [], "{nonsense:?}");
        assert_eq!(typed(&["2", nonsense, nonsense]), [], "{nonsense:?}");
        assert_eq!(typed(&["2", "2", nonsense, nonsense]), [], "{nonsense:?}");
    }
}

#[test]
fn an_address_is_set_for_an_interface_that_is_there() {
    let fixed = Static::read("192.0.2.10/24", "192.0.2.1", "192.0.2.53 2001:db8::53").unwrap();
    let wanted = Wanted::Static { interface: "eth0".into(), fixed };
    let lines = ["2", "2", "eth0", "192.0.2.10/24", "192.0.2.1", "192.0.2.53 2001:db8::53", "yes"];
    assert_eq!(typed(&lines), [Effect::Network(wanted.clone())]);
    assert_eq!(
        wanted.text(),
        "# Written at the console.\n[Match]\nName=eth0\n\n[Network]\nAddress=192.0.2.10/24\nGateway=192.0.2.1\n\
         DNS=192.0.2.53\nDNS=2001:db8::53\n"
    );
    let dhcp = Wanted::Dhcp { interface: "eth1".into() };
    assert_eq!(typed(&["2", "1", "eth1", "yes"]), [Effect::Network(dhcp.clone())]);
    assert_eq!(dhcp.text(), "# Written at the console.\n[Match]\nName=eth1\n\n[Network]\nDHCP=yes\n");
    let folder = std::path::Path::new("/n");
    assert_eq!(dhcp.file(folder).unwrap(), folder.join("10-eth1.network"));
    for bad in ["../up", "a/b", "", ".", "much-too-long-name", "eth0\n"] {
        assert_eq!(Wanted::Dhcp { interface: bad.into() }.file(folder), None, "{bad}");
    }
    for lines in [
        &["2", "2", "eth9", "192.0.2.10/24", "192.0.2.1", "192.0.2.53", "yes"][..],
        &["2", "2", "eth0", "192.0.2.10", "192.0.2.1", "192.0.2.53", "yes"],
        &["2", "2", "eth0", "192.0.2.10/33", "192.0.2.1", "192.0.2.53", "yes"],
        &["2", "2", "eth0", "127.0.0.1/8", "192.0.2.1", "192.0.2.53", "yes"],
        &["2", "2", "eth0", "192.0.2.10/24", "2001:db8::1", "192.0.2.53", "yes"],
        &["2", "2", "eth0", "192.0.2.10/24", "192.0.2.1", "", "yes"],
        &["2", "2", "eth0", "192.0.2.10/24", "192.0.2.1", "1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4 5.5.5.5", "yes"],
    ] {
        assert_eq!(typed(lines), [], "{lines:?}");
    }
}

#[test]
fn importing_again_takes_what_is_given_now_and_the_server_comes_back_whatever_it_came_to() {
    let folder = std::env::temp_dir().join(format!("facteur-console-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let at = |name: &str| folder.join(name);
    std::fs::create_dir_all(at("cidata")).unwrap();
    std::fs::write(at("plan.ron"), include_str!("../../../../../../policies/bench/policy.plan.ron")).unwrap();
    let data = at("data");
    let give = |word: &str| {
        let site = format!("Site(data: {data:?}, listeners: {{}}, outbound: Sink) // {word}");
        std::fs::write(at("cidata/site.ron"), site).unwrap();
    };
    let places = Places {
        data: data.clone(),
        plan: at("plan.ron"),
        credentials: None,
        cidata: Some(at("cidata")),
        addresses: Vec::new(),
    };
    let site = || std::fs::read_to_string(data.join("site.ron")).unwrap();
    give("first");
    first_boot::run(&places, false, &mut |_| Ok(())).unwrap();
    give("second");
    first_boot::run(&places, false, &mut |_| Ok(())).unwrap();
    assert!(site().contains("// first"), "a start alone takes nothing else");
    let mut asked = Vec::new();
    let mut systemctl = |fails: bool| {
        import_again(&data, &mut |words| {
            asked.push(words.join(" "));
            match words {
                ["start", "facteur-import-again.service"] if fails => Err("it failed".to_owned()),
                ["start", "facteur-import-again.service"] => {
                    first_boot::run(&places, true, &mut |_| Ok(())).map(drop).map_err(|error| error.to_string())?;
                    Ok(String::new())
                }
                _ => Ok(String::new()),
            }
        })
    };
    assert_eq!(systemctl(false).as_deref(), Ok("imported: site\n"));
    assert_eq!(systemctl(true), Err("it failed".to_owned()));
    assert!(site().contains("// second"));
    let turn = ["stop facteur.service", "start facteur-import-again.service", "start --no-block facteur.service"];
    assert_eq!(asked, [turn, turn].concat());
    std::fs::remove_dir_all(&folder).unwrap();
}
