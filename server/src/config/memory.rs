//! The memory that this process has: the machine's, or less if its container or unit was given
//! less. Pure but for [`of_machine`], which reads the system's files.

#![expect(
    clippy::disallowed_methods,
    reason = "files of /proc and /sys do not wait, and are read before anything is served"
)]

use std::path::{Path, PathBuf};

/// The share of memory for decoding, one in so many: the rest is for frames, viewers and other
/// programs.
const SHARE: u64 = 4;
/// The least for decoding, in MiB: as much as a whole JPEG of 24 megapixels takes, or a phone's
/// HEIC of 12. With less, more photos would be skipped than shown.
const LEAST: u64 = 96;
/// The most for decoding, in MiB: enough for four photos of 24 megapixels of all kinds but the
/// dearest.
const MOST: u64 = 1024;

/// The memory for decoding, in MiB, of `n_bytes` in all; if that is not known, of a large machine.
pub(super) fn for_decoding(n_bytes: Option<u64>) -> usize {
    let mib = n_bytes.map_or(MOST, |n| (n >> 20) / SHARE);
    usize::try_from(mib.clamp(LEAST, MOST)).unwrap_or(usize::MAX)
}

/// The memory that this process has, in bytes: the machine's or its control group's, whichever is
/// smaller.
pub(super) fn of_machine() -> Option<u64> {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    let all = read(Path::new("/proc/meminfo")).and_then(|text| in_meminfo(&text));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    [all, of_groups(&groups, read)].into_iter().flatten().min()
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
fn in_meminfo(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The smallest limit, in bytes, of the control groups that `/proc/self/cgroup` names and of those
/// around them, in both versions of the interface.
fn of_groups(text: &str, read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let mut smallest: Option<u64> = None;
    for line in text.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let places: &[(&str, &str)] = if controllers.is_empty() {
            &[
                ("/sys/fs/cgroup", "memory.max"),
                ("/sys/fs/cgroup/unified", "memory.max"),
            ]
        } else if controllers.split(',').any(|name| name == "memory") {
            &[("/sys/fs/cgroup/memory", "memory.limit_in_bytes")]
        } else {
            continue;
        };
        for &(root, file) in places {
            // A container may see its host's path here; then the root is its own group.
            let inside = Path::new(path.trim_start_matches('/'));
            for group in inside.ancestors().take(64) {
                let at: PathBuf = [Path::new(root), group, Path::new(file)].iter().collect();
                let limit = read(&at).and_then(|text| in_limit(&text));
                smallest = smallest.into_iter().chain(limit).min();
            }
        }
    }
    smallest
}

/// Reads a limit in bytes; `max`, and the number that stands for it in version 1, are none.
fn in_limit(text: &str) -> Option<u64> {
    let n: u64 = text.trim().parse().ok()?;
    (n < 1 << 60).then_some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_quarter_within_reason() {
        for (n_bytes, mib) in [
            (None, 1024),
            (Some(0), 96),
            (Some(200 * MIB), 96),
            (Some(512 * MIB), 128),
            (Some(1024 * MIB), 256),
            (Some(3900 * MIB), 975),
            (Some(64 << 30), 1024),
            (Some(u64::MAX), 1024),
        ] {
            assert_eq!(for_decoding(n_bytes), mib, "{n_bytes:?}");
        }
    }

    #[test]
    fn the_machines_memory_is_read() {
        let text = "MemTotal:        8048956 kB\nMemFree:          191740 kB\n";
        assert_eq!(in_meminfo(text), Some(8_048_956 * 1024));
        for text in ["", "MemTotal: kB", "MemTotal: 12", "MemFree: 12 kB"] {
            assert_eq!(in_meminfo(text), None, "{text}");
        }
        assert_eq!(in_meminfo(&format!("MemTotal: {} kB", u64::MAX)), None);
    }

    #[test]
    fn the_tightest_group_decides() {
        let files = |files: &'static [(&'static str, &'static str)]| {
            move |path: &Path| {
                files
                    .iter()
                    .find(|(name, _)| Path::new(name) == path)
                    .map(|(_, text)| (*text).to_owned())
            }
        };
        for (groups, there, limit) in [
            ("", &[][..], None),
            // systemd, version 2: the unit has no limit, the slice above it has.
            (
                "0::/system.slice/mantel.service\n",
                &[
                    (
                        "/sys/fs/cgroup/system.slice/mantel.service/memory.max",
                        "max\n",
                    ),
                    ("/sys/fs/cgroup/system.slice/memory.max", "536870912\n"),
                ],
                Some(512 * MIB),
            ),
            (
                "0::/a/b\n",
                &[
                    ("/sys/fs/cgroup/a/b/memory.max", "209715200\n"),
                    ("/sys/fs/cgroup/a/memory.max", "536870912\n"),
                ],
                Some(200 * MIB),
            ),
            // A container that sees its own group as the root.
            (
                "0::/\n",
                &[("/sys/fs/cgroup/memory.max", "314572800\n")],
                Some(300 * MIB),
            ),
            // Version 1, in a container that sees its host's path.
            (
                "4:memory:/docker/0123\n1:name=systemd:/docker/0123\n0::/\n",
                &[("/sys/fs/cgroup/memory/memory.limit_in_bytes", "314572800\n")],
                Some(300 * MIB),
            ),
            (
                "4:cpu,memory:/x\n",
                &[
                    (
                        "/sys/fs/cgroup/memory/x/memory.limit_in_bytes",
                        "9223372036854771712\n",
                    ),
                    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "nonsense"),
                ],
                None,
            ),
            ("nonsense\n::\n:::::\n", &[], None),
        ] {
            assert_eq!(of_groups(groups, files(there)), limit, "{groups}");
        }
        // However deep a path is, the search ends.
        let deep = format!("0::{}\n", "/x".repeat(10_000));
        assert_eq!(of_groups(&deep, |_| Some("max".into())), None);
    }
}
