//! What the server knows of a message beside its octets.

use std::net::IpAddr;

/// All that is known. What is not known is absent, and then counts neither for nor against a message.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// When it was received, Unix seconds.
    pub now: Option<i64>,
    /// What SPF, DKIM and DMARC said when it came; `None` when nobody looked.
    pub authentication: Option<Authentication<'a>>,
    /// MAIL FROM, `""` for `<>`.
    pub reverse_path: Option<&'a str>,
    /// Who handed it to us, when that was a stranger.
    pub client: Option<IpAddr>,
    /// The name the client gave in HELO or EHLO.
    pub hello: Option<&'a str>,
    /// The lists in DNS that note the client.
    pub listed: &'a [Listed<'a>],
    /// Lower-case A-labels of the domains mail is received for.
    pub own_domains: &'a [&'a str],
    pub colleagues: &'a dyn Colleagues,
}

impl Default for Facts<'_> {
    /// Nothing is known.
    fn default() -> Self {
        Facts {
            now: None,
            authentication: None,
            reverse_path: None,
            client: None,
            hello: None,
            listed: &[],
            own_domains: &[],
            colleagues: &Nobody,
        }
    }
}

/// The people whose mail is here.
pub trait Colleagues {
    /// The addresses of the person of that display name, lower case, those outside that are known to be theirs too; empty
    /// when there is no such person. The name comes as it stands in the message; it is compared folded, in either order of
    /// first and last name.
    fn addresses_of(&self, display_name: &str) -> Vec<String>;
}

/// No colleagues are known.
pub struct Nobody;

impl Colleagues for Nobody {
    fn addresses_of(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// One result of mail authentication (RFC 8601 2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    #[default]
    None,
    Pass,
    Fail,
    SoftFail,
    Neutral,
    TempError,
    PermError,
}

/// What SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 9989) said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Authentication<'a> {
    /// Of the reverse-path, or of HELO for `<>`.
    pub spf: Outcome,
    /// One for each signature.
    pub dkim: &'a [Signed<'a>],
    pub dmarc: Outcome,
}

/// One DKIM signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// `d=`, lower case.
    pub domain: &'a str,
    pub outcome: Outcome,
}

/// A list in DNS that notes the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed<'a> {
    pub list: &'a str,
    /// In thousandths, below 0 for lists of bad places; the policy's weight, or the pass's own when `None`.
    pub thousandths: Option<i64>,
}
