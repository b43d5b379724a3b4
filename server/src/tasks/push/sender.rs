//! Sending pictures, each by a request, with patience for a server that is away.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use mantel_media::inlet::Sample;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{
    PushError,
    slot::{Picture, Slot},
    told::Told,
};
use crate::{
    config::PushTask,
    fetch::{Client, Connection, FetchError, Target},
};

/// How long an answer may take: a picture of the largest size over a slow network, that waits for a viewer.
const ANSWER_TIME: Duration = Duration::from_secs(120);
/// How long the rest of an answer may take, and how long it may be.
const REST_TIME: Duration = Duration::from_secs(10);
const MAX_ANSWER: usize = 64 * 1024;
/// A server that is away is tried again after so long, and after twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(5);
/// How often it is told how it goes.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// A sender of pictures.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    client: Client,
    target: Target,
    connection: Option<Connection>,
    told: &'a mut Told,
}

/// The server's answer to a picture.
#[derive(Debug, Deserialize)]
struct Taken {
    dropped: u64,
    too_fast: u64,
    viewers: u64,
}

/// Why a picture was not taken.
enum Trouble {
    /// It is worth another try.
    Passing(String),
    /// The picture is one that the server doesn't take.
    Picture(String),
    /// No picture will be taken.
    Final(PushError),
}

impl<'a> Sender<'a> {
    pub(super) fn new(task: &PushTask, told: &'a mut Told) -> Self {
        let query = if task.waits { "when-full=wait" } else { "" };
        Self {
            client: Client::new(task.trust, ANSWER_TIME),
            target: task.to.below(&format!("push/{}", task.name), query),
            connection: None,
            told,
        }
    }

    /// Sends what comes by `slot`, until no more does.
    pub(super) async fn run(&mut self, slot: &Slot) -> Result<(), PushError> {
        let mut tick = interval(TELL_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let picture = tokio::select! {
                picture = slot.next() => picture,
                _ = tick.tick() => {
                    self.told.tell();
                    continue;
                }
            };
            let Some(Picture { name, sample }) = picture else {
                return Ok(());
            };
            let name = name.as_deref();
            match sample {
                Ok(sample) => self.deliver(name, &sample, slot).await?,
                Err(why) => self.told.bad(name, &why),
            }
            self.told.dropped(slot.n_dropped());
            self.told.tell();
        }
    }

    /// Sends one picture, as often as it takes, or until there is a newer one to send in its place.
    async fn deliver(
        &mut self,
        name: Option<&str>,
        sample: &Sample,
        slot: &Slot,
    ) -> Result<(), PushError> {
        let (body, headers) = (Bytes::from(sample.bytes.clone()), headers(sample));
        let mut pause = FIRST_PAUSE;
        loop {
            match self.send(&body, &headers).await {
                Ok(taken) => {
                    self.told.sent(body.len(), taken.viewers);
                    self.told.unseen(taken.dropped + taken.too_fast);
                    return Ok(());
                }
                Err(Trouble::Picture(why)) => {
                    self.told.bad(name, &why);
                    return Ok(());
                }
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Passing(why)) => {
                    self.connection = None;
                    self.told.away(&why);
                    sleep(pause).await;
                    pause = (pause * 2).min(LAST_PAUSE);
                    if slot.has_newer() {
                        slot.drop_one();
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn send(&mut self, body: &Bytes, headers: &HeaderMap) -> Result<Taken, Trouble> {
        let path = self.target.path().to_owned();
        // The server may have closed what was open: that is no trouble, and a fresh connection tells.
        let kept = self.connection.take().filter(Connection::is_open);
        let was_kept = kept.is_some();
        let mut connection = match kept {
            Some(kept) => kept,
            None => self.client.connect(&self.target).await?,
        };
        let asked = connection
            .send(Method::POST, &path, headers.clone(), body.clone())
            .await;
        let answer = match asked {
            Err(FetchError::Broken { .. }) if was_kept => {
                connection = self.client.connect(&self.target).await?;
                connection
                    .send(Method::POST, &path, headers.clone(), body.clone())
                    .await?
            }
            asked => asked?,
        };
        let status = answer.status();
        let text = answer.text(MAX_ANSWER, REST_TIME).await?;
        if status == StatusCode::OK {
            self.connection = Some(connection);
            return serde_json::from_str(&text).map_err(|_| {
                let why = "what answers there is another program, not Mantel";
                Trouble::Final(PushError::Refused(why.into()))
            });
        }
        // Other programs answer with pages.
        let sentence = text.lines().next().unwrap_or_default().trim();
        let sentence = if sentence.is_empty() || sentence.starts_with('<') {
            status.to_string()
        } else {
            sentence.chars().take(300).collect()
        };
        if matches!(
            status,
            StatusCode::BAD_REQUEST
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNSUPPORTED_MEDIA_TYPE
        ) {
            return Err(Trouble::Picture(sentence));
        }
        Err(refused(status, sentence))
    }
}

/// A refusal that isn't the picture's fault.
fn refused(status: StatusCode, sentence: String) -> Trouble {
    match status {
        StatusCode::UNAUTHORIZED => Trouble::Final(PushError::Unknown(sentence)),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Trouble::Passing(sentence),
        status if status.is_server_error() => Trouble::Passing(sentence),
        _ => Trouble::Final(PushError::Refused(sentence)),
    }
}

impl From<FetchError> for Trouble {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Unreachable { .. }
            | FetchError::Slow { .. }
            | FetchError::Broken { .. } => Self::Passing(error.to_string()),
            _ => Self::Final(error.into()),
        }
    }
}

/// The headers for what a picture's own part said of it.
fn headers(sample: &Sample) -> HeaderMap {
    let Sample {
        caption,
        timestamp,
        duration_millis,
        ..
    } = sample;
    let caption = caption
        .as_ref()
        .map(|caption| utf8_percent_encode(caption, NON_ALPHANUMERIC).to_string());
    let values = [
        ("x-caption", caption),
        ("x-timestamp", timestamp.map(|stamp| stamp.to_string())),
        ("x-duration-ms", duration_millis.map(|n| n.to_string())),
    ];
    let values = values.into_iter().filter_map(|(name, value)| {
        let value = HeaderValue::from_str(&value?).ok()?;
        Some((HeaderName::from_static(name), value))
    });
    values.collect()
}
