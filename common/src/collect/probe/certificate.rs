//! When a certificate ends: the one thing that the TLS library checks but does not tell.

use chrono::{DateTime, NaiveDateTime, Utc};

const SEQUENCE: u8 = 0x30;
const EXPLICIT_VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// `notAfter` of a certificate in DER; `None` if it does not look like one.
pub(super) fn not_after(der: &[u8]) -> Option<DateTime<Utc>> {
    // Certificate { TBSCertificate { [version], serial, signature algorithm, issuer, Validity { notBefore, notAfter }, … } }
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut fields, _) = element(certificate, SEQUENCE)?;
    if fields.first() == Some(&EXPLICIT_VERSION) {
        fields = next(fields)?.2;
    }
    for _ in ["serial", "signature algorithm", "issuer"] {
        fields = next(fields)?.2;
    }
    let (validity, _) = element(fields, SEQUENCE)?;
    let (tag, text, _) = next(next(validity)?.2)?;
    let text = std::str::from_utf8(text).ok()?;
    let parsed = match tag {
        // Two digits of the year: 50 and above are of the last century (RFC 5280, 4.1.2.5.1).
        UTC_TIME => {
            let century = if text.get(..2)? < "50" { "20" } else { "19" };
            NaiveDateTime::parse_from_str(&format!("{century}{text}"), "%Y%m%d%H%M%SZ")
        }
        GENERALIZED_TIME => NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%SZ"),
        _ => return None,
    };
    Some(parsed.ok()?.and_utc())
}

/// Content of the first element, which must have that tag, and what follows it.
fn element(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = next(der)?;
    (tag == wanted).then_some((content, rest))
}

/// Tag and content of the first element, and what follows it.
fn next(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let length = if first < 0x80 {
        usize::from(first)
    } else {
        let digits = usize::from(first & 0x7F);
        if digits > 4 {
            return None;
        }
        let (digits, after) = rest.split_at_checked(digits)?;
        rest = after;
        digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit))
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element with a short length.
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut element = vec![tag, u8::try_from(content.len()).unwrap()];
        element.extend_from_slice(content);
        element
    }

    fn certificate(version: bool, tag: u8, ends: &str) -> Vec<u8> {
        let validity = [der(UTC_TIME, b"250101000000Z"), der(tag, ends.as_bytes())].concat();
        let mut fields = if version { der(EXPLICIT_VERSION, &der(2, &[2])) } else { vec![] };
        for field in [
            der(2, &[7]),
            der(SEQUENCE, &[]),
            der(SEQUENCE, &[]),
            der(SEQUENCE, &validity),
            der(SEQUENCE, &[]),
        ] {
            fields.extend(field);
        }
        der(SEQUENCE, &der(SEQUENCE, &fields))
    }

    #[test]
    fn the_end_is_read_in_both_forms() {
        let ends = |certificate: &[u8]| not_after(certificate).map(|end| end.to_rfc3339());
        assert_eq!(
            ends(&certificate(true, UTC_TIME, "260301080000Z")).as_deref(),
            Some("2026-03-01T08:00:00+00:00")
        );
        assert_eq!(
            ends(&certificate(false, GENERALIZED_TIME, "20520301080000Z")).as_deref(),
            Some("2052-03-01T08:00:00+00:00")
        );
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        let whole = certificate(true, UTC_TIME, "260301080000Z");
        for length in 0..whole.len() {
            assert_eq!(not_after(&whole[..length]), None, "{length}");
        }
        assert_eq!(not_after(&certificate(true, UTC_TIME, "xx0301080000Z")), None);
        assert_eq!(not_after(&[SEQUENCE, 0xFF, 1, 2, 3]), None);
    }
}
