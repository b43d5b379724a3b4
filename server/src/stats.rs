//! Counters that many tasks add to at once, without locks or allocation.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds of the classes, in microseconds: from a cached slide to one that takes half a
/// minute. Longer times are in the last class, which has no bound.
const BOUNDS_MICROS: [u64; 14] = [
    1_000, 2_500, 5_000, 10_000, 20_000, 40_000, 75_000, 150_000, 300_000, 750_000, 2_000_000,
    5_000_000, 15_000_000, 30_000_000,
];

/// A histogram of how long something took.
#[derive(Debug, Default)]
pub struct Histogram {
    classes: [AtomicU64; BOUNDS_MICROS.len() + 1],
    sum_micros: AtomicU64,
}

impl Histogram {
    /// Counts an event that took `time`.
    pub fn record(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let class = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        if let Some(class) = self.classes.get(class) {
            class.fetch_add(1, Relaxed);
        }
        self.sum_micros.fetch_add(micros, Relaxed);
    }

    /// The upper bound of each class in seconds (the last has [`f64::MAX`]) and how many are in
    /// it, and the sum of all in seconds.
    pub fn read(&self) -> (Vec<(f64, u64)>, f64) {
        let bounds = BOUNDS_MICROS.into_iter().map(seconds);
        let counts = self.classes.iter().map(|class| class.load(Relaxed));
        let classes = bounds.chain([f64::MAX]).zip(counts).collect();
        (classes, seconds(self.sum_micros.load(Relaxed)))
    }
}

/// Counts of the work of rendering, kept by the studio.
#[derive(Debug, Default)]
pub struct WorkStats {
    /// The times of whole slides: load, decode, fit, encode.
    pub render: Histogram,
    /// The times of encoding slides, which `render` includes.
    pub encode: Histogram,
    /// The times of single frames of transitions: blend and encode.
    pub blend: Histogram,
    /// Slides that were asked for and found finished in the cache.
    pub cache_hits: AtomicU64,
    /// Slides that were asked for and had to be rendered.
    pub cache_misses: AtomicU64,
    /// Bytes of finished slides in the cache.
    pub cache_bytes: AtomicU64,
    /// Bytes that decoders may be using now, by estimate.
    pub decode_bytes: AtomicU64,
    /// How often a photo had to wait because the decoders' memory had too little room left for it.
    pub decode_waits: AtomicU64,
    /// Threads that hang in a decoder.
    pub n_hanging: AtomicU64,
}

/// Panics of this program in any thread; those of decoders are caught by a fence and don't count.
static N_PANICS: AtomicU64 = AtomicU64::new(0);

/// The number of panics since the start.
pub fn n_panics() -> u64 {
    N_PANICS.load(Relaxed)
}

/// Has every panic from now on counted and written as one line to standard error: a panic that a
/// client can cause again and again must not fill a disk.
pub fn count_panics() {
    std::panic::set_hook(Box::new(|info| {
        N_PANICS.fetch_add(1, Relaxed);
        let payload = info.payload();
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let at = info.location().map(ToString::to_string).unwrap_or_default();
        // Written without the log, which may be what panicked: a panic in here ends the program.
        let text = text.unwrap_or("a panic");
        let line = format!("mantel: a fault of this program, please report it: {text} ({at})\n");
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    }));
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_the_class_whose_bound_it_does_not_pass() {
        let histogram = Histogram::default();
        for micros in [0, 1_000, 1_001, 40_000, 40_001, 3_600_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let (classes, sum) = histogram.read();
        let count = |bound: f64| {
            let class = classes.iter().find(|(upper, _)| *upper == bound);
            class.unwrap().1
        };
        assert_eq!([count(0.001), count(0.0025)], [2, 1]);
        assert_eq!([count(0.04), count(0.075)], [1, 1]);
        assert_eq!(count(f64::MAX), 1);
        assert_eq!(classes.iter().map(|(_, n)| n).sum::<u64>(), 6);
        assert!((sum - 3_600.082_002).abs() < 1e-6, "{sum}");
    }
}
