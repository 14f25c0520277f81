//! `stargate completion SHELL`.

use std::process::ExitCode;

use clap_complete::Shell;

use crate::output;

/// Prints a completion script for your shell.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  source <(stargate completion bash)\n  stargate completion zsh > \"${fpath[1]}/_stargate\"\n  stargate completion fish > ~/.config/fish/completions/stargate.fish"
)]
pub struct Args {
    /// bash, zsh or fish
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &Args, command: &mut clap::Command) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "stargate", &mut script);
    output::text(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
