//! `identity.ldap`: a directory server people are read from.

use super::*;
use crate::model::Policy;

const IDENTITY: &str = r#"    identity: (
        directory: "annuaire",
        ldap: (
            servers: ["ldaps://ldap1.univ.example", "ldaps://ldap2.univ.example:1636"],
            base: "ou=people,dc=univ,dc=example",
            bind: (dn: "cn=facteur,ou=system,dc=univ,dc=example", password: Secret("ldap")),
            attributes: Supann, stale_at_most: "1 day", page: 500,
        ),
        newcomers: AddressOnArrival,
        address: (official: "{First}.{Last}@univ.example", homonyms: AskDirectory),
        login: (form: "{last}-{initials}", fold: AsciiLower, collision: Append(suffix: "-{n}", first: 1)),
        password: (
            case_sensitive: true, quality: HardToGuess, at_expiry: ReadOnlyImap,
            initial: HandedOverInWriting, reset_by: Managers, sent_as: [Plain, Login],
        ),
    ),
"#;

fn policy() -> String {
    let neighbours = include_str!("neighbours.ron");
    with(neighbours, "    domains: {", &format!("{IDENTITY}    domains: {{"))
}

#[test]
fn a_directory_server_is_in_the_plan_with_every_option_resolved() {
    let compiled = check(&policy());
    assert_eq!(errors(&compiled), []);
    let ldap = compiled.plan.expect("a plan").plan.identity.ldap.expect("a directory");
    let servers: Vec<(&str, u32, plan::LdapTls)> =
        ldap.servers.iter().map(|server| (server.host.as_str(), server.port, server.tls)).collect();
    use plan::LdapTls::Implicit;
    assert_eq!(servers, [("ldap1.univ.example", 636, Implicit), ("ldap2.univ.example", 1_636, Implicit)]);
    assert_eq!(ldap.bind.expect("a name").password_secret, "ldap");
    assert_eq!((ldap.attributes.login.as_str(), ldap.attributes.last.as_str()), ("uid", "sn"));
    assert_eq!((ldap.stale_at_most_s, ldap.page), (86_400, 500));
}

#[test]
fn what_is_left_out_has_the_figures_of_the_language() {
    let text = with(&policy(), "            attributes: Supann, stale_at_most: \"1 day\", page: 500,\n", "");
    assert_eq!(plan_text(&text), plan_text(&policy()));
}

#[test]
fn a_mapping_of_attributes_names_them_itself() {
    let text = with(&policy(), "attributes: Supann", "attributes: (login: \"cn\", first: \"givenName\", last: \"sn\")");
    let ldap = check(&text).plan.expect("a plan").plan.identity.ldap.expect("a directory");
    assert_eq!((ldap.attributes.login.as_str(), ldap.attributes.mail.as_str()), ("cn", ""));
}

#[test]
fn each_mistake_about_a_directory_has_its_code_and_line() {
    for (code, from, to) in [
        (Code::E0805, "ldaps://ldap1.univ.example", "ldap://ldap1.univ.example"),
        (Code::E0114, "Secret(\"ldap\")", "\"hunter2\""),
        (Code::E0114, "Secret(\"ldap\")", "1234"),
        (Code::E0114, "ldaps://ldap1", "ldaps://facteur:hunter2@ldap1"),
        (Code::E0104, "ldaps://ldap1.univ.example", "ldap1.univ.example"),
        (Code::E0104, "ou=people,dc=univ,dc=example", "people"),
        (Code::E0104, "attributes: Supann", "attributes: (login: \"u i d\", first: \"givenName\", last: \"sn\")"),
        (Code::E0101, "attributes: Supann", "attributes: Suppan"),
        (Code::E0108, "page: 500", "page: 0"),
        (Code::E0108, "\"1 day\"", "\"1 s\""),
        (Code::E0108, "[\"ldaps://ldap1.univ.example\", \"ldaps://ldap2.univ.example:1636\"]", "[]"),
    ] {
        let ldap = with(IDENTITY, from, to);
        let text = policy().replace(IDENTITY, &ldap);
        let compiled = check(&text);
        let line = line_of(&text, "    identity: (") + line_of(&ldap, to) - 1;
        assert_eq!(errors(&compiled), [(code, line)], "{to}: {:?}", compiled.diagnostics);
        let shown = format!("{:?}", compiled.diagnostics);
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn starttls_is_asked_for_where_the_policy_says_so() {
    let text = with(&policy(), "\"ldaps://ldap1.univ.example\"", "\"ldap://ldap1.univ.example\"");
    let text = with(&text, "            base: ", "            tls: StartTls, base: ");
    let ldap = check(&text).plan.expect("a plan").plan.identity.ldap.expect("a directory");
    assert_eq!((ldap.servers[0].port, ldap.servers[0].tls), (389, plan::LdapTls::StartTls));
    assert_eq!(ldap.servers[1].tls, plan::LdapTls::Implicit);
}

#[test]
fn a_plan_with_a_directory_server_is_served() {
    let plan = check(&policy()).plan.expect("a plan").plan;
    assert!(decide::unserved(&plan).iter().all(|one| one.path != "identity.ldap"));
}

#[test]
fn the_ron_crate_reads_a_directory_as_we_do() {
    use ron::extensions::Extensions;
    let options = ron::Options::default()
        .with_default_extension(Extensions::IMPLICIT_SOME)
        .with_default_extension(Extensions::UNWRAP_NEWTYPES)
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES);
    let text = policy();
    let theirs: Policy = options.from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let mut sources = crate::diagnostic::Sources::new();
    let file = sources.add("policy.ron", text.as_str());
    let mut sink = Vec::new();
    let ours = Policy::decode(&crate::syntax::read(file, &text, &mut sink), &mut sink);
    assert_eq!(sink, []);
    assert_eq!(ours.identity, theirs.identity);
}
