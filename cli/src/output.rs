//! How answers are printed: one table layout, and the same data as JSON, YAML or names for scripts.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::Value;

/// `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// More columns
    Wide,
    /// The API's own JSON
    Json,
    /// The same as YAML
    Yaml,
    /// One name a line, for scripts
    Name,
}

/// One column of a table: its title, whether only `wide` shows it, and how it reads its cell.
pub struct Column {
    /// Upper-case title.
    pub title: &'static str,
    /// Only with `-o wide`.
    pub wide: bool,
    /// The cell of one row; empty text is printed as `-`.
    pub cell: fn(&Value) -> String,
}

/// A column that both layouts show.
pub const fn column(title: &'static str, cell: fn(&Value) -> String) -> Column {
    Column { title, wide: false, cell }
}

/// A column that only `wide` shows.
pub const fn wide(title: &'static str, cell: fn(&Value) -> String) -> Column {
    Column { title, wide: true, cell }
}

/// Prints rows in the asked format. `name` gives the `-o name` line of a row.
///
/// # Errors
/// When the output cannot be written; a closed pipe is not an error.
pub fn rows(format: Format, rows: &[Value], columns: &[Column], name: fn(&Value) -> String, nothing: &str) -> anyhow::Result<()> {
    match format {
        Format::Json => text(&format!("{:#}\n", Value::from(rows.to_vec()))),
        Format::Yaml => text(&yaml(&Value::from(rows.to_vec()))?),
        Format::Name => text(&rows.iter().map(|row| name(row) + "\n").collect::<String>()),
        Format::Table | Format::Wide if rows.is_empty() => {
            note(nothing);
            Ok(())
        }
        Format::Table | Format::Wide => {
            let columns: Vec<&Column> = columns.iter().filter(|column| !column.wide || format == Format::Wide).collect();
            let lines: Vec<Vec<String>> = rows
                .iter()
                .map(|row| columns.iter().map(|column| (column.cell)(row)).collect())
                .collect();
            let titles: Vec<&str> = columns.iter().map(|column| column.title).collect();
            text(&table(&titles, &lines))
        }
    }
}

/// Aligned columns, two blanks apart, no trailing blanks.
#[must_use]
pub fn table(titles: &[&str], lines: &[Vec<String>]) -> String {
    let shown = |cell: &str| if cell.is_empty() { "-".to_owned() } else { cell.to_owned() };
    let mut widths: Vec<usize> = titles.iter().map(|title| title.chars().count()).collect();
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(shown(cell).chars().count());
        }
    }
    let mut out = String::new();
    let mut push = |cells: Vec<String>| {
        let line: String = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    };
    push(titles.iter().map(|title| (*title).to_owned()).collect());
    for line in lines {
        push(line.iter().map(|cell| shown(cell)).collect());
    }
    out
}

/// A value as YAML.
///
/// # Errors
/// When the value cannot be expressed, which no JSON value is.
pub fn yaml(value: &impl serde::Serialize) -> anyhow::Result<String> {
    Ok(serde_yaml::to_string(value)?)
}

/// Writes to standard output. A reader that has gone away (`| head`) ends the program quietly.
///
/// # Errors
/// Any other failure to write.
pub fn text(text: &str) -> anyhow::Result<()> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        other => Ok(other?),
    }
}

/// A remark for people: standard error, so that it never mixes with data.
pub fn note(text: &str) {
    writeln!(io::stderr(), "{text}").ok();
}

/// An error with its whole chain, once, on one line.
pub fn error(error: &anyhow::Error) {
    note(&format!("stargate: {error:#}"));
}

/// The text at a JSON pointer; empty when it is null or absent.
#[must_use]
pub fn at(row: &Value, pointer: &str) -> String {
    match row.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// How long ago a moment was, in the two largest units, as `kubectl` prints ages.
#[must_use]
pub fn age(row: &Value, pointer: &str) -> String {
    let now = stargate_common::clock::Clock::System.now();
    row.pointer(pointer)
        .and_then(Value::as_str)
        .and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok())
        .map(|then| span((now - then.with_timezone(&chrono::Utc)).num_seconds().max(0)))
        .unwrap_or_default()
}

/// How long it is until a moment: `in 25m`; `5m ago` when it has passed.
#[must_use]
pub fn until(row: &Value, pointer: &str) -> String {
    let now = stargate_common::clock::Clock::System.now();
    let then = row
        .pointer(pointer)
        .and_then(Value::as_str)
        .and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    then.map_or_else(String::new, |then| match (then.with_timezone(&chrono::Utc) - now).num_seconds() {
        seconds @ 0.. => format!("in {}", span(seconds)),
        seconds => format!("{} ago", span(-seconds)),
    })
}

/// How old what is shown is: a line for people, so that no number is without its age.
pub fn sources(meta: &Value) {
    let told = ages(meta);
    if !told.is_empty() {
        note(&told);
    }
}

/// Collectors with their age; clusters only where something is wrong.
fn ages(meta: &Value) -> String {
    let sources = meta["sources"].as_array().into_iter().flatten();
    let told = sources.filter_map(|source| {
        let (name, state) = (at(source, "/source"), at(source, "/state"));
        let age = source["age_s"].as_i64().map(span);
        match (state.as_str(), age) {
            ("fresh", _) if name.starts_with("cluster/") => None,
            ("fresh", Some(age)) => Some(format!("{name} read {age} ago")),
            ("never", _) => Some(format!("{name} never read: what rests on it is unknown")),
            ("disabled", _) => Some(format!("{name} disabled: what rests on it is unknown")),
            ("stale", Some(age)) => Some(format!("{name} stale, read {age} ago: what rests on it is unknown")),
            (state, Some(age)) => Some(format!("{name} {state}, read {age} ago")),
            (state, None) => Some(format!("{name} {state}")),
        }
    });
    told.collect::<Vec<_>>().join("; ")
}

/// Seconds in the two largest units.
#[must_use]
pub fn span(seconds: i64) -> String {
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7_199 => format!("{}m{}", seconds / 60, part(seconds % 60, "s")),
        7_200..=172_799 => format!("{}h{}", seconds / 3_600, part(seconds % 3_600 / 60, "m")),
        _ => format!("{}d{}", seconds / 86_400, part(seconds % 86_400 / 3_600, "h")),
    }
}

fn part(count: i64, unit: &str) -> String {
    if count == 0 { String::new() } else { format!("{count}{unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_empty_cells_show_a_dash() {
        let lines = vec![vec!["a".into(), String::new()], vec!["longer".into(), "x".into()]];
        assert_eq!(table(&["NAME", "WHY"], &lines), "NAME    WHY\na       -\nlonger  x\n");
    }

    #[test]
    fn every_source_tells_its_age_and_what_is_wrong_with_it() {
        let source = |name: &str, state: &str, age: Option<i64>| serde_json::json!({ "source": name, "state": state, "age_s": age });
        let meta = serde_json::json!({ "sources": [
            source("cluster/cnv-01", "fresh", Some(30)), source("cluster/cnv-02", "stale", Some(7_200)), source("babylon", "fresh", Some(150)),
            source("aap/a.test", "failed", Some(1_000)), source("labagator", "never", None), source("demolition", "disabled", None),
        ] });
        assert_eq!(
            ages(&meta),
            "cluster/cnv-02 stale, read 2h ago: what rests on it is unknown; babylon read 2m30s ago; aap/a.test failed, read 16m40s ago; \
             labagator never read: what rests on it is unknown; demolition disabled: what rests on it is unknown"
        );
    }

    #[test]
    fn ages_show_the_two_largest_units() {
        assert_eq!(
            [45, 120, 150, 7_200, 90_000, 180_000].map(span),
            ["45s", "2m", "2m30s", "2h", "25h", "2d2h"]
        );
    }
}
