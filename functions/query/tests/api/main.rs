//! The interface against a seeded database: every operation against the document, every convention, every way to ask wrongly.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail the test that asked")]

mod access;
mod app;
mod conventions;
mod document;
mod flow;
mod operations;
mod paging;
mod plans;
mod provisioning;
mod schema;
mod site;
mod staleness;
mod streaming;
