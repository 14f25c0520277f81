//! Text to syntax tree, with the parser of the `cel` crate, on a thread of its own.
//!
//! That parser recurses, needs up to 100 KiB of stack for one bracket in a debug build, and takes the process down when the
//! stack is spent. So length and brackets are bounded before, the stack is large, and a panic becomes an error.
//! Macros (`all`, `exists`, …) stay calls: `check` gives them their meaning.

use cel::Env;
use cel::common::ast::{IdedExpr, SourceInfo};

use super::{ExprError, MAX_BRACKETS, MAX_BYTES};

/// Stack of the thread that parses. Reserved, not used: pages are only taken when touched.
const STACK_BYTES: usize = 32 << 20;

/// Most words, numbers and signs in one expression: each may be a level of the tree.
const MAX_TOKENS: usize = 1500;

/// A syntax tree with the places of its nodes.
pub(super) struct Tree {
    pub(super) root: IdedExpr,
    source: SourceInfo,
}

impl Tree {
    /// Byte offset of a node.
    pub(super) fn offset(&self, node: &IdedExpr) -> usize {
        self.source.offset_for(node.id).map_or(0, |(start, _)| start as usize)
    }
}

/// Parses the text and hands the tree to `then`, which runs on the thread that parses: the tree is as deep as the text wants.
pub(super) fn with_tree<T: Send>(text: &str, then: impl FnOnce(&Tree) -> T + Send) -> Result<T, Vec<ExprError>> {
    check_size(text).map_err(|error| vec![error])?;
    let outcome = std::thread::scope(|scope| {
        let parsing = std::thread::Builder::new()
            .name("parse-expression".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || parse(text).map(|tree| then(&tree)));
        parsing.map(std::thread::ScopedJoinHandle::join)
    });
    match outcome {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(vec![whole("the parser gave up", "write it more simply")]),
        Err(error) => Err(vec![whole(
            &format!("no thread to parse on: {error}"),
            "try again with fewer things running",
        )]),
    }
}

fn whole(message: &str, help: &str) -> ExprError {
    ExprError {
        offset: 0,
        message: message.to_owned(),
        help: help.to_owned(),
    }
}

fn parse(text: &str) -> Result<Tree, Vec<ExprError>> {
    let parsed = Env::default().parser().parse_with_source_info(text);
    match parsed {
        Ok((root, source)) => Ok(Tree { root, source }),
        Err(errors) => {
            let mut errors: Vec<ExprError> = errors
                .errors
                .iter()
                .map(|error| syntax_error(text, error.pos, &error.msg))
                .collect();
            // What follows the first is the parser finding its way back.
            errors.truncate(1);
            if errors.is_empty() {
                errors.push(whole("not understood", "write an expression of the Common Expression Language"));
            }
            Err(errors)
        }
    }
}

fn syntax_error(text: &str, (line, column): (isize, isize), message: &str) -> ExprError {
    let (line, column) = (usize::try_from(line).unwrap_or(1), usize::try_from(column).unwrap_or(1));
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let offset = start + rest.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
    let short = message.split(" expecting ").next().unwrap_or(message);
    let single_equals = text.get(offset..).is_some_and(|rest| rest.starts_with('='));
    ExprError {
        offset: offset.min(text.len()),
        message: format!("syntax error: {short}"),
        help: if single_equals {
            "compare with `==`".to_owned()
        } else if short.starts_with("reserved identifier") {
            "the language keeps this word for itself: use the name that the document has for it".to_owned()
        } else {
            "write for example `cpu_percent >= 80 && !nodes_healthy`, texts in quotes".to_owned()
        },
    }
}

/// Length, brackets and words, counted outside of texts and comments.
fn check_size(text: &str) -> Result<(), ExprError> {
    if text.trim().is_empty() {
        return Err(whole("the expression is empty", "write a condition"));
    }
    if text.len() > MAX_BYTES {
        return Err(whole(
            &format!("the expression has {} bytes, more than {MAX_BYTES}", text.len()),
            "make two of it",
        ));
    }
    let (mut depth, mut tokens) = (0_usize, 0_usize);
    let mut previous = ' ';
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let offset = text.len() - rest.len();
        let length = match next {
            '"' | '\'' => {
                previous = ' ';
                let raw = text[..offset].ends_with(['r', 'R']);
                rest = &rest[text_length(rest, next, raw)..];
                tokens += 1;
                continue;
            }
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            _ => next.len_utf8(),
        };
        match next {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let in_word = |c: char| c.is_alphanumeric() || c == '_';
        let goes_on = in_word(next) && in_word(previous);
        if !goes_on && !next.is_whitespace() {
            tokens += 1;
        }
        previous = next;
        if depth > MAX_BRACKETS {
            return Err(ExprError {
                offset,
                message: format!("more than {MAX_BRACKETS} brackets within each other"),
                help: "make two expressions of it".to_owned(),
            });
        }
        if tokens > MAX_TOKENS {
            return Err(ExprError {
                offset,
                message: format!("more than {MAX_TOKENS} words and signs"),
                help: "make two expressions of it".to_owned(),
            });
        }
        rest = &rest[length..];
    }
    Ok(())
}

/// How long the text literal is that begins here, its quotes included. One that does not end takes the rest.
fn text_length(rest: &str, quote: char, raw: bool) -> usize {
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    let single = quote.to_string();
    let end = if rest.starts_with(&triple) { triple } else { single };
    let mut at = end.len();
    while at < rest.len() {
        let here = rest.get(at..).unwrap_or_default();
        if here.starts_with(&end) {
            return at + end.len();
        }
        let mut characters = here.chars();
        let first = characters.next().map_or(1, char::len_utf8);
        let escaped = !raw && here.starts_with('\\');
        at += if escaped {
            first + characters.next().map_or(0, char::len_utf8)
        } else {
            first
        };
    }
    rest.len()
}

#[cfg(test)]
mod tests;
