//! Verdicts over time: confirmed transitions, incidents, correlation. Pure.
