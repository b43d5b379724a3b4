//! What the kernel knows of a process, and what many measurements say together.

use std::time::Duration;

use crate::Result;

/// User and system time of a process so far. The scheduler's own count in nanoseconds, thread by thread: the hundredths in
/// `stat` are sampled, and miss a process that works in short bursts.
pub fn cpu(pid: u32) -> Result<Duration> {
    let mut nanos = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end while it is looked at; what it used is lost to us. See [`sampled_cpu`] for servers whose threads do.
        let Ok(stat) = std::fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        let running = stat.split_whitespace().next().ok_or("an empty schedstat")?;
        nanos += running.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// The same by the sampled count, to a hundredth of a second, with threads that have ended.
pub fn sampled_cpu(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit_once(')').ok_or("no such field")?.1;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks = ticks
        .map(str::parse::<u64>)
        .sum::<std::result::Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

/// Memory that a process holds, in megabytes.
pub fn resident_mb(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1000.0)
}

/// The value that `share` of all are at or below; 0 of none.
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let at_or_below = |n: usize| n as f64 >= values.len() as f64 * share;
    let n = (1..=values.len()).find(|n| at_or_below(*n));
    n.and_then(|n| values.get(n - 1).copied())
        .unwrap_or_default()
}
