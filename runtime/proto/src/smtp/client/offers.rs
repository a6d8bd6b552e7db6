//! What a server offers in its answer to EHLO (RFC 5321 4.1.1.1).

use mail::Reply;

/// The extensions this client makes use of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// EHLO was answered.
    pub answered: bool,
    pub pipelining: bool,
    pub starttls: bool,
    pub eight_bit_mime: bool,
    pub smtputf8: bool,
    /// RFC 3461.
    pub dsn: bool,
    /// RFC 3030: BDAT.
    pub chunking: bool,
    pub binary_mime: bool,
    /// RFC 8689.
    pub require_tls: bool,
    pub auth_scram: bool,
    pub auth_plain: bool,
    pub auth_login: bool,
    /// SIZE is offered; the limit is `Some` when it says one (RFC 1870 4).
    pub size: bool,
    pub size_octets_max: Option<u64>,
}

impl Offers {
    /// Reads the lines behind the first. Lines that are not understood are ignored.
    pub(super) fn read(reply: &Reply) -> Offers {
        let mut offers = Offers { answered: true, ..Offers::default() };
        for line in reply.all_lines().iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let Some(keyword) = words.next() else { continue };
            match keyword.to_ascii_uppercase().as_str() {
                "PIPELINING" => offers.pipelining = true,
                "STARTTLS" => offers.starttls = true,
                "8BITMIME" => offers.eight_bit_mime = true,
                "SMTPUTF8" => offers.smtputf8 = true,
                "DSN" => offers.dsn = true,
                "CHUNKING" => offers.chunking = true,
                "BINARYMIME" => offers.binary_mime = true,
                "REQUIRETLS" => offers.require_tls = true,
                "AUTH" => {
                    for name in words {
                        offers.auth_scram |= name.eq_ignore_ascii_case("SCRAM-SHA-256");
                        offers.auth_plain |= name.eq_ignore_ascii_case("PLAIN");
                        offers.auth_login |= name.eq_ignore_ascii_case("LOGIN");
                    }
                }
                "SIZE" => {
                    offers.size = true;
                    // RFC 1870 4: zero means no fixed limit.
                    offers.size_octets_max = words.next().and_then(|word| word.parse().ok()).filter(|size| *size > 0);
                }
                _ => {}
            }
        }
        offers
    }
}
