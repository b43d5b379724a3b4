//! How answers are built: one place for headers, one for errors.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use futures_util::stream;
use http::{StatusCode, header, response::Builder};
use warp::{Reply, reply::Response};

use super::{Outputs, query::Wishes};
use crate::{
    channel::Channel,
    channels::{ChannelNo, FeedKey},
    clock,
    hub::Lease,
    library::Filter,
    net::Refusal,
};

/// Why a request is not answered as asked: a status and one sentence for whoever asked.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    sentence: String,
    extra: Option<(header::HeaderName, String)>,
}

impl Problem {
    fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        // One line, whatever a library's error had to say.
        let sentence: String = sentence.into().replace(['\r', '\n'], " ");
        Self {
            status,
            sentence,
            extra: None,
        }
    }

    pub(super) fn bad_request(sentence: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    pub(super) fn bad_value(key: &str, value: &str, expected: &str) -> Self {
        Self::bad_request(format!("{key}={value} can't be: it has to be {expected}"))
    }

    pub(super) fn not_found(path: &str) -> Self {
        let sentence =
            format!("there is nothing at {path}; the page is at /, the stream at /stream");
        Self::new(StatusCode::NOT_FOUND, sentence)
    }

    pub(super) fn method(allowed: &str) -> Self {
        let mut problem = Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("this address takes {allowed}"),
        );
        problem.extra = Some((header::ALLOW, allowed.into()));
        problem
    }

    pub(super) fn too_large(limit: u64) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {limit} bytes"),
        )
    }

    pub(super) fn not_json(example: &str) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("send it as Content-Type: application/json, like {example}"),
        )
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.status == StatusCode::PAYLOAD_TOO_LARGE
    }

    pub(super) fn slow_body() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "the body did not come in time (--body-timeout)",
        )
    }

    pub(super) fn unavailable(sentence: &str) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, sentence);
        problem.extra = Some((header::RETRY_AFTER, "5".into()));
        problem
    }

    pub(super) fn sentence(&self) -> &str {
        &self.sentence
    }

    pub(super) fn into_response(self) -> Response {
        let mut builder = http::Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-store");
        if let Some((name, value)) = self.extra {
            builder = builder.header(name, value);
        }
        finished(builder, format!("{}\n", self.sentence))
    }
}

/// A whole answer from `builder`.
pub(super) fn built(builder: Builder, body: impl Into<Bytes>) -> Result<Response, Problem> {
    Ok(finished(builder, body))
}

fn finished(builder: Builder, body: impl Into<Bytes>) -> Response {
    match builder
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(body.into())
    {
        Ok(response) => response.map(Into::into),
        // Only a header that can't be one ends here, and those are our own.
        Err(error) => {
            tracing::error!(%error, "an answer could not be built");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

pub(super) fn json(value: &impl serde::Serialize) -> Response {
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CACHE_CONTROL, "no-store");
    match serde_json::to_vec(value) {
        Ok(body) => finished(builder, body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `ok`, and which run of the server says so: a page whose stream ended without a word finds out.
pub(super) fn health(started_millis: u64) -> Response {
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .header("x-started-at", started_millis);
    finished(builder, "ok\n")
}

/// Something that must be asked for anew each time.
pub(super) fn page(content_type: &str, body: impl Into<Bytes>) -> Response {
    let builder = http::Response::builder()
        .header(header::CONTENT_TYPE, content_type)
        .header(header::CACHE_CONTROL, "no-store");
    finished(builder, body)
}

/// Text that can stand in a page.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            // By them `gpj.exe` reads `exe.jpg`.
            c if mantel_shared::is_deceptive(c) => {}
            c => html.push(c),
        }
    }
    html
}

pub(super) fn options(path: &str) -> Response {
    let allowed = match path {
        "/control" | "/report" => "POST, OPTIONS",
        "/profiles" => "GET, HEAD, POST, OPTIONS",
        _ => "GET, HEAD, OPTIONS",
    };
    let builder = http::Response::builder()
        .status(StatusCode::NO_CONTENT)
        .header(header::ALLOW, allowed);
    finished(builder, "")
}

/// A body that goes on: `next` is asked for more whenever the connection has room.
pub(super) fn stream<S, F, Fut>(content_type: &str, state: S, next: F) -> Response
where
    S: Send + 'static,
    F: FnMut(S) -> Fut + Send + 'static,
    Fut: Future<Output = Option<(Bytes, S)>> + Send + 'static,
{
    use futures_util::StreamExt;
    let bytes = stream::unfold(state, next).map(Ok::<_, Infallible>);
    // warp wants Sync of a stream, which one that is only ever polled need not be.
    let mut response = warp::reply::stream(sync_wrapper::SyncStream::new(bytes)).into_response();
    let headers = response.headers_mut();
    if let Ok(value) = content_type.parse() {
        headers.insert(header::CONTENT_TYPE, value);
    }
    let fixed = [
        (header::CACHE_CONTROL, "no-store, no-transform"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // nginx and its like would hold frames back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    for (name, value) in fixed {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}

/// The channel that shows the photos asked for, of which there is at least one.
pub(super) async fn choose(
    outputs: &Arc<Outputs>,
    wish: &Filter,
) -> Result<(ChannelNo, Channel), Problem> {
    let chosen = outputs.channels.choose(wish).await;
    let (no, channel) = chosen.map_err(|error| Problem::unavailable(&error.to_string()))?;
    if !wish.is_all() && channel.programme().is_empty() {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            format!("there is no photo to show for this choice: {wish}"),
        ));
    }
    Ok((no, channel))
}

/// Takes hold of the feed that shows what is wished for.
/// Beyond the limit of renditions that is the nearest one in use.
pub(super) async fn open(
    outputs: &Arc<Outputs>,
    wishes: &Wishes,
) -> Result<(FeedKey, Lease), Problem> {
    let (channel, held) = choose(outputs, &wishes.filter).await?;
    let mut rendition = wishes.rendition;
    // Over photos nothing is explained: whoever asks for it and whoever doesn't share what is made. As long as
    // nothing is on, what comes may be the drawn pictures.
    let showing = held
        .programme()
        .timeline(rendition.size, rendition.pair)
        .at(clock::now());
    rendition.note &=
        showing.is_none_or(|showing| outputs.catalogue.is_demo(showing.current.photo));
    let key = FeedKey { channel, rendition };
    let distance = |other: &FeedKey| {
        let same_photos = other.channel == channel;
        same_photos.then(|| rendition.distance(&other.rendition))?
    };
    match outputs.feeds.open_nearest(&key, &held, distance) {
        Ok(Some(opened)) => {
            if opened.0 != key {
                outputs.connections.refuse(Refusal::Renditions);
            }
            Ok(opened)
        }
        Ok(None) => Err(Problem::unavailable("the server is stopping")),
        Err(full) => {
            outputs.connections.refuse(Refusal::Renditions);
            Err(Problem::unavailable(&full.to_string()))
        }
    }
}
