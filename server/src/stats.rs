//! Counters that many tasks add to at once: no locks, no allocation, nothing but addition.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds of the classes, in microseconds: from a cached slide to one that takes half a minute. What takes longer
/// is in the last class, which has none.
const BOUNDS_MICROS: [u64; 14] = [
    1_000, 2_500, 5_000, 10_000, 20_000, 40_000, 75_000, 150_000, 300_000, 750_000, 2_000_000,
    5_000_000, 15_000_000, 30_000_000,
];

/// How long something took, in classes.
#[derive(Debug, Default)]
pub struct Histogram {
    classes: [AtomicU64; BOUNDS_MICROS.len() + 1],
    sum_micros: AtomicU64,
}

impl Histogram {
    /// Counts one that took `time`.
    pub fn record(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let class = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        if let Some(class) = self.classes.get(class) {
            class.fetch_add(1, Relaxed);
        }
        self.sum_micros.fetch_add(micros, Relaxed);
    }

    /// Upper bound of each class in seconds (the last has [`f64::MAX`]) and how many are in it, and the sum of all in
    /// seconds.
    pub fn read(&self) -> (Vec<(f64, u64)>, f64) {
        let bounds = BOUNDS_MICROS.into_iter().map(seconds);
        let counts = self.classes.iter().map(|class| class.load(Relaxed));
        let classes = bounds.chain([f64::MAX]).zip(counts).collect();
        (classes, seconds(self.sum_micros.load(Relaxed)))
    }
}

/// What rendering does, counted by the studio.
#[derive(Debug, Default)]
pub struct WorkStats {
    /// A slide: load, decode, fit, encode.
    pub render: Histogram,
    /// Its encoding alone.
    pub encode: Histogram,
    /// One frame of a transition: blend and encode.
    pub blend: Histogram,
    /// Finished slides that were asked for and there.
    pub cache_hits: AtomicU64,
    /// Those that had to be rendered.
    pub cache_misses: AtomicU64,
    /// Bytes of finished slides that are kept.
    pub cache_bytes: AtomicU64,
    /// Bytes that decoders may be using now, by estimate.
    pub decode_bytes: AtomicU64,
    /// How often a photo had to wait because the rest of that memory was too little for it.
    pub decode_waits: AtomicU64,
    /// Threads that hang in a decoder.
    pub n_hanging: AtomicU64,
}

/// Panics of this program, in whichever thread; those of decoders are fenced and don't count.
static N_PANICS: AtomicU64 = AtomicU64::new(0);

/// How often something panicked since the start.
pub fn n_panics() -> u64 {
    N_PANICS.load(Relaxed)
}

/// From now on a panic is counted, and is one line in the log: what a client can bring about again and
/// again must not fill a disk.
pub fn count_panics() {
    std::panic::set_hook(Box::new(|info| {
        N_PANICS.fetch_add(1, Relaxed);
        let payload = info.payload();
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let at = info.location().map(ToString::to_string).unwrap_or_default();
        // By hand: a panic in here would end the program at once, and the log may be what panicked.
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
