//! A refusal, as it is said to those who are turned away: a status and one sentence.

use std::time::Duration;

use http::{HeaderValue, StatusCode, header};
use warp::reply::Response;

/// Why a request is not answered as asked, in words for whoever asked.
#[derive(Clone, Debug)]
pub struct Refusal {
    status: StatusCode,
    sentence: String,
    /// When it may be worth trying again.
    after: Option<Duration>,
    /// The methods that would have been answered.
    allowed: Option<&'static str>,
}

impl Refusal {
    /// A refusal with this status and sentence.
    pub fn new(status: StatusCode, sentence: impl Into<String>) -> Self {
        Self {
            status,
            // One line, whatever a library's error had to say.
            sentence: sentence.into().replace(['\r', '\n'], " "),
            after: None,
            allowed: None,
        }
    }

    /// The request itself is wrong.
    pub fn bad_request(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, sentence)
    }

    /// A refusal for now; in a few seconds it may be otherwise.
    pub fn unavailable(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, sentence).after(Duration::from_secs(5))
    }

    /// This refusal with the methods that would be answered.
    pub fn allowing(mut self, methods: &'static str) -> Self {
        self.allowed = Some(methods);
        self
    }

    /// This refusal with the time after which to try again.
    pub fn after(mut self, span: Duration) -> Self {
        self.after = Some(span);
        self
    }

    /// The status that the client is told.
    #[cfg(test)]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence that the client is told.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    pub(super) fn stranger() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "these pictures are shown in their own house only; --public answers other networks as well",
        )
    }

    pub(super) fn full() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "as many connections are open as this server allows (--max-connections); try again later",
        )
        .after(Duration::from_secs(10))
    }

    pub(super) fn per_address() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "this address has as many connections as one may have (--max-connections-per-address)",
        )
        .after(Duration::from_secs(10))
    }

    pub(super) fn slow_head() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "the request did not come in time (--head-timeout)",
        )
    }

    /// The refusal of what hyper found wrong before there was a request.
    pub(super) fn unreadable(code: u16, max_head: usize) -> Self {
        match code {
            431 => Self::new(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                format!(
                    "the request's head is longer than {max_head} bytes (--max-head), or has more than 100 lines"
                ),
            ),
            414 => Self::new(
                StatusCode::URI_TOO_LONG,
                format!("the address is longer than {max_head} bytes (--max-head)"),
            ),
            _ => Self::new(
                StatusCode::BAD_REQUEST,
                "this is no HTTP/1 request; to speak TLS here, start the server with --tls",
            ),
        }
    }

    fn retry_after(&self) -> Option<u64> {
        let span = self.after?;
        Some(span.as_secs() + u64::from(span.subsec_nanos() > 0))
    }

    /// The refusal as the last thing that a connection says.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        let Self {
            status, sentence, ..
        } = &self;
        let retry = self
            .retry_after()
            .map_or_else(String::new, |seconds| format!("Retry-After: {seconds}\r\n"));
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             X-Content-Type-Options: nosniff\r\n{retry}Connection: close\r\n\
             Content-Length: {}\r\n\r\n{sentence}\n",
            sentence.len() + 1
        )
        .into_bytes()
    }

    /// The refusal as the answer to a request.
    pub fn into_response(self) -> Response {
        let (retry, allowed) = (self.retry_after(), self.allowed);
        let mut response: Response =
            http::Response::new(bytes::Bytes::from(format!("{}\n", self.sentence))).map(Into::into);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(methods) = allowed {
            headers.insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        if let Some(seconds) = retry {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_well_formed() {
        for answer in [
            Refusal::full(),
            Refusal::stranger(),
            Refusal::per_address(),
            Refusal::slow_head(),
            Refusal::unreadable(431, 8192),
            Refusal::unreadable(400, 8192),
        ] {
            let is_busy = matches!(answer.status.as_u16(), 429 | 503);
            let text = String::from_utf8(answer.into_bytes()).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let of = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
            let length = of("Content-Length: ").unwrap();
            assert_eq!(length.parse::<usize>().unwrap(), body.len());
            assert_eq!(of("Retry-After: ").is_some(), is_busy, "{head}");
            assert!(
                body.ends_with('\n') && !body.trim_end().ends_with('.'),
                "{body}"
            );
        }
    }

    #[test]
    fn half_a_second_is_a_second() {
        let answer = Refusal::full()
            .after(Duration::from_millis(5100))
            .into_response();
        assert_eq!(answer.headers()[header::RETRY_AFTER], "6");
    }
}
