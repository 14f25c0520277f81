//! The binary of [`stargate_agnosticv_hook::Hook`].

fn main() -> std::process::ExitCode {
    stargate_common::boot::server::<stargate_agnosticv_hook::Hook>()
}
