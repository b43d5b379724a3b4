//! How much memory there is: the machine's, or less where a container or a unit was given less. What the files say is
//! judged by pure functions; reading them is the last lines' matter.

use std::path::{Path, PathBuf};

/// Decoding takes a quarter of what there is: the rest is for frames, viewers and what others run beside.
const SHARE: u64 = 4;
/// MiB. What a 24-megapixel JPEG takes in full, or a phone's HEIC of 12; below it more is skipped than shown.
const LEAST: u64 = 96;
/// MiB. More helps nobody: it lasts for four photos of 24 megapixels of the dearest kind but one.
const MOST: u64 = 1024;

/// MiB for decoding, of so many bytes in all; where they are not known it is a large machine.
pub(super) fn for_decoding(n_bytes: Option<u64>) -> usize {
    let mib = n_bytes.map_or(MOST, |n| (n >> 20) / SHARE);
    usize::try_from(mib.clamp(LEAST, MOST)).unwrap_or(usize::MAX)
}

/// Bytes of memory that this process may count on, the smaller of the machine's and the control group's.
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

/// The smallest limit of the control groups that `/proc/self/cgroup` names and of those around them; both versions.
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
            // A container may be shown a path that is its host's: the root is its own then.
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

/// Bytes; `max`, and the number that stands for it in version 1, are none.
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
            // systemd, version 2: the unit has none, the slice above it has.
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
            // A container with a view of its own.
            (
                "0::/\n",
                &[("/sys/fs/cgroup/memory.max", "314572800\n")],
                Some(300 * MIB),
            ),
            // Version 1, the path is the host's.
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
        // No number of folders takes for ever.
        let deep = format!("0::{}\n", "/x".repeat(10_000));
        assert_eq!(of_groups(&deep, |_| Some("max".into())), None);
    }
}
