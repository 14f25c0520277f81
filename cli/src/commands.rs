//! One file per subcommand.

pub mod clusters;
pub mod collect;
pub mod completion;
pub mod deadletters;
pub mod evaluate;
pub mod explain;
pub mod gate;
pub mod incidents;
pub mod instances;
pub mod labs;
pub mod live;
pub mod outcome;
pub mod policy;
pub mod pools;
pub mod provisioning;
pub mod recommendations;
pub mod record;
pub mod remediation;
pub mod rubric;
pub mod run;
pub mod scan;
pub mod sessions;
pub mod sources;
pub mod subjects;
pub mod why;
