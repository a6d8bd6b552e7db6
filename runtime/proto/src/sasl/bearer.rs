//! Bearer tokens: OAUTHBEARER (RFC 7628) and XOAUTH2, which Google described before it.

use std::str::Split;

use super::{Mechanism, SaslError, Secret};

/// RFC 7628 3.2.2: what a client reads when its token is refused.
pub(super) const REFUSED: &str = "{\"status\":\"invalid_token\"}";
/// What separates the fields.
const SEPARATOR: char = '\u{1}';

/// A token, and the login the client says it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    pub login: Option<String>,
    pub token: Secret,
}

pub(super) fn read(mechanism: Mechanism, text: &str) -> Result<Bearer, SaslError> {
    let (login, fields) = match mechanism {
        Mechanism::XOAuth2 => xoauth2(text)?,
        _ => oauthbearer(text)?,
    };
    // RFC 7628 3.1: auth has the value of an Authorization header; RFC 6750 2.1 names the scheme.
    let mut values = fields.filter_map(|field| field.strip_prefix("auth="));
    let (Some(value), None) = (values.next(), values.next()) else { return Err(SaslError::Malformed) };
    let scheme = value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("Bearer ")).ok_or(SaslError::Malformed)?;
    let token = value[scheme.len()..].trim();
    // RFC 6750 2.1: `b64token`.
    let sound = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    if token.is_empty() || !token.chars().all(sound) {
        return Err(SaslError::Malformed);
    }
    Ok(Bearer { login, token: Secret::new(token) })
}

/// RFC 7628 3.1: `client-resp = gs2-header kvsep *kvpair kvsep`.
fn oauthbearer(text: &str) -> Result<(Option<String>, Split<'_, char>), SaslError> {
    let (header, rest) = text.split_once(SEPARATOR).ok_or(SaslError::Malformed)?;
    let rest = rest.strip_suffix("\u{1}\u{1}").ok_or(SaslError::Malformed)?;
    let mut parts = header.split(',');
    let (Some("n" | "y"), Some(authzid), Some(""), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SaslError::Malformed);
    };
    let login = match authzid {
        "" => None,
        authzid => Some(super::scram::saslname(authzid.strip_prefix("a=").ok_or(SaslError::Malformed)?)?),
    };
    Ok((login, rest.split(SEPARATOR)))
}

/// `user=LOGIN`, then the fields.
fn xoauth2(text: &str) -> Result<(Option<String>, Split<'_, char>), SaslError> {
    let rest = text.strip_suffix("\u{1}\u{1}").ok_or(SaslError::Malformed)?;
    let (user, rest) = rest.split_once(SEPARATOR).ok_or(SaslError::Malformed)?;
    let login = user.strip_prefix("user=").filter(|login| !login.is_empty() && !login.contains('\0'));
    let login = login.ok_or(SaslError::Malformed)?;
    Ok((Some(login.to_owned()), rest.split(SEPARATOR)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_with_the_login_they_are_for() {
        let bearer = |login: Option<&str>, token: &str| {
            Ok(Bearer { login: login.map(str::to_owned), token: Secret::new(token) })
        };
        let malformed = || Err(SaslError::Malformed);
        let (oauth, x) = (Mechanism::OAuthBearer, Mechanism::XOAuth2);
        let cases = [
            // RFC 7628 4.1.
            (
                oauth,
                "n,a=user@example.com,\u{1}host=server.example.com\u{1}port=143\u{1}auth=Bearer vF9dft4qmTc2\u{1}\u{1}",
                bearer(Some("user@example.com"), "vF9dft4qmTc2"),
            ),
            (oauth, "n,,\u{1}auth=bearer a.b-c_d\u{1}\u{1}", bearer(None, "a.b-c_d")),
            (oauth, "n,a=x=2Cy,\u{1}auth=Bearer t\u{1}\u{1}", bearer(Some("x,y"), "t")),
            (oauth, "p=tls-exporter,,\u{1}auth=Bearer t\u{1}\u{1}", malformed()),
            (oauth, "n,,\u{1}auth=Basic t\u{1}\u{1}", malformed()),
            (oauth, "n,,\u{1}auth=Bearer t\u{1}auth=Bearer u\u{1}\u{1}", malformed()),
            (oauth, "n,,\u{1}auth=Bearer t\u{1}", malformed()),
            (oauth, "n,,\u{1}auth=Bearer \u{1}\u{1}", malformed()),
            (oauth, "\u{1}\u{1}", malformed()),
            (x, "user=toto-j\u{1}auth=Bearer t\u{1}\u{1}", bearer(Some("toto-j"), "t")),
            (x, "user=\u{1}auth=Bearer t\u{1}\u{1}", malformed()),
            (x, "user=a\0b\u{1}auth=Bearer t\u{1}\u{1}", malformed()),
            (x, "auth=Bearer t\u{1}\u{1}", malformed()),
        ];
        for (mechanism, text, expected) in cases {
            assert_eq!(read(mechanism, text), expected, "{text:?}");
        }
    }
}
