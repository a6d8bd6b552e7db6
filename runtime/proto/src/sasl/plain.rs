//! PLAIN (RFC 4616).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Credentials, SaslError, Secret};

/// RFC 4616 2: `message = [authzid] UTF8NUL authcid UTF8NUL passwd`.
pub(super) fn plain(message: &str) -> Result<Credentials, SaslError> {
    let mut parts = message.split('\0');
    let (Some(authzid), Some(login), Some(secret), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SaslError::Malformed);
    };
    if login.is_empty() || secret.is_empty() {
        return Err(SaslError::Malformed);
    }
    if !authzid.is_empty() && authzid != login {
        return Err(SaslError::OtherIdentity);
    }
    Ok(Credentials { login: login.to_owned(), secret: Secret::new(secret) })
}

/// The response of a PLAIN client in base64, for a smart host that wants a login.
pub fn plain_response(credentials: &Credentials) -> String {
    STANDARD.encode(format!("\0{}\0{}", credentials.login, credentials.secret.reveal()))
}
