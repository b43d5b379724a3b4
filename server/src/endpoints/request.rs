//! A request as the endpoints see it: who asks, with what, and the body that comes with it.

use std::{pin::Pin, time::Duration};

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt, TryStreamExt};
use http::{HeaderMap, Method, StatusCode, header};
use tokio::time::timeout;

use super::state::viewers::Who;
use crate::{
    net::{ConnectionCounts, Reason, Refusal, Visitor},
    rights::ChannelName,
};

/// A request, as far as the endpoints need to know it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    /// The channel that the request is about.
    pub(super) channel: ChannelName,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) visitor: Visitor,
}

impl Request {
    /// The viewer that asks, for the list of viewers.
    pub(super) fn who(&self) -> Who {
        let Visitor { peer, name, .. } = &self.visitor;
        Who::new(peer.to_string(), self.agent(), name.clone())
    }

    /// The client's `User-Agent`, or nothing.
    pub(super) fn agent(&self) -> &str {
        self.header(&header::USER_AGENT)
    }

    /// Whether a page for people is asked for, not JSON.
    pub(super) fn wants_page(&self) -> bool {
        self.header(&header::ACCEPT).contains("text/html") && !self.query.contains("format=json")
    }

    /// The type that the body says it has, in lower case.
    pub(super) fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// A header's text, or nothing.
    pub(super) fn header(&self, name: &header::HeaderName) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

/// The limits of a body.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The largest one, in bytes.
    pub max_bytes: u64,
    /// A body has to come within this.
    pub timeout: Duration,
}

impl BodyLimits {
    /// These limits for a body of `max_bytes` at most.
    pub(super) fn at_most(self, max_bytes: u64) -> Self {
        Self {
            max_bytes: self.max_bytes.min(max_bytes),
            ..self
        }
    }
}

/// A request's body, as it comes.
pub(super) struct Body(Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send>>);

impl Body {
    /// The body whose pieces `pieces` brings.
    pub(super) fn new<B: Buf>(
        pieces: impl Stream<Item = Result<B, warp::Error>> + Send + 'static,
    ) -> Self {
        let whole = |mut piece: B| piece.copy_to_bytes(piece.remaining());
        Self(Box::pin(pieces.map_ok(whole)))
    }

    /// The whole body, unless it is larger than allowed, which it may announce, slower than allowed, or
    /// no JSON by its own word; `example` tells what to send.
    pub(super) async fn json(
        self,
        headers: &HeaderMap,
        limits: BodyLimits,
        counts: &ConnectionCounts,
        example: &str,
    ) -> Result<Vec<u8>, Refusal> {
        let announced = headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|n| n.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|n| n > limits.max_bytes) {
            counts.refuse(Reason::TooLarge);
            return Err(too_large(limits.max_bytes));
        }
        if media_type(headers) != "application/json" {
            return Err(not_json(example));
        }
        self.whole(limits, counts).await
    }

    /// The whole body, unless it is larger or slower than allowed.
    pub(super) async fn whole(
        self,
        limits: BodyLimits,
        counts: &ConnectionCounts,
    ) -> Result<Vec<u8>, Refusal> {
        let BodyLimits {
            max_bytes,
            timeout: span,
        } = limits;
        match timeout(span, self.collect(max_bytes)).await {
            Ok(Ok(Some(bytes))) => Ok(bytes),
            Ok(Ok(None)) => {
                counts.refuse(Reason::TooLarge);
                Err(too_large(max_bytes))
            }
            Ok(Err(_)) => Err(Refusal::bad_request("the body ended early")),
            Err(_) => {
                counts.refuse(Reason::SlowBody);
                Err(slow())
            }
        }
    }

    /// The next piece; `None` at the end.
    pub(super) async fn piece(&mut self) -> Option<Result<Bytes, warp::Error>> {
        self.0.next().await
    }

    /// `None` when it is larger than `limit`.
    async fn collect(mut self, limit: u64) -> Result<Option<Vec<u8>>, warp::Error> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.0.next().await {
            let piece = piece?;
            if bytes.len() as u64 + piece.len() as u64 > limit {
                return Ok(None);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Some(bytes))
    }
}

/// The type that a body says it has, in lower case: a page of another site may send forms and plain text to us; for other
/// types its browser asks first, and is not answered.
fn media_type(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim();
    essence.to_ascii_lowercase()
}

fn not_json(example: &str) -> Refusal {
    Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!("send it as Content-Type: application/json, like {example}"),
    )
}

fn too_large(limit: u64) -> Refusal {
    let sentence = format!("the body is larger than {limit} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, sentence)
}

fn slow() -> Refusal {
    let sentence = "the body did not come in time (--body-timeout)";
    Refusal::new(StatusCode::REQUEST_TIMEOUT, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(Bytes::from_static(piece.as_bytes())))
            .collect();
        Body::new(futures_util::stream::iter(pieces))
    }

    async fn read(body: Body, headers: &[(&'static str, &'static str)]) -> Result<Vec<u8>, u16> {
        let headers = headers.iter().map(|(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, http::HeaderValue::from_static(value))
        });
        let limits = BodyLimits {
            max_bytes: 100,
            // Of those here one alone is not ready at once, and that one never.
            timeout: Duration::from_millis(20),
        };
        let counts = ConnectionCounts::default();
        body.json(&headers.collect(), limits.at_most(4), &counts, "{}")
            .await
            .map_err(|refusal| refusal.status().as_u16())
    }

    #[tokio::test]
    async fn bodies_are_read_within_their_limits() {
        let json = ("content-type", "Application/JSON; charset=utf-8");
        assert_eq!(
            read(body(&["ab", "cd"]), &[json]).await,
            Ok(b"abcd".to_vec())
        );
        assert_eq!(read(body(&["ab", "cde"]), &[json]).await, Err(413));
        let announced = ("content-length", "5");
        assert_eq!(read(body(&["ab"]), &[json, announced]).await, Err(413));
        assert_eq!(read(body(&["ab"]), &[]).await, Err(415));
        let text = ("content-type", "text/plain");
        assert_eq!(read(body(&["ab"]), &[text]).await, Err(415));
        let silent: Body = Body::new(futures_util::stream::pending::<Result<Bytes, _>>());
        assert_eq!(read(silent, &[json]).await, Err(408));
    }
}
