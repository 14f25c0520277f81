//! The binary of [`stargate_sweep::Sweep`].

fn main() -> std::process::ExitCode {
    stargate_common::boot::job::<stargate_sweep::Sweep>()
}
