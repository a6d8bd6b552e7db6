//! How sure we must be of a next hop before a message goes to it: DANE (RFC 7672), else MTA-STS (RFC 8461), else what
//! the policy asks, else whatever TLS there is (RFC 7435). Pure: facts in, an assurance or a refusal out.

use std::fmt;

/// What a connection must prove.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Assurance {
    /// The certificate matches one of these records (RFC 7672 3).
    Dane(Vec<Tlsa>),
    /// TLS with any certificate: TLSA records are there and none of them can be used (RFC 7672 2.2).
    Encrypted,
    /// A certificate of a known authority for the host's name.
    Verified(Because),
    /// TLS where it is offered, with any certificate.
    Opportunistic,
}

/// Who asks for a verified certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Because {
    /// The recipient domain's MTA-STS policy in mode `enforce`.
    MtaSts,
    /// `delivery.tls_always_to` of our policy.
    Policy,
    /// The message's REQUIRETLS (RFC 8689).
    RequireTls,
}

/// A TLSA record that can be used for SMTP (RFC 7672 3.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tlsa {
    pub usage: Usage,
    pub selector: Selector,
    pub matching: Matching,
    pub data: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Usage {
    /// DANE-TA(2).
    Anchor,
    /// DANE-EE(3).
    EndEntity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    Certificate,
    PublicKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Matching {
    Exact,
    Sha256,
    Sha512,
}

impl Tlsa {
    /// As a zone file has it, for TLS reports (RFC 8460 4.4).
    pub fn string(&self) -> String {
        let usage = match self.usage {
            Usage::Anchor => 2,
            Usage::EndEntity => 3,
        };
        let selector = match self.selector {
            Selector::Certificate => 0,
            Selector::PublicKey => 1,
        };
        let matching = match self.matching {
            Matching::Exact => 0,
            Matching::Sha256 => 1,
            Matching::Sha512 => 2,
        };
        let data: String = self.data.iter().take(128).map(|octet| format!("{octet:02x}")).collect();
        format!("{usage} {selector} {matching} {data}")
    }
}

/// What DNS says of TLSA at a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsaFacts {
    /// Not looked for, not secure, or none there.
    None,
    /// The question failed or its answer is forged.
    Trouble,
    /// Secure records; empty where none of them can be used.
    Secure(Vec<Tlsa>),
}

/// What the recipient domain's MTA-STS policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StsFacts {
    None,
    /// Report, and deliver as without.
    Testing,
    Enforce {
        /// The host matches an `mx` pattern of the policy.
        host_allowed: bool,
    },
}

#[derive(Clone, Debug)]
pub struct Facts {
    pub tlsa: TlsaFacts,
    pub sts: StsFacts,
    /// `delivery.tls_always_to` names the recipient domain.
    pub always: bool,
    /// The message asks for REQUIRETLS.
    pub require_tls: bool,
}

/// Why a host is not tried. Another host, or another hour, may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsure {
    /// RFC 7672 2.1.1: without the answer nobody knows that DANE does not apply.
    TlsaTrouble,
    /// RFC 8461 4.1.
    NotInStsPolicy,
}

impl fmt::Display for Unsure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unsure::TlsaTrouble => "its TLSA records cannot be looked up",
            Unsure::NotInStsPolicy => "the domain's MTA-STS policy does not name it",
        })
    }
}

/// The assurance a host needs.
pub fn assure(facts: Facts) -> Result<Assurance, Unsure> {
    match facts.tlsa {
        TlsaFacts::Trouble => return Err(Unsure::TlsaTrouble),
        TlsaFacts::Secure(records) if !records.is_empty() => return Ok(Assurance::Dane(records)),
        TlsaFacts::Secure(_) | TlsaFacts::None => {}
    }
    match facts.sts {
        StsFacts::Enforce { host_allowed: false } => return Err(Unsure::NotInStsPolicy),
        StsFacts::Enforce { host_allowed: true } => return Ok(Assurance::Verified(Because::MtaSts)),
        StsFacts::Testing | StsFacts::None => {}
    }
    Ok(match (facts.always, facts.require_tls, facts.tlsa) {
        (true, _, _) => Assurance::Verified(Because::Policy),
        (false, true, _) => Assurance::Verified(Because::RequireTls),
        (false, false, TlsaFacts::Secure(_)) => Assurance::Encrypted,
        (false, false, TlsaFacts::None | TlsaFacts::Trouble) => Assurance::Opportunistic,
    })
}

impl Assurance {
    /// May the message go in the clear?
    pub fn allows_clear(&self) -> bool {
        *self == Assurance::Opportunistic
    }

    /// The policy a TLS report names (RFC 8460 4.2).
    pub fn reported_as(&self, sts: StsFacts) -> &'static str {
        match (self, sts) {
            (Assurance::Dane(_) | Assurance::Encrypted, _) => "tlsa",
            (_, StsFacts::Testing | StsFacts::Enforce { .. }) => "sts",
            (_, StsFacts::None) => "no-policy-found",
        }
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Assurance::Dane(_) => "DANE",
            Assurance::Encrypted => "any certificate, TLSA records unusable",
            Assurance::Verified(Because::MtaSts) => "MTA-STS",
            Assurance::Verified(Because::Policy) => "certificate verified",
            Assurance::Verified(Because::RequireTls) => "certificate verified, REQUIRETLS",
            Assurance::Opportunistic => "any certificate",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dane_goes_before_mta_sts_and_both_before_chance() {
        let record = Tlsa {
            usage: Usage::EndEntity,
            selector: Selector::PublicKey,
            matching: Matching::Sha256,
            data: vec![1; 32],
        };
        let secure = || TlsaFacts::Secure(vec![record.clone()]);
        let unusable = || TlsaFacts::Secure(Vec::new());
        let (allowed, not) = (StsFacts::Enforce { host_allowed: true }, StsFacts::Enforce { host_allowed: false });
        let dane = || Ok(Assurance::Dane(vec![record.clone()]));
        let verified = |because| Ok(Assurance::Verified(because));
        let cases = [
            (secure(), StsFacts::None, false, false, dane()),
            (secure(), not, true, true, dane()),
            (TlsaFacts::Trouble, allowed, false, false, Err(Unsure::TlsaTrouble)),
            (TlsaFacts::None, allowed, false, true, verified(Because::MtaSts)),
            (TlsaFacts::None, not, false, false, Err(Unsure::NotInStsPolicy)),
            (unusable(), allowed, false, false, verified(Because::MtaSts)),
            (unusable(), StsFacts::None, false, false, Ok(Assurance::Encrypted)),
            (unusable(), StsFacts::None, true, false, verified(Because::Policy)),
            (TlsaFacts::None, StsFacts::Testing, false, false, Ok(Assurance::Opportunistic)),
            (TlsaFacts::None, StsFacts::None, true, true, verified(Because::Policy)),
            (TlsaFacts::None, StsFacts::None, false, true, verified(Because::RequireTls)),
            (TlsaFacts::None, StsFacts::None, false, false, Ok(Assurance::Opportunistic)),
        ];
        for (tlsa, sts, always, require_tls, expected) in cases {
            let facts = Facts { tlsa, sts, always, require_tls };
            assert_eq!(assure(facts.clone()), expected, "{facts:?}");
        }
    }
}
