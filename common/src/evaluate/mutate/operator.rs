//! The ways in which a rubric set is changed: a closed list, so that a score means the same tomorrow.

use serde::Serialize;

/// One way to change a rubric set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// A comparison is turned around: true and false, `==` and `!=`, `>=` and `<`.
    Flip,
    /// A number in a condition is one more or one less.
    Shift,
    /// An item of `when`, or one side of an `&&`, is gone: the condition is weaker.
    Drop,
    /// An alternative of `||` is gone: the condition is stronger.
    Narrow,
    /// `&&` and `||` change places.
    Connective,
    /// `all` and `exists` change places.
    Quantifier,
    /// A `!` is gone.
    Negate,
    /// Two neighbouring classes change places: precedence.
    SwapClasses,
    /// A class is gone.
    DropClass,
    /// A required criterion becomes optional, or the other way round.
    Require,
    /// A criterion is gone.
    DropCriterion,
    /// Two neighbouring entry criteria change places.
    SwapEntry,
    /// An entry criterion no longer names the stage that owns it.
    DropOwner,
    /// An entry criterion leads to another class.
    EntryClass,
    /// A criterion begins or ceases to wait until its source is read.
    UntilRead,
    /// A class recommends another action.
    Action,
    /// A class is more or less severe.
    Severity,
    /// A class has another grade.
    Grade,
    /// A class is about another part of the platform.
    Area,
    /// A settle budget is halved or doubled.
    Budget,
    /// A stage applies to a kind of lab in another way.
    KindCell,
    /// A name that tells the kind is gone, or tells another.
    KindName,
    /// A sub-class is gone.
    DropSubClass,
    /// Two neighbouring sub-classes change places.
    SwapSubClasses,
    /// The pattern of a sub-class is broken, or loses an alternative.
    SubClassPattern,
    /// A sub-class no longer asks for one of its facts.
    SubClassFact,
    /// The confidence of a sub-class is another.
    Confidence,
    /// An expression of a pattern class loses an alternative.
    Pattern,
    /// A pattern class no longer keeps out what it excluded.
    Unless,
}

impl Operator {
    /// Every operator, in the order of their mutants' importance to an author.
    pub const ALL: [Self; 29] = [
        Self::Flip,
        Self::Shift,
        Self::Drop,
        Self::Narrow,
        Self::Connective,
        Self::Quantifier,
        Self::Negate,
        Self::SwapClasses,
        Self::DropClass,
        Self::Require,
        Self::DropCriterion,
        Self::SwapEntry,
        Self::DropOwner,
        Self::EntryClass,
        Self::UntilRead,
        Self::Action,
        Self::Severity,
        Self::Grade,
        Self::Area,
        Self::Budget,
        Self::KindCell,
        Self::KindName,
        Self::DropSubClass,
        Self::SwapSubClasses,
        Self::SubClassPattern,
        Self::SubClassFact,
        Self::Confidence,
        Self::Pattern,
        Self::Unless,
    ];

    /// The stable kebab-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flip => "flip",
            Self::Shift => "shift",
            Self::Drop => "drop",
            Self::Narrow => "narrow",
            Self::Connective => "connective",
            Self::Quantifier => "quantifier",
            Self::Negate => "negate",
            Self::SwapClasses => "swap-classes",
            Self::DropClass => "drop-class",
            Self::Require => "require",
            Self::DropCriterion => "drop-criterion",
            Self::SwapEntry => "swap-entry",
            Self::DropOwner => "drop-owner",
            Self::EntryClass => "entry-class",
            Self::UntilRead => "until-read",
            Self::Action => "action",
            Self::Severity => "severity",
            Self::Grade => "grade",
            Self::Area => "area",
            Self::Budget => "budget",
            Self::KindCell => "kind-cell",
            Self::KindName => "kind-name",
            Self::DropSubClass => "drop-sub-class",
            Self::SwapSubClasses => "swap-sub-classes",
            Self::SubClassPattern => "sub-class-pattern",
            Self::SubClassFact => "sub-class-fact",
            Self::Confidence => "confidence",
            Self::Pattern => "pattern",
            Self::Unless => "unless",
        }
    }

    /// The operator of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str() == name)
    }

    /// Which case notices such a change: what to write when one survives.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Flip | Self::Drop | Self::Connective | Self::Quantifier | Self::Negate => {
                "a case in which everything else of this condition holds and this does not, with the class (or value) that it must lead to"
            }
            Self::Shift => "a case just at the limit and one just beyond it",
            Self::Narrow => "a case in which only this alternative holds",
            Self::SwapClasses => "a case in which both classes match, with the upper one expected",
            Self::DropClass => "a case with this class",
            Self::Require => "a case in which only this criterion is false, or unknown, with the outcome",
            Self::DropCriterion => "a case that lists this criterion under `criteria`",
            Self::SwapEntry => "a case in which both entry criteria are false, or unknown for different reasons",
            Self::DropOwner => "a case in which the owner failed and this stage is `blocked_by` it",
            Self::EntryClass => "a case in which this entry criterion is false and its owner did not fail",
            Self::UntilRead => "a case in which the criterion is not_collected or not_probed, with the outcome",
            Self::Action => "`recommended_action` in a case of the class",
            Self::Severity => "`severity` in a case of the class",
            Self::Grade => "`grade` in a case of the class",
            Self::Area => "`area` in a case of the class",
            Self::Budget => "a case that is indeterminate for `progressing`, with `until`",
            Self::KindCell => "a lab of this kind with nothing there for the stage, and one with something",
            Self::KindName => "a namespace whose name tells this kind, with `kind`",
            Self::DropSubClass | Self::SwapSubClasses => "`sub_class` in a case of the class whose members say what the rule looks for",
            Self::SubClassPattern => "a case whose members say just what this alternative looks for, with `sub_class`",
            Self::SubClassFact => "a case whose members show just these facts, with `sub_class`",
            Self::Confidence => "`auto_fix_confidence` in a case of the sub-class",
            Self::Pattern => "a text under `matches` that only this alternative finds",
            Self::Unless => "a text under `near_misses` that only this keeps out",
        }
    }
}

impl std::fmt::Display for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_to_one() {
        for operator in Operator::ALL {
            assert_eq!(Operator::parse(operator.as_str()), Some(operator));
            assert_eq!(serde_json::to_value(operator).unwrap(), operator.as_str());
        }
    }
}
