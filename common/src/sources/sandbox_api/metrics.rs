//! The text that Prometheus reads, as far as it is needed: plain samples by name and labels. Pure.
//!
//! A line that is not understood costs only itself and is counted. A sample that is not a number (`NaN`) is no sample: missing and zero
//! are different things, because the Sandbox API leaves series out, or writes nonsense, when its database does not answer.

use std::collections::BTreeMap;

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Labels by name.
    pub labels: BTreeMap<String, String>,
    /// The value: finite.
    pub value: f64,
}

/// Samples by the name of their series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    /// In the order of the text.
    pub series: BTreeMap<String, Vec<Sample>>,
    /// Lines that are neither comments nor samples.
    pub not_understood: usize,
}

impl Metrics {
    /// Reads a text. Types are not looked at: some gauges are called `_total`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut metrics = Self::default();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            match sample(line) {
                Some((name, labels, value)) if value.is_finite() => {
                    metrics.series.entry(name.to_owned()).or_default().push(Sample { labels, value });
                }
                Some(_) => {}
                None => metrics.not_understood += 1,
            }
        }
        metrics
    }

    /// The value of the series without labels. None: it is missing, which is not zero.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        let samples = self.series.get(name)?;
        samples.iter().find(|sample| sample.labels.is_empty()).map(|sample| sample.value)
    }

    /// The values of a series by one of its labels. Of a label that is there twice, the last value.
    #[must_use]
    pub fn by_label(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let samples = self.series.get(name).into_iter().flatten();
        samples
            .filter_map(|sample| Some((sample.labels.get(label)?.clone(), sample.value)))
            .collect()
    }
}

/// `name{label="value",…} value [timestamp] [# exemplar]`.
fn sample(line: &str) -> Option<(&str, BTreeMap<String, String>, f64)> {
    let end = line.find(|c: char| c == '{' || c.is_whitespace())?;
    let (name, rest) = line.split_at(end);
    let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    if !named {
        return None;
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let rest = rest.split('#').next()?;
    let mut words = rest.split_whitespace();
    let value = words.next()?.parse().ok()?;
    let timestamp = words.next().is_none_or(|word| word.parse::<f64>().is_ok());
    (timestamp && words.next().is_none()).then_some((name, labels, value))
}

/// Labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, after) = rest.split_once('=')?;
        let mut value = String::new();
        let mut chars = after.trim_start().strip_prefix('"')?.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => match chars.next()? {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                other => value.push(other),
            }
        }
        labels.insert(name.trim().to_owned(), value);
        rest = chars.as_str().trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_with_their_labels() {
        let text = "# HELP sandbox_ratelimit_max Limit.\n# TYPE sandbox_ratelimit_max gauge\n\
            sandbox_ratelimit_max{cluster=\"lab-cluster-03\"} 10\n\
            sandbox_ratelimit_max{cluster=\"lab \\\"05\\\"\\\\\",} 1e1 1772352000000\n\
            sandbox_queued_placements_total 3 # {trace_id=\"x\"} 1\n\
            h_bucket{ cluster = \"a\" , le=\"+Inf\" } 7\n";
        let metrics = Metrics::parse(text);
        assert_eq!(metrics.not_understood, 0);
        let by_cluster: Vec<(String, f64)> = metrics.by_label("sandbox_ratelimit_max", "cluster").into_iter().collect();
        assert_eq!(by_cluster, [("lab \"05\"\\".to_owned(), 10.0), ("lab-cluster-03".to_owned(), 10.0)]);
        assert_eq!(metrics.value("sandbox_queued_placements_total"), Some(3.0));
        assert_eq!(metrics.value("sandbox_ratelimit_max"), None, "it has labels");
        assert_eq!(metrics.by_label("h_bucket", "le").keys().next().map(String::as_str), Some("+Inf"));
    }

    #[test]
    fn what_is_missing_or_no_number_is_not_zero() {
        let metrics = Metrics::parse("a NaN\nb{cluster=\"x\"} NaN\nb{cluster=\"y\"} 0\nc +Inf\n");
        assert_eq!((metrics.value("a"), metrics.value("c"), metrics.value("never")), (None, None, None));
        assert_eq!(metrics.by_label("b", "cluster"), BTreeMap::from([("y".to_owned(), 0.0)]));
        assert_eq!(metrics.not_understood, 0);
    }

    #[test]
    fn a_broken_line_costs_only_itself() {
        let broken = [
            "a",
            "a{",
            "a{b",
            "a{b=\"c",
            "a{b=\"c\"",
            "a{b=\"c\" d=\"e\"} 1",
            "a{b=c} 1",
            "a one",
            "a 1 two",
            "a 1 2 3",
            "{a=\"b\"} 1",
            "9a 1",
            "<html>",
            "a{b=\"\\",
        ];
        let text = format!("fine 1\n{}\nfine_too 2\n", broken.join("\n"));
        let metrics = Metrics::parse(&text);
        assert_eq!((metrics.not_understood, metrics.series.len()), (broken.len(), 2));
        assert_eq!((metrics.value("fine"), metrics.value("fine_too")), (Some(1.0), Some(2.0)));
    }
}
