//! A process whose time and memory are its own: this binary again, in another role. Read from `/proc`, so Linux alone.

use std::io::BufRead;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// This binary in another role; killed when dropped.
pub struct Process {
    child: Child,
    /// What it said first: where it is.
    pub url: String,
}

impl Process {
    /// Starts it and waits for its first line.
    pub fn start(arguments: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?).args(arguments).stdout(Stdio::piped()).spawn()?;
        let mut url = String::new();
        if let Some(output) = child.stdout.take() {
            std::io::BufReader::new(output).read_line(&mut url)?;
        }
        Ok(Self { child, url: url.trim().to_owned() })
    }

    /// What it holds in memory now, in KiB.
    pub fn memory(&self) -> anyhow::Result<u64> {
        self.status_kib("VmRSS")
    }

    /// What it held before and at most, for people.
    pub fn memory_since(&self, before: u64) -> anyhow::Result<String> {
        let most = self.status_kib("VmHWM")? as f64 / 1024.0;
        Ok(format!("memory {:.0} MiB before, {most:.0} MiB at most", before as f64 / 1024.0))
    }

    /// A line of `/proc/PID/status`, in KiB.
    fn status_kib(&self, name: &str) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        Ok(line.split_whitespace().nth(1).unwrap_or_default().parse()?)
    }

    /// The CPU time used so far: fields 14 and 15 of `/proc/PID/stat`, in clock ticks of 10 ms.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 10))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A duration in milliseconds.
pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// How long all took together, and each: the middle, and what one of a hundred exceeds.
pub fn spread(wall: Duration, mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: f64| milliseconds(times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1]);
    format!("wall {:.2} s, p50 {:.0} ms, p99 {:.0} ms", wall.as_secs_f64(), at(0.5), at(0.99))
}
