//! How many turns this process can hold at once.
//!
//! What is beyond is refused before any of its work is begun: a turn that was understood, searched and paid must not fail for
//! want of a file or of memory.

use runtime::config;

/// The files of a waiting turn: the connection of its client, and one to a provider.
const FILES_OF_A_TURN: u64 = 2;
/// The files of everything else: tables, queues, the connections to the steps.
const OTHER_FILES: u64 = 512;
/// The connections beside those of turns: of those who are refused, or read something.
const OTHER_CONNECTIONS: u64 = 256;
/// The memory that a turn may take, in bytes.
const MEMORY_OF_A_TURN: u64 = 128 * 1024;
/// How many are answered at once; the others wait. Enough to keep the processors busy while providers take seconds, and so few
/// that each is done soon after it began.
pub(crate) const AT_ONCE: usize = 1_024;
/// What any machine holds.
const LEAST: u64 = 32;

/// How many turns and connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    turns: usize,
    pub(crate) connections: usize,
}

impl Capacity {
    /// `MAX_TURNS`, else what `files`, the limit of open files, and half of the memory that is free suffice for.
    ///
    /// # Errors
    /// The variable is not a whole number.
    pub fn from_env(files: u64) -> anyhow::Result<Self> {
        let held = held(files, free_memory());
        Ok(Self::for_turns(config::parsed("MAX_TURNS", held)?))
    }

    /// How many turns there may be; each calls one provider or model at a time, mostly.
    pub fn turns(self) -> usize {
        self.turns
    }

    /// As many turns at once as given.
    pub fn for_turns(turns: u64) -> Self {
        let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX >> 4).min(usize::MAX >> 4);
        Self { turns: whole(turns), connections: whole(turns.saturating_add(OTHER_CONNECTIONS)) }
    }
}

/// How many turns so many files, and half of so many bytes, suffice for.
fn held(files: u64, memory: Option<u64>) -> u64 {
    let by_files = files.saturating_sub(OTHER_FILES + OTHER_CONNECTIONS) / FILES_OF_A_TURN;
    let by_memory = memory.map_or(u64::MAX, |bytes| bytes / 2 / MEMORY_OF_A_TURN);
    by_files.min(by_memory).max(LEAST)
}

/// The bytes that this process may still take: those of its container where that has a limit, else of the machine. `None`
/// where nobody says so (it is read from Linux alone).
fn free_memory() -> Option<u64> {
    let number = |file: &str| std::fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let limit = number("/sys/fs/cgroup/memory.max");
    let container =
        limit.map(|limit| limit.saturating_sub(number("/sys/fs/cgroup/memory.current").unwrap_or_default()));
    machine.into_iter().chain(container).min()
}

/// The line of `/proc/meminfo` that says what is available, in bytes.
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_turns_are_held_as_files_and_memory_suffice_for() {
        const GIB: u64 = 1 << 30;
        for (files, memory, turns) in [
            (20_000, Some(16 * GIB), 9_616),
            (20_000, None, 9_616),
            (20_000, Some(GIB), 4_096),
            (1_024, Some(16 * GIB), 128),
            (256, None, 32),
            (65_536, Some(0), 32),
        ] {
            assert_eq!(held(files, memory), turns, "{files} {memory:?}");
        }
    }

    #[test]
    fn who_is_refused_has_a_connection_to_be_told_on() {
        assert_eq!(Capacity::for_turns(100), Capacity { turns: 100, connections: 356 });
        assert!(Capacity::for_turns(u64::MAX).connections <= tokio::sync::Semaphore::MAX_PERMITS);
    }

    #[test]
    fn what_is_available_is_read_in_bytes() {
        let text = "MemTotal:       24607644 kB\nMemFree:          203344 kB\nMemAvailable:   18432000 kB\n";
        assert_eq!((available(text), available("")), (Some(18_432_000 * 1024), None));
    }
}
