//! What Outlook asks for to set an account up: the answer of the POX protocol (MS-OXDSCLI 2.2.4) for mail that is read by
//! IMAP or POP.

use std::fmt::Write;

use mail::Address;
use plan::{Plan, Speaks, TlsMode};

use crate::autoconfig::{NoAutoconfig, doors, element, said, user_of};
use crate::facts::Facts;

const REQUEST: &str = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
/// The schema of what is answered; a client names the ones it takes.
pub const OUTLOOK: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

/// The answer for somebody with this address, the same whether or not it is anybody's.
pub fn autodiscover(plan: &Plan, address: &Address) -> Result<String, NoAutoconfig> {
    let (reading, sending) = doors(plan, address.domain().as_str())?;
    let facts = Facts { plan, language: plan.institution.pages };
    let user = user_of(&facts, address);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"{REQUEST}\">\n  <Response xmlns=\"{OUTLOOK}\">\n"
    );
    let _ = writeln!(text, "    <User>\n      <DisplayName>{}</DisplayName>\n    </User>", said(&address.to_string()));
    text += "    <Account>\n      <AccountType>email</AccountType>\n      <Action>settings</Action>\n";
    for door in reading.iter().chain(sending.first()) {
        let listener = door.listener;
        let kind = match listener.speaks {
            Speaks::Imap => "IMAP",
            Speaks::Pop => "POP3",
            Speaks::Smtp | Speaks::Lmtp => "SMTP",
        };
        let (ssl, encryption) = match listener.tls {
            TlsMode::Implicit => ("on", "SSL"),
            TlsMode::Required | TlsMode::Offered => ("on", "TLS"),
            TlsMode::None => continue,
        };
        text += "      <Protocol>\n";
        for (name, value) in [
            ("Type", kind),
            ("Server", listener.host.as_str()),
            ("Port", &door.port()),
            ("DomainRequired", "off"),
            ("LoginName", &user),
            ("SPA", "off"),
            ("SSL", ssl),
            ("Encryption", encryption),
            ("AuthRequired", "on"),
        ] {
            element(&mut text, 8, name, value);
        }
        if kind == "SMTP" {
            element(&mut text, 8, "UsePOPAuth", "on");
        }
        text += "      </Protocol>\n";
    }
    Ok(text + "    </Account>\n  </Response>\n</Autodiscover>\n")
}

/// What a client is told that asked for something else. `code`: 500, the domain is not here; 600, the request is none;
/// 601, no schema it takes.
pub fn no_autodiscover(code: u16) -> String {
    let message = match code {
        500 => "The email address can't be found.",
        601 => "Provider is not available",
        _ => "Invalid Request",
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"{REQUEST}\">\n  <Response>\n    <Error>\n      \
         <ErrorCode>{code}</ErrorCode>\n      <Message>{message}</Message>\n      <DebugData />\n    </Error>\n  \
         </Response>\n</Autodiscover>\n"
    )
}
