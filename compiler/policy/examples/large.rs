//! Prints a policy as large as any institution's, for timing by hand: `facteur check` on it takes under a second.
//! 200 networks, 50 listeners, 500 rows of limits, 2 000 domains that redirects may go to.

fn main() {
    print!("{}", policy(200, 50, 500, 2_000));
}

/// Networks are /24s of 10.0.0.0/8, each with a block of its own; the other rows are grants.
pub fn policy(networks: u32, listeners: u32, rows: u32, domains: u32) -> String {
    let mut text = String::from(
        "Policy(\n    language: 1,\n    institution: (name: \"Large\", domain: \"large.example\", time_zone: \"Europe/Paris\"),\n    networks: {\n",
    );
    for index in 0..networks {
        text += &format!("        \"net-{index}\": In([\"10.{}.{}.0/24\"]),\n", index / 256, index % 256);
    }
    text += "        \"outside\": Rest,\n    },\n    listeners: {\n        \"mx\": (host: \"mx.large.example\", port: 25, speaks: Smtp, auth: Never),\n";
    text += "        \"relay\": (host: \"relay.large.example\", port: 25, speaks: Smtp, auth: Never),\n";
    for index in 2..listeners {
        let (port, speaks) = if index % 2 == 0 { (465, "Smtp") } else { (993, "Imap") };
        text += &format!(
            "        \"l-{index}\": (host: \"h{index}.large.example\", port: {port}, speaks: {speaks}, auth: Required),\n"
        );
    }
    text += "    },\n    never_reachable_beyond: { Mx: Everywhere, Submission: Everywhere, Imaps: Everywhere, Relay: [\"net-0\", \"net-1\"] },\n";
    text += "    may_send: {\n";
    let submission: Vec<String> = (2..listeners).step_by(2).map(|index| format!("\"l-{index}\"")).collect();
    for (index, network) in (0..networks).map(|index| format!("net-{index}")).chain(["outside".to_owned()]).enumerate()
    {
        text += &format!(
            "        \"person-{index}\": (connecting_to: [{}], from: [\"{network}\"], to: Anyone, as: OwnAddresses, empty_sender: ReportsOnly,\n            each_account: (recipients_in_one_message: 100, messages_accepted: [\"200 / 1 h\"], recipients_accepted: [\"500 / 15 min\", \"1000 / 1 h\", \"4000 / 1 day\"])),\n",
            submission.join(", ")
        );
    }
    text += "        \"machine\": (connecting_to: [\"relay\"], from: [\"net-0\", \"net-1\"], to: Anyone, as: OwnDomain, empty_sender: ReportsOnly,\n            each_client_address: (recipients_in_one_message: 100, messages_accepted: [\"100 / 1 h\"], recipients_accepted: [\"500 / 1 h\"])),\n    },\n";
    text += "    limit_grants: [\n";
    for index in 0..rows.saturating_sub(networks + 2) {
        text += &format!(
            "        (login: \"person-{index}\", block: \"person-{}\", because: \"a reason\", approver: \"dupont-a\", until: \"2027-12-31\",\n            limits: (recipients_in_one_message: 100, messages_accepted: [\"300 / 1 h\"], recipients_accepted: [\"{} / 1 h\"])),\n",
            index % networks,
            1_000 + index
        );
    }
    text += "    ],\n    redirects: (asked_through: UnitItService, otherwise: Refuse, allow: {\n";
    for index in 0..domains {
        text += &format!("        \"d-{index}\": Suffix(\"partner-{index}.example\"),\n");
    }
    text + "    }),\n)\n"
}
