//! The binary of [`stargate_deadletter::Deadletter`].

fn main() -> std::process::ExitCode {
    stargate_common::boot::function::<stargate_deadletter::Deadletter>()
}
