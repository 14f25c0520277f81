//! YAML files: single objects, several documents, and lists, whose items are cut apart as text and parsed one by one.
//!
//! What `oc` and must-gather write puts `items:` at the start of a line and each item behind a `-`; only a list written
//! in another style is parsed as a whole.

use std::io::{self, BufRead};

use serde_json::Value;

use super::files::{Bytes, Content};
use super::{Broken, Ended, ListEnd, Object, Sink};
use crate::objects::assemble::TypeMeta;

/// The largest part that is parsed as one, in bytes.
const LARGEST_PART: usize = 64 << 20;

/// Reads every document of a YAML file.
pub(super) fn read(content: &mut Content, sink: &mut dyn Sink) -> io::Result<()> {
    // A list's kind usually stands after its items, so it is looked for first. This only looks at starts of lines.
    let mut kinds: Vec<TypeMeta> = Vec::new();
    each_line(content, &mut |line| {
        kinds.resize(line.document + 1, TypeMeta::default());
        if let Some(kind) = line.text.strip_prefix("kind:") {
            kinds[line.document].kind = scalar(kind);
        } else if let Some(version) = line.text.strip_prefix("apiVersion:") {
            kinds[line.document].api_version = scalar(version);
        }
    })?;
    let mut reader = Reader {
        sink,
        kinds,
        document: 0,
        header: Part::default(),
        items: None,
    };
    each_line(content, &mut |line| reader.line(&line))?;
    reader.finish_document();
    Ok(())
}

/// A line of the file, without its end.
struct Line<'a> {
    /// Counted from 1.
    number: u64,
    /// Which document it belongs to, counted from 0.
    document: usize,
    text: &'a str,
}

fn each_line(content: &mut Content, each: &mut dyn FnMut(Line<'_>)) -> io::Result<()> {
    match content.bytes()? {
        Bytes::Slice(bytes) => lines(bytes, each),
        Bytes::Stream(stream) => lines(stream, each),
    }
}

fn lines(mut reader: impl BufRead, each: &mut dyn FnMut(Line<'_>)) -> io::Result<()> {
    let mut bytes = Vec::new();
    let (mut number, mut document) = (0, 0);
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        number += 1;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        let ends = text == "..." || text == "---" || text.starts_with("--- ");
        if ends {
            document += 1;
        }
        let text = if ends { text.get(4..).unwrap_or_default() } else { text };
        each(Line { number, document, text });
    }
}

/// A stretch of lines that is parsed as one.
#[derive(Default)]
struct Part {
    text: String,
    /// Number of its first line.
    line: u64,
    too_large: bool,
}

impl Part {
    fn push(&mut self, number: u64, text: &str) {
        if self.text.is_empty() {
            self.line = number;
        }
        if self.text.len() + text.len() > LARGEST_PART {
            self.too_large = true;
        } else {
            self.text.push_str(text);
            self.text.push('\n');
        }
    }

    fn parse(&self) -> Result<Value, Broken> {
        if self.too_large {
            return Err(Broken {
                line: self.line,
                column: 1,
                detail: format!("this document is larger than {} MiB; record it as JSON", LARGEST_PART >> 20),
            });
        }
        crate::yaml::from_str::<Value>(&self.text).map_err(|error| {
            let plain = error.without_snippet();
            let location = plain.location();
            Broken {
                line: self.line + location.map_or(1, |location| location.line().max(1)) - 1,
                column: location.map_or(1, |location| location.column()),
                detail: one_line(&plain.to_string()),
            }
        })
    }
}

/// The first line of a message, without the place, which is told apart.
fn one_line(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    match line.split_once(": ") {
        Some((place, rest)) if place.starts_with("line ") => rest.to_owned(),
        _ => line.split(" at line ").next().unwrap_or(line).to_owned(),
    }
}

/// The items of the list being read.
struct Items {
    /// How deep its dashes stand; not known before the first.
    indent: Option<usize>,
    item: Part,
    /// Whether the list has ended and the rest of the document follows.
    ended: bool,
    list: TypeMeta,
}

struct Reader<'s> {
    sink: &'s mut dyn Sink,
    kinds: Vec<TypeMeta>,
    document: usize,
    /// The document, or of a list what is around its items.
    header: Part,
    items: Option<Items>,
}

impl Reader<'_> {
    fn line(&mut self, line: &Line<'_>) {
        if line.document != self.document {
            self.finish_document();
            self.document = line.document;
        }
        let in_items = self.items.as_ref().map(|items| !items.ended);
        let starts_items = line.text.split(" #").next().unwrap_or_default().trim_end() == "items:";
        match in_items {
            Some(true) => self.line_of_items(line),
            None if starts_items => {
                let known = self.kinds.get(line.document).cloned().unwrap_or_default();
                self.items = Some(Items {
                    indent: None,
                    item: Part::default(),
                    ended: false,
                    list: super::item_type(&known),
                });
            }
            // Directives such as `%YAML` stand before a document.
            None if self.header.text.is_empty() && line.text.starts_with('%') => {}
            _ => self.header.push(line.number, line.text),
        }
    }

    fn line_of_items(&mut self, line: &Line<'_>) {
        let Some(items) = &mut self.items else { return };
        let content = line.text.trim_start_matches(' ');
        let depth = line.text.len() - content.len();
        let is_dash = content == "-" || content.starts_with("- ");
        if content.is_empty() || (content.starts_with('#') && items.indent.is_none_or(|indent| depth <= indent)) {
            // Blank lines count inside block texts; comments between items do not.
            if content.is_empty() && !items.item.text.is_empty() {
                items.item.push(line.number, "");
            }
        } else if is_dash && items.indent.is_none_or(|indent| indent == depth) {
            items.indent = Some(depth);
            let finished = std::mem::take(&mut items.item);
            items
                .item
                .push(line.number, &format!("{} {}", &line.text[..depth], &line.text[depth + 1..]));
            let list = items.list.clone();
            self.object(&finished, &list);
        } else if items.indent.is_some_and(|indent| depth > indent) {
            items.item.push(line.number, line.text);
        } else {
            items.ended = true;
            let finished = std::mem::take(&mut items.item);
            let list = items.list.clone();
            self.object(&finished, &list);
            self.header.push(line.number, line.text);
        }
    }

    fn object(&mut self, part: &Part, list: &TypeMeta) {
        if part.text.is_empty() {
            return;
        }
        match part.parse() {
            Ok(value) => self.sink.object(Object::Value(&value), list),
            Err(broken) => self.sink.broken(broken),
        }
    }

    fn finish_document(&mut self) {
        let header = std::mem::take(&mut self.header);
        let items = self.items.take();
        let value = header.parse();
        let is_broken = value.is_err();
        let value = value.unwrap_or_else(|broken| {
            self.sink.broken(broken);
            Value::Null
        });
        let Some(Items { item, list, .. }) = items else {
            if is_broken {
                self.sink.end(Ended { list: None });
            } else {
                self.whole_document(&value);
            }
            return;
        };
        self.object(&item, &list);
        self.sink.end(Ended {
            list: Some(list_end(&value)),
        });
    }

    /// A document without items of its own lines: one object, or a list in another style.
    fn whole_document(&mut self, value: &Value) {
        if value.is_null() {
            return;
        }
        let end = match value.get("items") {
            Some(items @ (Value::Array(_) | Value::Null)) => {
                let end = list_end(value);
                let kind = super::item_type(&end.list);
                for item in items.as_array().into_iter().flatten() {
                    self.sink.object(Object::Value(item), &kind);
                }
                Some(end)
            }
            _ => {
                self.sink.object(Object::Value(value), &TypeMeta::default());
                None
            }
        };
        self.sink.end(Ended { list: end });
    }
}

fn list_end(header: &Value) -> ListEnd {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    ListEnd {
        list: TypeMeta {
            api_version: text(header.get("apiVersion")),
            kind: text(header.get("kind")),
        },
        more: !text(header.pointer("/metadata/continue")).is_empty(),
    }
}

/// A plain or quoted scalar after a key.
fn scalar(text: &str) -> String {
    let text = text.split(" #").next().unwrap_or_default().trim();
    text.trim_matches(['"', '\'']).to_owned()
}
