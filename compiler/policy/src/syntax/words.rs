//! Policy words for messages: what a member of a section is called, and what a required field decides.

/// What one entry of a section is called.
pub(super) fn member_of(section: &str) -> &'static str {
    match section {
        "networks" => "network",
        "gateways" => "gateway",
        "listeners" => "listener",
        "may_send" | "may_receive" | "may_read" => "block",
        "domains" => "domain",
        "profiles" | "by_profile" => "profile",
        "scanners" => "scanner",
        "allow" | "on_grant" => "redirect rule",
        "homes" => "home",
        "known" => "application",
        "grants" => "grant",
        "limit_grants" => "limit grant",
        "blocked" => "block",
        "exits" => "exit code",
        "waivers" => "waiver",
        "guarantees" => "guarantee",
        "never_reachable_beyond" => "service",
        "people" => "person",
        "functions" => "functional address",
        "aliases" => "alias",
        "cases" => "case",
        _ => "entry",
    }
}

/// An example for a field, and what the field decides.
pub(super) fn field_help(field: &str) -> Option<(&'static str, &'static str)> {
    Some(match field {
        "language" => ("1", "which version of the policy language this file is in"),
        "institution" => ("(name: …, domain: …, time_zone: …)", "whose policy this is"),
        "networks" => ("{ \"inside\": In([…]), \"outside\": Rest }", "which addresses are treated alike"),
        "listeners" => ("{ \"mx\": (host: …, port: 25, speaks: Smtp, auth: Never) }", "what the server listens on"),
        "name" => ("\"…\"", "how it is called on pages and in replies"),
        "domain" => ("\"example.org\"", "which addresses are ours"),
        "time_zone" => ("\"Europe/Paris\"", "what every local time in the policy means"),
        "host" => ("\"mail.example.org\"", "the name clients use"),
        "port" => ("25", "where clients connect"),
        "speaks" => ("Smtp", "which protocol is served"),
        "auth" => ("Required", "whether clients must log in"),
        "tls" => ("StartTls(Required)", "how the connection is encrypted"),
        "connecting_to" => ("[\"smtp\"]", "which listeners the block is about"),
        "from" => ("[\"inside\"]", "which networks the block is about"),
        "to" => ("Anyone", "whom mail may go to"),
        "as" => ("OwnAddresses", "which sender addresses may be used"),
        "empty_sender" => ("ReportsOnly", "whether mail without a sender is taken"),
        "recipients_in_one_message" => ("50", "how many recipients one message may have"),
        "message_size" => ("\"20 MB\"", "how large a message may be"),
        "quota" => ("Fixed(\"1 GB\")", "how much a mailbox may hold"),
        "because" => ("\"…\"", "what readers will ask first"),
        "until" => ("\"2027-08-31\"", "when it ends by itself"),
        "what" => ("Sender(\"billing@phish.example\")", "what mail is refused for"),
        "code" => ("13", "which exit code of the program"),
        "means" => ("Infected", "what the program says by it"),
        "block_at_most" => ("\"30 days\"", "how long a block of a manager may last"),
        "recall_alone_at_most" => ("100", "out of how many mailboxes one manager may take a message"),
        "prefixes" => ("[\"192.0.2.0/24\"]", "which addresses belong to it"),
        "profile" => ("\"standard\"", "which quota and limits the person has"),
        "profiles" => ("{ \"standard\": (label: …, quota: …) }", "which kinds of mailbox there are"),
        "otherwise" => ("\"standard\"", "what holds for everybody else"),
        _ => return None,
    })
}
