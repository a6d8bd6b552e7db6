//! The profile that Apple's Mail takes an account from (`com.apple.mail.managed` of the Configuration Profile Reference).

use std::fmt::Write;

use mail::Address;
use plan::{Plan, Speaks, TlsMode};

use crate::autoconfig::{NoAutoconfig, doors, said, user_of};
use crate::facts::Facts;
use crate::services::Door;

/// Whose account it is. For somebody who is not signed in the names are empty: the file is the same for every address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub address: Address,
    /// Empty: made of the address where logins look like it, else put right by the person.
    pub login: String,
    /// As mail shows it; empty: the person is asked.
    pub name: String,
}

/// The profile as a property list. `ids`: two UUIDs in their text form, the same each time for the same account, so that a
/// newer profile takes the place of the older one.
pub fn mobileconfig(plan: &Plan, holder: &Holder, ids: &[String; 2]) -> Result<String, NoAutoconfig> {
    let (reading, sending) = doors(plan, holder.address.domain().as_str())?;
    let facts = Facts { plan, language: plan.institution.pages };
    let user = if holder.login.is_empty() { user_of(&facts, &holder.address) } else { holder.login.clone() };
    let (Some(reading), Some(sending)) = (reading.first(), sending.first()) else { return Err(NoAutoconfig::NoTls) };
    let institution = &plan.institution;
    let identifier = reversed(institution.domain.as_str());
    let address = holder.address.to_string();
    let [profile_id, account_id] = ids;
    let mut account = String::new();
    let kind = if reading.listener.speaks == Speaks::Imap { "EmailTypeIMAP" } else { "EmailTypePOP" };
    for (key, value) in [
        ("EmailAccountDescription", institution.name.as_str()),
        ("EmailAccountName", &holder.name),
        ("EmailAccountType", kind),
        ("EmailAddress", &address),
        ("PayloadDisplayName", &institution.name),
        ("PayloadIdentifier", &format!("{identifier}.mail.account")),
        ("PayloadType", "com.apple.mail.managed"),
        ("PayloadUUID", account_id),
    ] {
        if !value.is_empty() {
            string(&mut account, 12, key, value);
        }
    }
    let _ = writeln!(account, "{:12}<key>PayloadVersion</key>\n{:12}<integer>1</integer>", "", "");
    server(&mut account, "Incoming", reading, &user);
    server(&mut account, "Outgoing", sending, &user);
    let same = "OutgoingPasswordSameAsIncomingPassword";
    let _ = writeln!(account, "{:12}<key>{same}</key>\n{:12}<true/>", "", "");
    let mut profile = String::new();
    let description = facts.say("Réglages de la messagerie", "Settings of your mail account");
    for (key, value) in [
        ("PayloadDescription", description),
        ("PayloadDisplayName", &format!("{} ({address})", institution.name)),
        ("PayloadIdentifier", &format!("{identifier}.mail")),
        ("PayloadOrganization", &institution.name),
        ("PayloadType", "Configuration"),
        ("PayloadUUID", profile_id),
    ] {
        string(&mut profile, 4, key, value);
    }
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n    <key>PayloadContent</key>\n    <array>\n        <dict>\n{account}        </dict>\n    \
         </array>\n{profile}    <key>PayloadVersion</key>\n    <integer>1</integer>\n</dict>\n</plist>\n"
    ))
}

/// One of the two servers of an account.
fn server(text: &mut String, way: &str, door: &Door<'_>, user: &str) {
    let listener = door.listener;
    string(text, 12, &format!("{way}MailServerAuthentication"), "EmailAuthPassword");
    string(text, 12, &format!("{way}MailServerHostName"), listener.host.as_str());
    let port = door.port();
    let _ = writeln!(text, "{:12}<key>{way}MailServerPortNumber</key>\n{:12}<integer>{port}</integer>", "", "");
    let tls = if listener.tls == TlsMode::None { "false" } else { "true" };
    let _ = writeln!(text, "{:12}<key>{way}MailServerUseSSL</key>\n{:12}<{tls}/>", "", "");
    string(text, 12, &format!("{way}MailServerUsername"), user);
}

fn string(text: &mut String, indent: usize, key: &str, value: &str) {
    let _ = writeln!(text, "{:indent$}<key>{key}</key>\n{:indent$}<string>{}</string>", "", "", said(value));
}

/// `fr.univ-nantes` of `univ-nantes.fr`.
fn reversed(domain: &str) -> String {
    domain.rsplit('.').collect::<Vec<_>>().join(".")
}
