//! `GET /metrics`: what Prometheus reads. Everything is counted where it happens; here it is written down.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use mantel_shared::{Report, Rung};
use prometheus_client::{
    collector::Collector,
    encoding::{
        DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric, NoLabelSet, text,
    },
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};
use warp::reply::Response;

use crate::{
    clock,
    endpoints::{Outputs, reply, state::viewers::Outlet},
    net::Refusal,
    stats::Histogram,
};

/// The content type that OpenMetrics asks for, which Prometheus and its like read.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(in crate::endpoints) fn answer(outputs: &Arc<Outputs>) -> Result<Response, Refusal> {
    let mut registry = Registry::with_prefix("mantel");
    registry.register_collector(Box::new(Scrape(outputs.clone())));
    let mut text = String::new();
    text::encode(&mut text, &registry)
        .map_err(|_| Refusal::unavailable("the metrics could not be written"))?;
    Ok(reply::page(CONTENT_TYPE, text))
}

/// One look at everything.
#[derive(Debug)]
struct Scrape(Arc<Outputs>);

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut page = Page(encoder);
        self.viewers(&mut page)?;
        self.screens(&mut page)?;
        self.work(&mut page)?;
        self.library(&mut page)?;
        self.connections(&mut page)
    }
}

impl Scrape {
    fn viewers(&self, page: &mut Page<'_>) -> fmt::Result {
        let viewers = &self.0.watched.viewers;
        let mut watching = BTreeMap::new();
        for row in viewers.rows() {
            let size = row.key.rendition.size.to_string();
            *watching.entry((row.endpoint, size)).or_insert(0_u64) += 1;
        }
        let watching = watching.iter().map(|((endpoint, size), n)| {
            let labels = [("endpoint", endpoint.name()), ("size", size.as_str())];
            (labels, *n)
        });
        let renditions = self.0.house.feeds.survey().len() as u64;
        page.gauges("viewers", "Viewers by endpoint and size", watching)?;
        page.gauge("renditions", "Renditions that are made", renditions)?;
        page.gauge(
            "producers",
            "Renditions that work is done for at this moment",
            self.0.house.feeds.n_producing() as u64,
        )?;

        let totals = viewers.totals();
        let each = |read: fn(&crate::endpoints::state::viewers::Totals) -> u64| {
            totals
                .iter()
                .map(move |(endpoint, totals)| ([("endpoint", endpoint.name())], read(totals)))
        };
        page.counters(
            "frames_sent",
            "Frames handed to connections",
            each(|sent| sent.n_frames),
        )?;
        page.counters(
            "bytes_sent",
            "Their bytes, heads included",
            each(|sent| sent.n_bytes),
        )?;
        page.counters(
            "frames_skipped",
            "Frames that viewers were too slow for",
            each(|sent| sent.n_skipped)
                .filter(|(labels, _)| labels[0].1 != Outlet::Snapshot.name()),
        )?;
        page.counter(
            "viewers_stepped_down",
            "How often a viewer was given less than it asked for",
            viewers.n_stepped_down(),
        )?;
        page.histogram(
            "frame_age_seconds",
            "How long a frame of /stream had been on when a viewer's socket had taken it",
            viewers.age(),
        )?;
        page.histogram(
            "live_age_seconds",
            "How long ago a live picture was taken, by its sender's stamp, when a viewer's socket had taken it",
            viewers.live_age(),
        )
    }

    /// The figures that screens report; a screen without a name is counted, but has no figures of its own.
    fn screens(&self, page: &mut Page<'_>) -> fmt::Result {
        let screens = self.0.watched.reports.fresh(clock::now());
        let mut rungs = BTreeMap::new();
        for screen in &screens {
            *rungs.entry(rung(screen.report.rung)).or_insert(0_u64) += 1;
        }
        let rungs = rungs.into_iter().map(|(rung, n)| ([("rung", rung)], n));
        page.gauges(
            "screens",
            "Screens that run the page, by how they show it",
            rungs,
        )?;
        // Two screens of one name are one to whoever named them.
        let named: BTreeMap<&str, &Report> = screens
            .iter()
            .map(|screen| (screen.report.name.as_str(), &screen.report))
            .filter(|(name, _)| !name.is_empty())
            .collect();
        type Read = fn(&Report) -> f64;
        let figures: [(&str, &str, Read); 4] = [
            (
                "screen_fps",
                "Frames a second in a screen's last transition",
                |report| report.fps.unwrap_or(0.0),
            ),
            (
                "screen_late_frames",
                "Frames that came late, since the page was loaded",
                |report| report.late_frames as f64,
            ),
            (
                "screen_reconnects",
                "Connections opened again, since the page was loaded",
                |report| report.reconnects as f64,
            ),
            (
                "screen_memory_bytes",
                "The page's memory, where it is known",
                |report| report.memory_bytes.unwrap_or(0.0),
            ),
        ];
        for (name, help, read) in figures {
            let each = named
                .iter()
                .map(|(name, report)| ([("screen", label(name))], read(report)));
            page.gauges(name, help, each)?;
        }
        Ok(())
    }

    fn work(&self, page: &mut Page<'_>) -> fmt::Result {
        let work = &self.0.watched.work;
        page.histogram(
            "render_seconds",
            "Slides made, from file to JPEG",
            &work.render,
        )?;
        page.histogram("encode_seconds", "Their encoding alone", &work.encode)?;
        page.histogram(
            "blend_seconds",
            "Frames of transitions, blended and encoded",
            &work.blend,
        )?;
        let counters = [
            (
                "cache_hits",
                "Finished slides that were there",
                &work.cache_hits,
            ),
            (
                "cache_misses",
                "Slides that had to be made",
                &work.cache_misses,
            ),
        ];
        for (name, help, value) in counters {
            page.counter(name, help, value.load(Relaxed))?;
        }
        let held = work.cache_bytes.load(Relaxed);
        page.gauge(
            "cache_bytes",
            "Bytes of finished slides that are kept",
            held,
        )?;
        let lent = work.decode_bytes.load(Relaxed);
        page.gauge(
            "decode_memory_bytes",
            "What decoders may be using, by estimate",
            lent,
        )?;
        let waits = work.decode_waits.load(Relaxed);
        page.counter("decode_waits", "How often a photo waited for memory", waits)?;
        let hanging = work.n_hanging.load(Relaxed);
        page.gauge(
            "decoders_hanging",
            "Threads left alone in a decoder",
            hanging,
        )
    }

    fn library(&self, page: &mut Page<'_>) -> fmt::Result {
        let counts = self.0.house.library.counts();
        let scanning = u64::from(counts.scanning);
        let away = counts.folders_away as u64;
        page.gauge("library_photos", "Photos that take turns", counts.photos)?;
        page.gauge(
            "library_skipped",
            "Picture files that can't be shown",
            counts.skipped,
        )?;
        page.gauge(
            "library_other_files",
            "Files that are no pictures",
            counts.other_files,
        )?;
        page.gauge(
            "library_scanned",
            "Files looked at by the last scan",
            counts.scanned,
        )?;
        page.gauge(
            "library_scanning",
            "1 while folders are looked through",
            scanning,
        )?;
        page.gauge(
            "library_folders_away",
            "Folders that can't be reached",
            away,
        )
    }

    fn connections(&self, page: &mut Page<'_>) -> fmt::Result {
        let connections = &self.0.watched.connections;
        page.gauge(
            "connections",
            "Connections that are open",
            connections.open(),
        )?;
        let refusals = connections.refusals();
        let refusals = refusals.map(|(reason, n)| ([("reason", reason)], n));
        page.counters("refusals", "Requests and connections turned away", refusals)?;
        let started = self.0.run.started_millis as f64 / 1000.0;
        page.gauge(
            "start_time_seconds",
            "When this run began, in Unix seconds",
            started,
        )?;
        page.counter(
            "panics",
            "Faults of this program that ended a task; please report them",
            crate::stats::n_panics(),
        )?;
        let version = [([("version", env!("CARGO_PKG_VERSION"))], 1_u64)];
        page.gauges("build_info", "The version that runs", version.into_iter())
    }
}

/// A text as the value of a label (OpenMetrics 1.0, "escaped-string"): the encoder writes it as it is.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn rung(rung: Rung) -> &'static str {
    match rung {
        Rung::Wasm => "wasm",
        Rung::Img => "img",
        Rung::Snapshot => "snapshot",
        Rung::Other => "other",
    }
}

/// Writes one metric after the other.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge<V>(&mut self, name: &str, help: &str, value: V) -> fmt::Result
    where
        V: EncodeGaugeValue + Copy + fmt::Debug,
        ConstGauge<V>: EncodeMetric,
    {
        let encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(encoder)
    }

    fn gauges<L, V>(
        &mut self,
        name: &str,
        help: &str,
        values: impl Iterator<Item = (L, V)>,
    ) -> fmt::Result
    where
        L: EncodeLabelSet,
        V: EncodeGaugeValue + Copy + fmt::Debug,
        ConstGauge<V>: EncodeMetric,
    {
        let mut encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            ConstGauge::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn counters<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl Iterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            ConstCounter::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) -> fmt::Result {
        let (classes, sum) = histogram.read();
        let count = classes.iter().map(|(_, n)| n).sum();
        let mut encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Histogram)?;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &classes, None)
    }
}
