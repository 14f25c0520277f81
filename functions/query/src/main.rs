//! The binary of [`stargate_query::Query`].

fn main() -> std::process::ExitCode {
    stargate_common::boot::server::<stargate_query::Query>()
}
