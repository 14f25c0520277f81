//! The manifests of `tekton/`: that they hold together, and that a gate says the same from the command line, the API and a Task.
//!
//! `runner` is a simulation of Tekton, and the clusters are simulated; the program, its database and its API are real.

#![cfg(test)]

mod manifests;
mod runner;
mod verdicts;
