//! The `stargate` program.

fn main() -> std::process::ExitCode {
    stargate_cli::main()
}
