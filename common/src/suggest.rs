//! What the author of a misspelt word may have meant.

/// More names than this are not listed: the nearest of them say enough.
const MANY: usize = 12;

/// The nearest of the known words, for a misspelt one.
#[must_use]
pub fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.collect();
    known.sort_by_key(|other| (distance(word, other), *other));
    match known.first() {
        None => "there is none".to_owned(),
        Some(nearest) if distance(word, nearest) <= 3 => format!("did you mean `{nearest}`?"),
        _ if known.len() > MANY => format!("nearest are: {}", known[..MANY].join(", ")),
        _ => format!("known are: {}", known.join(", ")),
    }
}

/// Edits between two words.
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
