//! The binary of [`stargate_retain::Retain`].

fn main() -> std::process::ExitCode {
    stargate_common::boot::job::<stargate_retain::Retain>()
}
