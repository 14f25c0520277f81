//! The binary of [`stargate_collect::Collect`].

fn main() -> std::process::ExitCode {
    stargate_common::boot::job::<stargate_collect::Collect>()
}
