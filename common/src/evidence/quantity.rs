//! Kubernetes quantities (`250m`, `1952Mi`, `1e3`) as numbers.

/// The amount in base units: cores, bytes, counts. `None` when the text is not a quantity.
///
/// Good for shares and limits, which is what we compare; not for sums to the last byte.
#[must_use]
pub fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-')))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        _ if suffix.starts_with(['e', 'E']) => return text.parse().ok().filter(|value: &f64| value.is_finite()),
        _ => return None,
    };
    let value: f64 = number.parse().ok()?;
    Some(value * factor)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_what_the_api_writes() {
        let cases = [
            ("0", 0.0),
            ("4", 4.0),
            ("250m", 0.25),
            ("1547891273n", 1.547_891_273),
            ("12u", 0.000_012),
            ("3920m", 3.92),
            ("1952Mi", 2_046_820_352.0),
            ("32Gi", 34_359_738_368.0),
            ("1k", 1000.0),
            ("1e3", 1000.0),
            ("2E", 2e18),
            ("1.5Gi", 1_610_612_736.0),
            ("-1", -1.0),
        ];
        for (text, value) in cases {
            let read = parse(text).unwrap_or_else(|| panic!("{text} is a quantity"));
            assert!((read - value).abs() <= value.abs() * 1e-12, "{text}: {read}");
        }
        for text in ["", "m", "1 Gi", "four", "1Xi", "1e", "--1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
