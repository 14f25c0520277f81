//! Lists as systems answer them: an array, or an object that holds the array and what belongs to its page.

use serde_json::Value;
use serde_json::value::RawValue;

use super::json_error;

/// One page of a list. Items are not looked into: one that is odd must not cost the others.
#[derive(Debug, Default)]
pub struct Page {
    /// Its items, each as it came.
    pub items: Vec<Box<RawValue>>,
    /// Where the next page is, if there is one.
    pub next: Option<String>,
    /// How many items there are on all pages, if it says so.
    pub count: Option<u64>,
}

impl Page {
    /// Reads an array, or an object that holds it under the first of `names` that it has.
    ///
    /// # Errors
    /// Neither; why, without values of the document.
    pub fn read(body: &[u8], names: &[&str]) -> Result<Self, String> {
        let said = |error: serde_json::Error| json_error(&error);
        if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            let items = serde_json::from_slice(body).map_err(said)?;
            return Ok(Self { items, ..Self::default() });
        }
        let mut object: std::collections::BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body).map_err(said)?;
        let Some(list) = names.iter().find_map(|name| object.remove(*name)) else {
            return Err(format!("it is an object without {}", names.join(", ")));
        };
        let of = |name: &str| object.get(name).and_then(|value| serde_json::from_str::<Value>(value.get()).ok());
        Ok(Self {
            items: serde_json::from_str(list.get()).map_err(said)?,
            next: of("next").and_then(|next| next.as_str().filter(|next| !next.is_empty()).map(str::to_owned)),
            count: of("count").or_else(|| of("total")).and_then(|count| count.as_u64()),
        })
    }
}
