//! EHLO and HELO: what the client said, and what the server lists (RFC 5321 4.1.1.1).

use std::fmt;

use super::{AuthMode, Config, TlsMode};
use crate::sasl::{self, Bindings};
use crate::smtp::command::HelloName;

/// What the client said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    pub name: HelloName,
    /// EHLO, not HELO.
    pub extended: bool,
}

/// The "with" word of a Received field (RFC 3848).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transport {
    pub lmtp: bool,
    pub extended: bool,
    pub tls: bool,
    pub login: bool,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match (self.extended || self.lmtp, self.tls, self.login) {
            (false, _, _) => "SMTP",
            (true, false, false) => "ESMTP",
            (true, true, false) => "ESMTPS",
            (true, false, true) => "ESMTPA",
            (true, true, true) => "ESMTPSA",
        };
        if self.lmtp { write!(f, "L{}", &name[2..]) } else { f.write_str(name) }
    }
}

/// The lines of the answer to EHLO, first the host's name.
pub(super) fn listing(config: &Config, bindings: &Bindings, login: bool) -> Vec<String> {
    let mut lines = vec![
        config.host.to_string(),
        "PIPELINING".to_owned(),
        format!("SIZE {}", config.size_octets_max),
        "8BITMIME".to_owned(),
        "ENHANCEDSTATUSCODES".to_owned(),
        "CHUNKING".to_owned(),
        "BINARYMIME".to_owned(),
    ];
    if matches!(config.tls, TlsMode::Offered | TlsMode::Required) {
        lines.push("STARTTLS".to_owned());
    }
    if config.auth == AuthMode::Required && config.login_possible() && !login && !config.mechanisms.is_empty() {
        let offered = sasl::offered(&config.mechanisms, bindings);
        let names: Vec<&str> = offered.iter().map(|mechanism| mechanism.name()).collect();
        lines.push(format!("AUTH {}", names.join(" ")));
    }
    if config.smtputf8 {
        lines.push("SMTPUTF8".to_owned());
    }
    if config.dsn {
        lines.push("DSN".to_owned());
    }
    // RFC 8689 3: only under TLS.
    if config.tls == TlsMode::Active {
        lines.push("REQUIRETLS".to_owned());
    }
    if config.xclient && config.tls != TlsMode::Required {
        lines.push("XCLIENT NAME ADDR PORT PROTO HELO".to_owned());
    }
    // RFC 9422 3.
    lines.push(format!("LIMITS RCPTMAX={}", config.rcpt_max));
    lines
}
