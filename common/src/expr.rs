//! Expressions: CEL, typed, tri-state and bounded. Knows nothing of rubrics or labs: whoever uses it brings a [`Schema`] and a [`Document`].
//!
//! ```text
//! text ──parse──> AST ──check against a Schema──> Expr ──eval on a Document──> true, false, or unknown and why
//!  (cel crate, own thread)   (types, names, bounds)   └─analyse──> what can never hold, what is always hidden
//! ```
//!
//! Only the parser is borrowed. The `cel` crate has no types, no limit of cost and no unknown values
//! (`docs/decisions/0006-own-evaluator-for-cel.md`). Here nothing that was not read ever becomes an answer: a missing
//! field, key or element is unknown like a list that was forbidden, and making any part of a document unknown can only make the
//! result unknown, never turn it around.
//!
//! | File | What it holds |
//! |---|---|
//! | [`schema`] | types, records and variables, each with a sentence for people |
//! | [`value`] | what documents hand out: borrowed, built when asked for |
//! | `parse` | text to syntax tree, without taking the process down |
//! | `check` | syntax tree to typed tree: every name resolved, every type fitting, the cost bounded |
//! | `ir` | the typed tree, and how it is written |
//! | `eval` | Kleene's logic over it |
//! | [`analyse`] | exact answers about expressions: contradiction, cover |
//!
//! | Limit | Value |
//! |---|---|
//! | length of an expression | 4096 bytes |
//! | brackets in brackets | 40 |
//! | operations in an expression | 400 |
//! | loops (`all`, `exists`, `filter`, …) in the body of a loop | 1 |
//! | steps of one evaluation | 100,000 |

pub mod analyse;
mod check;
mod eval;
mod ir;
mod parse;
pub mod schema;
pub mod value;

pub use self::eval::Fuel;
pub use self::schema::{Element, Field, RecordType, Schema, Type, Variable};
pub use self::value::{Document, Entries, List, Object, Sequence, Truth, Value};

/// Longest expression, in bytes. A screen of text; whoever needs more wants two criteria.
pub const MAX_BYTES: usize = 4096;
/// Deepest brackets. The parser needs up to 100 KiB of stack for each in a debug build.
pub const MAX_BRACKETS: usize = 40;
/// Most operations in one expression, which also bounds the depth of the tree.
pub const MAX_NODES: usize = 400;
/// Loops within each other, the outermost included.
pub const MAX_LOOPS: usize = 2;

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {help}")]
pub struct ExprError {
    /// Byte offset in the text of the expression.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// A checked expression. Cheap to share, never fails, always ends.
#[derive(Debug, Clone)]
pub struct Expr {
    text: String,
    root: ir::Node,
    ty: Type,
    variables: Vec<usize>,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.ty == other.ty && self.variables == other.variables
    }
}

/// Compiles a condition: an expression that is true or false.
///
/// # Errors
/// Everything that is wrong with it, by offset.
pub fn compile(schema: &Schema, text: &str) -> Result<Expr, Vec<ExprError>> {
    let expr = compile_any(schema, text)?;
    if expr.ty == Type::Bool {
        return Ok(expr);
    }
    Err(vec![ExprError {
        offset: 0,
        message: format!("the expression yields {}, not true or false", expr.ty),
        help: "compare it with something".to_owned(),
    }])
}

/// Compiles an expression that yields a list of records, for example of those that are at fault.
///
/// # Errors
/// Everything that is wrong with it, by offset.
pub fn compile_records(schema: &Schema, text: &str) -> Result<Expr, Vec<ExprError>> {
    let expr = compile_any(schema, text)?;
    if matches!(expr.ty, Type::List(Element::Record(_))) {
        return Ok(expr);
    }
    Err(vec![ExprError {
        offset: 0,
        message: format!("the expression yields {}, not a list of records", expr.ty),
        help: "write for example `pods.filter(p, p.restarts > 5)`".to_owned(),
    }])
}

fn compile_any(schema: &Schema, text: &str) -> Result<Expr, Vec<ExprError>> {
    // Nothing is taken from the borrowed tree but on the thread that made it: dropping it needs its stack, too.
    let (root, ty) = parse::with_tree(text, |tree| check::check(schema, text, tree))??;
    let mut variables = Vec::new();
    root.visit(&mut |node| {
        if let ir::Node::Variable { index, .. } = node {
            variables.push(*index);
        }
    });
    variables.sort_unstable();
    variables.dedup();
    Ok(Expr {
        text: text.trim().to_owned(),
        root,
        ty,
        variables,
    })
}

impl Expr {
    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The variables it mentions, by their place in the schema, sorted.
    #[must_use]
    pub fn variables(&self) -> &[usize] {
        &self.variables
    }

    /// Whether it mentions that variable.
    #[must_use]
    pub fn mentions(&self, variable: usize) -> bool {
        self.variables.binary_search(&variable).is_ok()
    }

    /// The numbers that are written in it.
    #[must_use]
    pub fn numbers(&self) -> Vec<f64> {
        let mut numbers = Vec::new();
        self.root.visit(&mut |node| match node {
            #[expect(clippy::cast_precision_loss, reason = "for trying values near a limit")]
            ir::Node::Int(number) => numbers.push(*number as f64),
            ir::Node::Double(number) => numbers.push(*number),
            _ => {}
        });
        numbers
    }

    /// What it yields.
    #[must_use]
    pub const fn ty(&self) -> Type {
        self.ty
    }

    /// Whether the condition holds. For an expression that is no condition the answer is unknown.
    ///
    /// # Errors
    /// Why that is not known.
    pub fn eval(&self, document: &dyn Document, fuel: &mut Fuel) -> Truth {
        eval::truth(&self.root, document, fuel)
    }

    /// Whether the condition holds, and does so by an alternative (of `||`) that mentions one of the variables that `of` picks.
    pub fn holds_by(&self, document: &dyn Document, fuel: &mut Fuel, of: &dyn Fn(usize) -> bool) -> bool {
        eval::holds_by(&self.root, document, fuel, of)
    }

    /// What the expression yields.
    pub fn value<'v>(&'v self, document: &'v dyn Document, fuel: &mut Fuel) -> Value<'v> {
        eval::value(&self.root, document, fuel)
    }

    /// The records that make a condition of the form `list.all(x, …)`, `!list.exists(x, …)`, or several of these joined by
    /// `&&`, false: each for which its part does not hold, and why. Of an expression that yields records, these records.
    pub fn culprits<'v>(&'v self, document: &'v dyn Document, fuel: &mut Fuel) -> Vec<Culprit<'v>> {
        eval::culprits(&self.root, document, fuel)
    }

    /// Whether [`Expr::culprits`] can name any.
    #[must_use]
    pub fn names_culprits(&self) -> bool {
        eval::names_culprits(&self.root)
    }
}

impl std::fmt::Display for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A record that keeps a condition from holding.
#[derive(Debug, Clone)]
pub struct Culprit<'v> {
    /// Its kind, for example `Pod`.
    pub kind: &'v str,
    /// Its name.
    pub name: &'v str,
    /// What is wrong with it, from the expression: `restarts is 7, not <= 5`.
    pub reason: String,
}

/// Line and column, both from 1, of a byte offset in a text.
#[must_use]
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests;
