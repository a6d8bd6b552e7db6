//! A browser's way out and back. Nothing is kept of it here, so that nobody fills our memory by going out: what it goes with
//! (state, RFC 6749 10.12; nonce, OpenID Connect Core 15.5.2; verifier, RFC 7636) is made of the secret in its cookie and a
//! key of ours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;

/// How long somebody may take to sign in elsewhere.
pub const OUTING_MAX_S: u64 = 600;
/// Longest path that is gone back to.
const NEXT_OCTETS_MAX: usize = 512;
const STATE_OCTETS_MAX: usize = 1_024;

/// One sign-in elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outing {
    /// The secret of the browser's cookie.
    pub id: [u8; 32],
    /// Monotonic seconds.
    pub began_s: u64,
    /// Place of the way among all.
    pub way: usize,
    /// Page to show after it.
    pub next: String,
}

impl Outing {
    /// A new one.
    pub fn new(way: usize, next: &str, now_s: u64) -> Outing {
        let next = if next.len() <= NEXT_OCTETS_MAX { next } else { "/" };
        Outing { id: crate::random::octets(), began_s: now_s, way, next: next.to_owned() }
    }

    fn said(&self) -> String {
        format!("{}.{}.{}", self.began_s, self.way, URL_SAFE_NO_PAD.encode(&self.next))
    }
}

/// What outings are bound by; another one after each start.
pub struct Key([u8; 32]);

impl Key {
    pub fn new(octets: [u8; 32]) -> Key {
        Key(octets)
    }

    fn hash(&self, purpose: &str, id: &[u8; 32], said: &str) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(id).update(purpose.as_bytes()).update(said.as_bytes());
        hasher.finalize()
    }

    /// Goes out and comes back as it is: `HASH.BEGAN.WAY.NEXT`.
    pub fn state(&self, outing: &Outing) -> String {
        let said = outing.said();
        format!("{}.{said}", URL_SAFE_NO_PAD.encode(self.hash("state ", &outing.id, &said).as_bytes()))
    }

    /// The outing of a state, if a browser with this cookie went out with it of late.
    pub fn back(&self, id: &[u8; 32], state: &str, now_s: u64) -> Option<Outing> {
        let (hash, said) = state.split_once('.').filter(|_| state.len() <= STATE_OCTETS_MAX)?;
        let hash: [u8; 32] = URL_SAFE_NO_PAD.decode(hash).ok()?.try_into().ok()?;
        // Compared in constant time.
        if self.hash("state ", id, said) != hash {
            return None;
        }
        let mut parts = said.split('.');
        let (began_s, way, next) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        let next = String::from_utf8(URL_SAFE_NO_PAD.decode(next).ok()?).ok()?;
        (now_s.saturating_sub(began_s) < OUTING_MAX_S).then_some(Outing { id: *id, began_s, way, next })
    }

    /// What the ID token has to repeat.
    pub fn nonce(&self, outing: &Outing) -> String {
        URL_SAFE_NO_PAD.encode(self.hash("nonce ", &outing.id, &outing.said()).as_bytes())
    }

    /// Shown with the code, so that nobody else redeems it.
    pub fn verifier(&self, outing: &Outing) -> String {
        URL_SAFE_NO_PAD.encode(self.hash("verifier ", &outing.id, &outing.said()).as_bytes())
    }

    /// Of the verifier, by the method `S256`.
    pub fn challenge(&self, outing: &Outing) -> String {
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, self.verifier(outing).as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_browser_that_went_out_comes_back_and_in_time() {
        let (key, other) = (Key::new([1; 32]), Key::new([2; 32]));
        let outing = Outing::new(1, "/storage?x=1", 1_000);
        let state = key.state(&outing);
        assert_eq!(key.back(&outing.id, &state, 1_599), Some(outing.clone()));
        assert_eq!(key.back(&outing.id, &state, 1_600), None, "too late");
        assert_eq!(key.back(&[7; 32], &state, 1_000), None, "another browser");
        assert_eq!(other.back(&outing.id, &state, 1_000), None, "another start");
        let evil = URL_SAFE_NO_PAD.encode("//evil.example");
        let (kept, _) = state.rsplit_once('.').unwrap();
        for forged in [
            format!("{kept}.{evil}"),
            state.replace(".1000.", ".2000."),
            state.replace(".1.", ".0."),
            format!("{state}.x"),
            String::new(),
            ".".to_owned(),
            "x".repeat(5_000),
        ] {
            assert_eq!(key.back(&outing.id, &forged, 1_000), None, "{forged:.80}");
        }
        assert!(key.state(&Outing::new(0, &"/x".repeat(10_000), 0)).len() <= STATE_OCTETS_MAX);
    }

    #[test]
    fn each_outing_has_values_of_its_own() {
        let key = Key::new([1; 32]);
        let (one, two) = (Outing::new(0, "/", 1), Outing::new(0, "/", 1));
        let all = |outing| [key.state(outing), key.nonce(outing), key.verifier(outing), key.challenge(outing)];
        let mut values = [all(&one), all(&two)].concat();
        values.sort();
        values.dedup();
        assert_eq!(values.len(), 8);
        // RFC 7636 4.1.
        assert!((43..=128).contains(&key.verifier(&one).len()));
    }
}
