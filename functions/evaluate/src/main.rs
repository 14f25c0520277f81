//! The binary of the function `evaluate`.

fn main() -> std::process::ExitCode {
    stargate_common::boot::function::<stargate_evaluate::Evaluate>()
}
