//! The binary of [`stargate_scan::Scan`].

fn main() -> std::process::ExitCode {
    stargate_common::boot::job::<stargate_scan::Scan>()
}
