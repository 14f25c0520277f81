//! What a process has used so far, as the kernel counts it.

use std::fs;
use std::time::{Duration, Instant};

/// Kernel clock ticks a second: fixed at 100 for user space on every Linux we run on.
const TICKS: f64 = 100.0;

/// Processor time of this process, user and system, all threads.
pub fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The command name may hold blanks; fields are counted behind its closing parenthesis.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    Duration::from_secs_f64((ticks(11) + ticks(12)) / TICKS)
}

/// Largest resident memory of this process so far, in MiB.
pub fn peak_mib() -> f64 {
    status("VmHWM:")
}

fn status(field: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<f64>().ok())
        .unwrap_or_default()
        / 1024.0
}

/// Wall and processor time of one piece of work.
#[derive(Debug, Clone, Copy)]
pub struct Spent {
    /// Wall time.
    pub wall: Duration,
    /// Processor time of the whole process.
    pub cpu: Duration,
}

/// A running measurement.
#[derive(Debug)]
pub struct Stopwatch {
    begun: Instant,
    cpu: Duration,
}

impl Stopwatch {
    /// Starts measuring.
    pub fn start() -> Self {
        Self {
            begun: Instant::now(),
            cpu: cpu(),
        }
    }

    /// What was spent since the start.
    pub fn stop(&self) -> Spent {
        Spent {
            wall: self.begun.elapsed(),
            cpu: cpu().saturating_sub(self.cpu),
        }
    }
}

/// The value below which `share` of the sorted samples lie.
pub fn percentile(sorted: &[Duration], share: f64) -> Duration {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index within the samples"
    )]
    let index = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(index).copied().unwrap_or_default()
}
