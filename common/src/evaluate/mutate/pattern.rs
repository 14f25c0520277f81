//! Mutants of pattern classes. Their cases are the examples that stand beside each expression.

use std::sync::Arc;

use super::{Maker, Named, Operator, text};
use crate::evaluate::pattern::{RawPatterns, Source};

pub(super) fn mutants(maker: &mut Maker<'_>, source: Source, file: &RawPatterns) {
    for (class, (name, content)) in file.classes.0.iter().enumerate() {
        let named = |operator, at| Named {
            operator,
            at,
            what: &name.value,
            subject: format!("pattern class {}", name.value),
        };
        for (item, unless) in content.unless.iter().enumerate() {
            let named = named(Operator::Unless, unless.referenced);
            add(maker, source, named, &unless.value, "", move |file| {
                file.classes.0[class].1.unless.remove(item);
            });
        }
        for (item, pattern) in content.patterns.iter().enumerate() {
            for now in text::narrowed(&pattern.regex.value) {
                let named = named(Operator::Pattern, pattern.regex.referenced);
                let edited = now.clone();
                add(maker, source, named, &pattern.regex.value, &now, move |file| {
                    file.classes.0[class].1.patterns[item].regex.value.clone_from(&edited);
                });
            }
        }
    }
}

fn add(
    maker: &mut Maker<'_>,
    source: Source,
    named: Named<'_>,
    was: &str,
    now: &str,
    edit: impl Fn(&mut RawPatterns) + Send + Sync + 'static,
) {
    maker.add(named, was, now, move |set| {
        if let Some(file) = set.pattern_files.get_mut(&source) {
            edit(&mut Arc::make_mut(file).content);
        }
    });
}
