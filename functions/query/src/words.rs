//! Closed lists of words that answers hold and no filter takes.

use crate::params::words;

words! {
    /// What an evaluation says of a stage.
    OutcomeName {
        /// Everything that is required holds.
        Pass = "pass",
        /// It works, and something should be looked at.
        Warn = "warn",
        /// Something that is required does not hold.
        Fail = "fail",
        /// What would tell was not read: neither good nor bad.
        Indeterminate = "indeterminate",
        /// It does not apply.
        Skipped = "skipped",
    }
}

words! {
    /// When a criterion is asked.
    CriterionRole {
        /// Before the stage is judged.
        Entry = "entry",
        /// To judge the stage.
        Exit = "exit",
    }
}

words! {
    /// What an instance should do.
    Intent {
        /// Run.
        Started = "started",
        /// Rest.
        Stopped = "stopped",
        /// Nobody said.
        Unknown = "unknown",
    }
}

words! {
    /// How an incident ended.
    Resolution {
        /// What it is about works again.
        SelfResolved = "self_resolved",
        /// What it is about is gone.
        NamespaceRecycled = "namespace_recycled",
        /// Everything that it covers is over.
        ChildrenResolved = "children_resolved",
    }
}

words! {
    /// How loud a failure class is.
    Grade {
        /// Something does not work.
        Failure = "failure",
        /// Something should be looked at.
        Warning = "warning",
        /// Something is worth knowing.
        Informational = "informational",
    }
}

words! {
    /// Which way a pool goes.
    PoolTrend {
        /// It empties.
        Depleting = "depleting",
        /// Neither.
        Steady = "steady",
        /// It fills.
        Recovering = "recovering",
    }
}

words! {
    /// Why advice was taken back.
    Withdrawal {
        /// What it rests on is no longer so.
        NoLonger = "no_longer",
        /// What it is about is gone.
        SubjectGone = "subject_gone",
        /// Its rule is gone.
        RuleGone = "rule_gone",
    }
}
