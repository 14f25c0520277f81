//! Whether a delivery comes from somebody who knows the secret: HMAC-SHA256 over the bytes of the body, as they came.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use stargate_common::settings::{ExposeSecret as _, SecretString};

/// What the header's value begins with.
const SCHEME: &str = "sha256=";

/// Whether `header` is the signature of `body` by one of the secrets. Takes the same time wherever two signatures differ.
#[must_use]
pub(crate) fn is_genuine(secrets: &[SecretString], header: &str, body: &[u8]) -> bool {
    let Some(given) = header.strip_prefix(SCHEME).and_then(unhex) else {
        return false;
    };
    // Every secret is tried, so that the time does not say which one is near.
    secrets.iter().fold(false, |genuine, secret| {
        let signed = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).is_ok_and(|mut mac| {
            mac.update(body);
            mac.verify_slice(&given).is_ok()
        });
        genuine | signed
    })
}

/// The 32 bytes of a hexadecimal text.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"Hello, World!";
    // Source: the example in GitHub's documentation of webhook deliveries.
    const SIGNED: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn secrets(all: &[&str]) -> Vec<SecretString> {
        all.iter().copied().map(SecretString::from).collect()
    }

    #[test]
    fn the_documented_example_is_genuine() {
        let secret = "It's a Secret to Everybody";
        assert!(is_genuine(&secrets(&[secret]), SIGNED, BODY));
        assert!(is_genuine(&secrets(&["the next one", secret]), SIGNED, BODY));
        assert!(is_genuine(
            &secrets(&[secret]),
            &SIGNED.to_uppercase().replace("SHA256", "sha256"),
            BODY
        ));
    }

    #[test]
    fn anything_else_is_not() {
        let ours = secrets(&["It's a Secret to Everybody"]);
        assert!(!is_genuine(&ours, SIGNED, b"Hello, World?"));
        assert!(!is_genuine(&secrets(&["another secret"]), SIGNED, BODY));
        assert!(!is_genuine(&[], SIGNED, BODY));
        for header in [
            "",
            "sha256=",
            "sha1=757107",
            "757107ea",
            &SIGNED[..70],
            &SIGNED.replace('7', "g"),
            "sha256=é",
        ] {
            assert!(!is_genuine(&ours, header, BODY), "{header}");
        }
    }
}
