//! The overview's one sentence: what an operator should know before anything else, and nothing that is not known.

use serde::Serialize;
use utoipa::ToSchema;

use crate::counts::Counts;

/// How the fleet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everything is known and nothing fails.
    Ok,
    /// Something fails.
    Attention,
    /// A critical incident is open, or a cluster is critical.
    Critical,
    /// A source that the answer needs is stale or was never read; nothing critical is known.
    Unknown,
}

/// How the fleet stands, in a word and in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verdict {
    /// In a word.
    pub level: Level,
    /// In a sentence.
    #[schema(example = "12 of 403 lab instances are failing; cnv-west-2 is unreachable for 6 min; 9 instances are unknown")]
    pub sentence: String,
    /// The same, part by part.
    pub reasons: Vec<String>,
}

/// What is wrong with a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Its API does not answer; the newest reading is so many seconds old.
    Unreachable(Option<i64>),
    /// Its newest reading is so many seconds old: too old to be shown as known.
    Stale(i64),
    /// It was not read once.
    NeverRead,
    /// It answers, and is in no state to carry labs.
    Critical,
}

/// What the verdict rests on.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Lab instances.
    pub instances: &'a Counts,
    /// Clusters that are not as they should be, by name.
    pub troubles: &'a [(String, Trouble)],
    /// Open critical incidents.
    pub critical_incidents: i64,
    /// Open incidents.
    pub open_incidents: i64,
}

/// More clusters than this are named in a list instead of a clause each.
const CLAUSES: usize = 2;

/// Judges the facts. Known critical news comes before the unknown, the unknown before lesser news.
#[must_use]
pub fn verdict(facts: Facts<'_>) -> Verdict {
    let Facts {
        instances,
        troubles,
        critical_incidents,
        open_incidents,
    } = facts;
    let cluster_critical = troubles
        .iter()
        .any(|(_, trouble)| matches!(trouble, Trouble::Critical | Trouble::Unreachable(_)));
    let blind = troubles
        .iter()
        .any(|(_, trouble)| matches!(trouble, Trouble::Stale(_) | Trouble::NeverRead));
    // Incidents of instances that nobody sees any more are old news.
    let nothing_known = instances.unknown == instances.total;
    let level = if cluster_critical || (critical_incidents > 0 && !nothing_known) {
        Level::Critical
    } else if blind || nothing_known {
        Level::Unknown
    } else if instances.failing > 0 || open_incidents > 0 || instances.unknown > 0 {
        Level::Attention
    } else {
        Level::Ok
    };
    let mut reasons = vec![lead(instances)];
    if critical_incidents > 0 {
        reasons.push(format!(
            "{} open",
            count(critical_incidents, "critical incident", "critical incidents")
        ));
    }
    reasons.extend(clusters(troubles));
    // The lead says so already when nothing is known.
    if instances.unknown > 0 && instances.unknown < instances.total {
        reasons.push(format!("{} unknown", are(instances.unknown, "instance", "instances")));
    }
    Verdict {
        level,
        sentence: reasons.join("; "),
        reasons,
    }
}

fn lead(instances: &Counts) -> String {
    let Counts {
        total, failing, unknown, ..
    } = *instances;
    if total == 0 {
        "no lab instance is known yet".to_owned()
    } else if unknown == total {
        format!("nothing is known about {}", count(total, "lab instance", "lab instances"))
    } else if failing > 0 {
        let verb = if failing == 1 { "is" } else { "are" };
        format!("{failing} of {} {verb} failing", count(total, "lab instance", "lab instances"))
    } else if instances.ready + instances.warning == total {
        format!("all {} ready", are(total, "lab instance", "lab instances"))
    } else {
        format!("none of {} is known to fail", count(total, "lab instance", "lab instances"))
    }
}

fn clusters(troubles: &[(String, Trouble)]) -> Vec<String> {
    let group = |wanted: fn(&Trouble) -> bool, many: &str| -> Vec<String> {
        let these: Vec<_> = troubles.iter().filter(|(_, trouble)| wanted(trouble)).collect();
        if these.len() > CLAUSES {
            let names: Vec<_> = these.iter().map(|(name, _)| name.as_str()).collect();
            vec![format!("{} clusters {many}: {}", these.len(), names.join(", "))]
        } else {
            these.iter().map(|(name, trouble)| format!("{name} {}", clause(*trouble))).collect()
        }
    };
    [
        group(|trouble| matches!(trouble, Trouble::Unreachable(_)), "are unreachable"),
        group(|trouble| *trouble == Trouble::Critical, "are critical"),
        group(|trouble| matches!(trouble, Trouble::Stale(_)), "were not read in time"),
        group(|trouble| *trouble == Trouble::NeverRead, "were never read"),
    ]
    .concat()
}

fn clause(trouble: Trouble) -> String {
    match trouble {
        Trouble::Unreachable(Some(age_s)) => format!("is unreachable for {}", span(age_s)),
        Trouble::Unreachable(None) => "is unreachable and was never read".to_owned(),
        Trouble::Stale(age_s) => format!("was not read for {}", span(age_s)),
        Trouble::NeverRead => "was never read".to_owned(),
        Trouble::Critical => "is critical".to_owned(),
    }
}

/// Seconds as people say them.
#[must_use]
pub fn span(seconds: i64) -> String {
    match seconds {
        ..=89 => format!("{} s", seconds.max(0)),
        90..=5_399 => format!("{} min", (seconds + 30) / 60),
        5_400..=172_799 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

fn count(n: i64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn are(n: i64, one: &str, many: &str) -> String {
    format!("{} {}", count(n, one, many), if n == 1 { "is" } else { "are" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(counts: &[(&str, i64)], troubles: &[(&str, Trouble)], critical: i64, open: i64) -> Verdict {
        let mut instances = Counts::default();
        for &(state, n) in counts {
            instances.add(state, n, false);
        }
        let troubles: Vec<_> = troubles.iter().map(|&(name, trouble)| (name.to_owned(), trouble)).collect();
        verdict(Facts {
            instances: &instances,
            troubles: &troubles,
            critical_incidents: critical,
            open_incidents: open,
        })
    }

    #[test]
    fn the_sentence_names_what_fails_what_is_away_and_what_is_unknown() {
        let it = judge(
            &[("ready", 382), ("failing", 12), ("unknown", 9)],
            &[("cnv-west-2", Trouble::Unreachable(Some(360)))],
            0,
            4,
        );
        assert_eq!(
            it.sentence,
            "12 of 403 lab instances are failing; cnv-west-2 is unreachable for 6 min; 9 instances are unknown"
        );
        assert_eq!(it.level, Level::Critical);
    }

    #[test]
    fn levels_in_their_order() {
        let fine: &[_] = &[("ready", 5), ("warning", 1)];
        assert_eq!(judge(fine, &[], 0, 0).level, Level::Ok);
        assert_eq!(judge(fine, &[], 0, 0).sentence, "all 6 lab instances are ready");
        assert_eq!(judge(&[("ready", 5), ("failing", 1)], &[], 0, 1).level, Level::Attention);
        assert_eq!(judge(&[("ready", 5), ("unknown", 1)], &[], 0, 0).level, Level::Attention);
        assert_eq!(
            judge(&[("ready", 5), ("failing", 1)], &[("a", Trouble::Stale(1900))], 0, 1).level,
            Level::Unknown
        );
        assert_eq!(judge(fine, &[("a", Trouble::NeverRead)], 1, 1).level, Level::Critical);
        assert_eq!(judge(fine, &[("a", Trouble::Critical)], 0, 0).level, Level::Critical);
    }

    #[test]
    fn nothing_known_is_not_nothing_wrong() {
        assert_eq!(judge(&[], &[], 0, 0).level, Level::Unknown);
        assert_eq!(judge(&[], &[], 0, 0).sentence, "no lab instance is known yet");
        let it = judge(&[("unknown", 3)], &[("a", Trouble::Stale(1900))], 0, 0);
        assert_eq!(judge(&[("unknown", 3)], &[("a", Trouble::Stale(1900))], 2, 2).level, Level::Unknown);
        assert_eq!(it.sentence, "nothing is known about 3 lab instances; a was not read for 32 min");
        let it = judge(&[("ready", 1), ("provisioning", 1)], &[], 0, 0);
        assert_eq!(it.sentence, "none of 2 lab instances is known to fail");
    }

    #[test]
    fn many_clusters_are_a_list_and_one_is_singular() {
        let away = |name| (name, Trouble::Unreachable(None));
        let it = judge(&[("failing", 1), ("ready", 1)], &[away("a"), away("b"), away("c")], 1, 1);
        assert_eq!(
            it.sentence,
            "1 of 2 lab instances is failing; 1 critical incident open; 3 clusters are unreachable: a, b, c"
        );
    }

    #[test]
    fn spans_of_time() {
        let spans: Vec<_> = [0, 89, 90, 360, 5_399, 5_400, 90_000, 200_000].map(span).to_vec();
        assert_eq!(spans, ["0 s", "89 s", "2 min", "6 min", "90 min", "2 h", "25 h", "2 days"]);
    }
}
