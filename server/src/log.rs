//! The log in lines for people: time, message, and the event's other fields. Programs get JSON.
//!
//! Form alone: which events are logged is decided where they happen.

use std::fmt::{self, Write};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// The format of a line: `2026-11-26 11:03:09 can't lock the data directory (error: …)`.
#[derive(Clone, Copy, Debug)]
pub struct HumanFormat;

impl<S, N> FormatEvent<S, N> for HumanFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = *event.metadata().level();
        let mut parts = Parts {
            // A message of this level is a whole sentence that has its numbers in it.
            sentence_alone: level == Level::INFO,
            ..Parts::default()
        };
        event.record(&mut parts);
        let now = crate::clock::local().format("%Y-%m-%d %H:%M:%S");
        let what = match level {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            Level::INFO => "",
            Level::DEBUG => "debug: ",
            Level::TRACE => "trace: ",
        };
        writeln!(writer, "{now} {what}{}", parts.line())
    }
}

#[derive(Default)]
struct Parts {
    sentence_alone: bool,
    message: String,
    more: String,
}

impl Parts {
    fn line(&self) -> String {
        match (self.message.is_empty(), self.more.is_empty()) {
            (_, true) => self.message.clone(),
            (true, false) => self.more.clone(),
            (false, false) => format!("{} ({})", self.message, self.more),
        }
    }

    fn add(&mut self, field: &Field, value: &dyn fmt::Display) {
        let comma = if self.more.is_empty() { "" } else { ", " };
        // Writing to a String can't fail.
        let _ = write!(self.more, "{comma}{}: {value}", field.name());
    }
}

impl Visit for Parts {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.add(field, &text);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, &value.escape_debug());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if !self.sentence_alone {
            self.add(field, &value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_are_sentences() {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = tracing_subscriber::fmt()
            .event_format(HumanFormat)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(log, || {
            tracing::info!(photos = 3_u64, "3 photos ready in 2 s");
            tracing::warn!(photo = "a\nb.jpg", skipped = 2_u64, "skipped a photo");
        });
        let bytes = kept.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .map(|line| &line["2026-11-26 11:03:09 ".len()..])
            .collect();
        assert_eq!(
            lines,
            [
                "3 photos ready in 2 s",
                "warning: skipped a photo (photo: a\\nb.jpg, skipped: 2)"
            ]
        );
    }
}
