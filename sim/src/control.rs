//! The controllers of a simulated cluster: what Kubernetes, KubeVirt and the rest do by themselves when time passes or
//! somebody writes.

pub(crate) mod derive;
