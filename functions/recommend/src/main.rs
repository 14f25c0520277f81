//! The binary of the function `recommend`.

fn main() -> std::process::ExitCode {
    stargate_common::boot::function::<stargate_recommend::Recommend>()
}
