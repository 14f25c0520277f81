//! What rules may ask: one document a scope, every fact with its type, a sentence for people, and the sources that know it.
//!
//! A fact is known, or unknown with a reason. A source that is stale or was never read makes its facts unknown; zero is a count that
//! was made.

mod cluster;
mod lab;
mod platform;
mod pool;

use std::borrow::Cow;

use serde_json::Value as Json;

pub use self::cluster::ClusterFacts;
pub use self::lab::LabFacts;
pub use self::platform::PlatformFacts;
pub use self::pool::PoolFacts;
use super::Scope;
use crate::expr::{Type, Value, Variable};
use crate::sources::SourceName;
use crate::unknown::UnknownReason;

/// A fact, or why there is none.
pub type Known<T> = Result<T, UnknownReason>;

/// Who knows a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// A provisioning system, read by `collect`.
    Provisioning(SourceName),
    /// The clusters themselves, read by `scan` and judged by `evaluate`.
    Scan,
}

#[expect(non_upper_case_globals, reason = "named as in the tables below")]
impl Basis {
    pub(crate) const Babylon: Self = Self::Provisioning(SourceName::Babylon);
    pub(crate) const SandboxApi: Self = Self::Provisioning(SourceName::SandboxApi);
    pub(crate) const Aap: Self = Self::Provisioning(SourceName::Aap);
    pub(crate) const Demolition: Self = Self::Provisioning(SourceName::Demolition);
    pub(crate) const Labagator: Self = Self::Provisioning(SourceName::Labagator);
    pub(crate) const Agnosticv: Self = Self::Provisioning(SourceName::Agnosticv);

    /// Every source.
    pub const ALL: [Self; 7] = [
        Self::Babylon,
        Self::SandboxApi,
        Self::Aap,
        Self::Demolition,
        Self::Labagator,
        Self::Agnosticv,
        Self::Scan,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning(source) => source.as_str(),
            Self::Scan => "scan",
        }
    }

    /// The source of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|basis| basis.as_str() == name)
    }
}

impl std::fmt::Display for Basis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// One fact that rules may ask for.
#[derive(Debug)]
pub struct Input {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// What it says, in a sentence; also when it is unknown.
    pub doc: &'static str,
    /// Who knows it: all of these are needed.
    pub sources: &'static [Basis],
}

impl Input {
    /// As a variable of expressions.
    #[must_use]
    pub fn variable(&self) -> Variable {
        Variable {
            name: Cow::Borrowed(self.name),
            ty: self.ty,
            doc: Cow::Borrowed(self.doc),
        }
    }
}

/// What rules may ask of a scope, in the order of their index.
#[must_use]
pub fn inputs(scope: Scope) -> &'static [Input] {
    match scope {
        Scope::Lab => LabFacts::INPUTS,
        Scope::Pool => PoolFacts::INPUTS,
        Scope::Cluster => ClusterFacts::INPUTS,
        Scope::Platform => PlatformFacts::INPUTS,
    }
}

/// The facts of one subject.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each variant is the facts of the scope of that name")]
pub enum Facts {
    Lab(Box<LabFacts>),
    Pool(Box<PoolFacts>),
    Cluster(Box<ClusterFacts>),
    Platform(Box<PlatformFacts>),
}

impl Facts {
    /// Facts of a scope, none of them known.
    #[must_use]
    pub fn unknown(scope: Scope) -> Self {
        match scope {
            Scope::Lab => Self::Lab(Box::default()),
            Scope::Pool => Self::Pool(Box::default()),
            Scope::Cluster => Self::Cluster(Box::default()),
            Scope::Platform => Self::Platform(Box::default()),
        }
    }

    /// What they are about.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        match self {
            Self::Lab(_) => Scope::Lab,
            Self::Pool(_) => Scope::Pool,
            Self::Cluster(_) => Scope::Cluster,
            Self::Platform(_) => Scope::Platform,
        }
    }

    /// The fact of that index in [`inputs`].
    #[must_use]
    pub fn value(&self, index: usize) -> Value<'_> {
        match self {
            Self::Lab(facts) => facts.value(index),
            Self::Pool(facts) => facts.value(index),
            Self::Cluster(facts) => facts.value(index),
            Self::Platform(facts) => facts.value(index),
        }
    }

    /// Sets the fact of that index from what a person wrote: a value, or the reason why there is none.
    ///
    /// # Errors
    /// The value is not of the fact's type: what it should be.
    pub fn set(&mut self, index: usize, given: Known<&Json>) -> Result<(), Type> {
        match self {
            Self::Lab(facts) => facts.set(index, given),
            Self::Pool(facts) => facts.set(index, given),
            Self::Cluster(facts) => facts.set(index, given),
            Self::Platform(facts) => facts.set(index, given),
        }
    }
}

/// A type that facts can have.
pub(crate) trait Fact: Sized {
    /// As expressions see it.
    const TYPE: Type;
    fn value(&self) -> Value<'_>;
    fn read(given: &Json) -> Option<Self>;
}

impl Fact for bool {
    const TYPE: Type = Type::Bool;
    fn value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
    fn read(given: &Json) -> Option<Self> {
        given.as_bool()
    }
}

impl Fact for i64 {
    const TYPE: Type = Type::Int;
    fn value(&self) -> Value<'_> {
        Value::Int(*self)
    }
    fn read(given: &Json) -> Option<Self> {
        given.as_i64()
    }
}

impl Fact for f64 {
    const TYPE: Type = Type::Double;
    fn value(&self) -> Value<'_> {
        Value::Double(*self)
    }
    fn read(given: &Json) -> Option<Self> {
        given.as_f64()
    }
}

impl Fact for String {
    const TYPE: Type = Type::Text;
    fn value(&self) -> Value<'_> {
        Value::text(self)
    }
    fn read(given: &Json) -> Option<Self> {
        given.as_str().map(str::to_owned)
    }
}

/// Declares the facts of a scope: struct, types, sentences and sources in one table, so that they cannot drift apart.
macro_rules! facts {
    (
        $(#[$meta:meta])*
        $name:ident;
        $($field:ident: $ty:ty, [$($basis:ident),+], $doc:literal;)+
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(#[doc = $doc] pub $field: $crate::policy::input::Known<$ty>,)+
        }

        impl Default for $name {
            /// Nothing is known.
            fn default() -> Self {
                Self { $($field: Err($crate::unknown::UnknownReason::NotCollected),)+ }
            }
        }

        impl $name {
            /// Every fact, in the order of its index.
            pub const INPUTS: &'static [$crate::policy::input::Input] = &[$($crate::policy::input::Input {
                name: stringify!($field),
                ty: <$ty as $crate::policy::input::Fact>::TYPE,
                doc: $doc,
                sources: &[$($crate::policy::input::Basis::$basis),+],
            }),+];

            pub(super) fn value(&self, index: usize) -> $crate::expr::Value<'_> {
                type Get = for<'v> fn(&'v $name) -> $crate::expr::Value<'v>;
                const GETTERS: &[Get] = &[$(|facts| match &facts.$field {
                    Ok(value) => $crate::policy::input::Fact::value(value),
                    Err(reason) => $crate::expr::Value::Unknown(*reason),
                }),+];
                GETTERS.get(index).map_or($crate::expr::Value::ABSENT, |get| get(self))
            }

            pub(super) fn set(
                &mut self,
                index: usize,
                given: $crate::policy::input::Known<&serde_json::Value>,
            ) -> Result<(), $crate::expr::Type> {
                type Set = fn(&mut $name, $crate::policy::input::Known<&serde_json::Value>) -> Result<(), $crate::expr::Type>;
                const SETTERS: &[Set] = &[$(|facts, given| {
                    facts.$field = match given {
                        Ok(json) => Ok(<$ty as $crate::policy::input::Fact>::read(json).ok_or(<$ty as $crate::policy::input::Fact>::TYPE)?),
                        Err(reason) => Err(reason),
                    };
                    Ok(())
                }),+];
                SETTERS.get(index).map_or(Ok(()), |set| set(self, given))
            }
        }
    };
}

use facts;

/// A group of things that are shown beside advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "`about` says each")]
pub enum Group {
    Sessions,
    UnstartedOrders,
    FailedOrders,
    Teardowns,
    Pools,
    SmokeRun,
    FailedProvisionJobs,
    FailedDestroyJobs,
    FailingShowrooms,
    MissingRoutes,
    MissingAgents,
    Component,
    Clusters,
    BlindKinds,
    FailedProvisions,
    SandboxApi,
    ClustersWithoutSlots,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 17] = [
        Self::Sessions,
        Self::UnstartedOrders,
        Self::FailedOrders,
        Self::Teardowns,
        Self::Pools,
        Self::SmokeRun,
        Self::FailedProvisionJobs,
        Self::FailedDestroyJobs,
        Self::FailingShowrooms,
        Self::MissingRoutes,
        Self::MissingAgents,
        Self::Component,
        Self::Clusters,
        Self::BlindKinds,
        Self::FailedProvisions,
        Self::SandboxApi,
        Self::ClustersWithoutSlots,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// What is in it, in a sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        self.row().1
    }

    /// The scopes that have it.
    #[must_use]
    pub const fn scopes(self) -> &'static [Scope] {
        self.row().2
    }

    const fn row(self) -> (&'static str, &'static str, &'static [Scope]) {
        const LAB: &[Scope] = &[Scope::Lab];
        const CLUSTER: &[Scope] = &[Scope::Cluster];
        const PLATFORM: &[Scope] = &[Scope::Platform];
        match self {
            Self::Sessions => ("sessions", "The next sessions.", &[Scope::Lab, Scope::Pool]),
            Self::UnstartedOrders => (
                "unstarted_orders",
                "Components of orders that have not started, the oldest first.",
                LAB,
            ),
            Self::FailedOrders => ("failed_orders", "Components whose provisioning failed.", LAB),
            Self::Teardowns => ("teardowns", "Components that are being torn down, the oldest first.", LAB),
            Self::Pools => (
                "pools",
                "The pools that serve the lab; the pool itself.",
                &[Scope::Lab, Scope::Pool],
            ),
            Self::SmokeRun => ("smoke_run", "The newest smoke run.", LAB),
            Self::FailedProvisionJobs => ("failed_provision_jobs", "Provision jobs that failed, the newest first.", LAB),
            Self::FailedDestroyJobs => ("failed_destroy_jobs", "Destroy jobs that failed, the newest first.", LAB),
            Self::FailingShowrooms => ("failing_showrooms", "Instances whose Showroom has failed.", LAB),
            Self::MissingRoutes => ("missing_routes", "Instances without an admitted Route.", LAB),
            Self::MissingAgents => ("missing_agents", "Instances whose guest agent is not connected.", LAB),
            Self::Component => ("component", "The item's definition.", LAB),
            Self::Clusters => (
                "clusters",
                "The clusters that the lab runs on; the cluster itself.",
                &[Scope::Lab, Scope::Cluster],
            ),
            Self::BlindKinds => ("blind_kinds", "Kinds of objects that cannot be read, with the reason.", CLUSTER),
            Self::FailedProvisions => (
                "failed_provisions",
                "Subjects whose provisioning failed, the newest first.",
                PLATFORM,
            ),
            Self::SandboxApi => ("sandbox_api", "The Sandbox API as a whole.", PLATFORM),
            Self::ClustersWithoutSlots => ("clusters_without_slots", "Clusters that take no more placements.", PLATFORM),
        }
    }

    /// The group of that name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == name)
    }
}
