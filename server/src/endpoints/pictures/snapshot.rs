//! `GET /snapshot`: the picture that is on, as one JPEG: at once, or as soon as it is new enough.

use std::{sync::Arc, time::Duration};

use http::{StatusCode, header};
use mantel_shared::UnixMillis;
use tokio::time::timeout;
use warp::reply::Response;

use crate::{
    clock,
    endpoints::{Outputs, Request, open, query, reply, state::viewers::Outlet},
    hub::{Frame, Kind},
    net::Refusal,
    rendition::Rendition,
    source::live::Signal,
    typed,
};

/// How long a first picture may take before the client is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a picture that is young enough may take.
const YOUNG_PATIENCE: Duration = Duration::from_secs(3);
/// How long a client that asks for the picture behind the one that it has is kept waiting: proxies give up after 30 s.
const AFTER_PATIENCE: Duration = Duration::from_secs(20);

/// The picture that a client waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wanted {
    /// How many milliseconds old a live picture may be.
    max_age: Option<u64>,
    /// The number of the picture that the client has.
    after: Option<u64>,
}

impl Wanted {
    /// Reads `max_age=300ms` and `after=N`.
    fn of(text: &str) -> Result<Self, Refusal> {
        let max_age = query::value(text, "max_age").map(|value| {
            typed::millis(&value).map_err(|reason| reply::bad_value("max_age", &value, reason))
        });
        let after = query::value(text, "after").map(|value| {
            let reason = "it has to be the number of a picture, as X-Slide has it";
            let number = value.parse();
            number.map_err(|_| reply::bad_value("after", &value, reason))
        });
        Ok(Self {
            max_age: max_age.transpose()?,
            after: after.transpose()?,
        })
    }

    fn patience(self) -> Duration {
        match self {
            Self { after: Some(_), .. } => AFTER_PATIENCE,
            Self {
                max_age: Some(_), ..
            } => YOUNG_PATIENCE,
            Self { .. } => PATIENCE,
        }
    }

    /// Whether a picture of this number, taken at that moment, is it; `signal` is its source's, where it is live. A slide
    /// is on now, however long it has been.
    fn is(self, no: u64, taken_at: UnixMillis, signal: Option<&Signal>, now: UnixMillis) -> bool {
        let is_new = self.after.is_none_or(|after| no > after);
        let is_young = match (self.max_age, signal) {
            (None, _) | (_, None) => true,
            (Some(max_age), Some(Signal::On | Signal::Stale { .. })) => {
                now.0.saturating_sub(taken_at.0) <= max_age
            }
            // Words stand where the picture was.
            (Some(_), Some(_)) => false,
        };
        is_new && is_young
    }

    /// The answer when nothing that is wanted has come in time.
    fn not_found(self) -> Result<Response, Refusal> {
        let sentence = match self {
            Self { after: Some(_), .. } => {
                let reply = http::Response::builder()
                    .status(StatusCode::NO_CONTENT)
                    .header(header::CACHE_CONTROL, "private, no-cache");
                return Ok(reply::built(reply, ""));
            }
            Self {
                max_age: Some(max_age),
                ..
            } => format!(
                "no picture that is at most {} old has come within {} s",
                typed::span(max_age),
                YOUNG_PATIENCE.as_secs()
            ),
            Self { .. } => "no picture is ready yet; try again in a few seconds".into(),
        };
        Err(Refusal::unavailable(sentence))
    }
}

pub(in crate::endpoints) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
) -> Result<Response, Refusal> {
    let _passage = open::passage(outputs, request)?;
    let wanted = Wanted::of(&request.query)?;
    let wishes = open::wishes(outputs, request, outputs.looks.rendition)?;
    let (show, lease) = open::feed(outputs, request, &wishes).await?;
    let live = outputs.house.channels.live().named(&request.channel);
    let live = live.map(|live| live.source().reader());
    let mut subscription = lease.subscribe(Kind::Stills);
    let found = async {
        loop {
            let frame = subscription.changed().await?.current;
            let signal = live.as_ref().map(|source| source.now().signal);
            if wanted.is(number(&frame), frame.at, signal.as_ref(), clock::now()) {
                return Some(frame);
            }
        }
    };
    let frame = match timeout(wanted.patience(), found).await {
        Ok(Some(frame)) => frame,
        Ok(None) => return Err(Refusal::unavailable("the server is stopping")),
        Err(_) => return wanted.not_found(),
    };
    let tag = etag(&frame, &show.rendition);
    let fresh = reply::is_known(&request.headers, &tag);
    let slide = number(&frame);
    let reply = http::Response::builder()
        .header(header::ETAG, tag)
        // For whoever wants to know whether a command has reached the screen.
        .header("X-Slide", slide)
        .header(header::CACHE_CONTROL, "private, no-cache");
    if fresh {
        return Ok(reply::built(reply.status(StatusCode::NOT_MODIFIED), ""));
    }
    outputs
        .watched
        .viewers
        .answered(Outlet::Snapshot, frame.jpeg().len());
    Ok(reply::built(
        reply.header(header::CONTENT_TYPE, "image/jpeg"),
        frame.jpeg(),
    ))
}

/// The number that a client is told, and may wait behind.
fn number(frame: &Frame) -> u64 {
    frame.meta.slide.map_or(0, |slide| slide.0)
}

/// A tag that is the same for the same picture in the same shape, after a restart too.
fn etag(frame: &Frame, rendition: &Rendition) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    rendition.hash(&mut hasher);
    frame.jpeg().hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_is_wanted_is_told_from_others() {
        let wanted = |text| Wanted::of(text).unwrap();
        let (no, at, now) = (7, UnixMillis(1000), UnixMillis(1300));
        for (text, slide, live) in [
            ("", true, true),
            ("max_age=300ms", true, true),
            ("max_age=299ms", true, false),
            ("after=6", true, true),
            ("after=7", false, false),
            ("after=6&max_age=0", true, false),
        ] {
            assert_eq!(wanted(text).is(no, at, None, now), slide, "{text}");
            let on = Some(&Signal::On);
            assert_eq!(wanted(text).is(no, at, on, now), live, "{text}");
        }
        let silent = Signal::Silent { since: at };
        assert!(!wanted("max_age=1h").is(no, at, Some(&silent), now));
        assert!(wanted("").is(no, at, Some(&silent), now));
        for text in ["max_age=soon", "after=-1", "after="] {
            assert!(Wanted::of(text).is_err(), "{text}");
        }
    }
}
