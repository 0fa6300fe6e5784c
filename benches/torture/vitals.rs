//! What the system says of a running process (Linux).

use std::time::Duration;

/// How many ticks of `/proc/PID/stat` a second has: Linux says 100 to every program, whatever the kernel counts in.
const TICKS: u64 = 100;

/// How many KiB of memory it has in use.
pub fn memory(process: u32) -> std::io::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().map_err(std::io::Error::other)
}

/// How many descriptors it has open.
pub fn descriptors(process: u32) -> std::io::Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{process}/fd"))?.count())
}

/// How long it has been at work on a processor.
pub fn work(process: u32) -> std::io::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold anything; the two times are the 12th and 13th field after it.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS))
}

/// The processors that this program may use.
pub fn processors() -> std::io::Result<Vec<usize>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    let number = |text: &str| text.trim().parse::<usize>().map_err(std::io::Error::other);
    let mut all = vec![];
    for part in line.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        all.extend(number(first)?..=number(last)?);
    }
    Ok(all)
}

/// Keeps this program, and what it starts from now on, to these processors. Whether that worked: `taskset` may be missing.
pub fn keep_to(processors: &[usize]) -> bool {
    let list: Vec<_> = processors.iter().map(usize::to_string).collect();
    let program = std::process::id().to_string();
    let done = std::process::Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", &list.join(","), &program])
        .output();
    done.is_ok_and(|done| done.status.success())
}

/// How many programs wait for a processor on this machine, over the last minute: figures of a busy machine are not those
/// of a quiet one.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!("machine's load {} on {processors} processors", text.split(' ').next().unwrap_or("unknown"))
}
