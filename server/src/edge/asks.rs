//! Requests that an edge's visitors make and that the house answers: commands, lists, what was on. The visitor's rights were
//! asked for at the edge; the edge's own are asked for at the house.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use mantel_media::wire::{Assembler, Head, Kind, MAX_AGE_MILLIS, MIN_MESSAGE, Topic};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

use super::{
    House,
    bus::Bus,
    contact::{Contact, Signal},
    shown::Ahead,
};

/// The longest body that is passed on.
pub const MAX_BODY: usize = MIN_MESSAGE / 2;
/// The longest request, less its body.
const MAX_HEAD: usize = 8 * 1024;
/// The longest answer.
const MAX_ANSWER: usize = 8 << 20;
/// How long an answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// How long a request waits for a house that has not been heard yet, since a connection was made: pictures may be there before it
/// has said hello.
const HEARD_TIME: Duration = Duration::from_secs(1);
/// Requests that are answered at a time.
const AT_A_TIME: usize = 32;
/// Requests that are kept in mind, so that none is carried out twice.
const KEPT_IN_MIND: usize = 4096;

/// The headers of a request that matter to what is passed on.
const ASKED: [HeaderName; 5] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_TYPE,
    header::IF_NONE_MATCH,
    header::USER_AGENT,
];
/// The headers of an answer that are passed back; the others are the edge's business.
const ANSWERED: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::ETAG,
    header::CACHE_CONTROL,
    header::VARY,
    header::LOCATION,
    header::ALLOW,
];

/// A request that is passed on.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// The query, without any token.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Whoever asks, if that is known.
    pub by: Option<String>,
}

/// An answer that came back.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status.
    pub status: http::StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why a request was not answered. One sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The house is silent.
    #[error("the house that is shown here can't be reached now")]
    Silent,
    /// It did not answer in time.
    #[error("the house that is shown here did not answer in time")]
    Late,
    /// The request is too large.
    #[error("this is too large to be passed on to the house that is shown here")]
    TooLarge,
}

#[derive(Debug, Serialize, Deserialize)]
struct AskedHead {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    by: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AnsweredHead {
    status: u16,
    headers: Vec<(String, String)>,
}

/// A head in JSON behind its length, and a body.
fn joined(head: &impl Serialize, body: &[u8]) -> Vec<u8> {
    // Numbers and texts; there is none that can't be written.
    let head = serde_json::to_vec(head).unwrap_or_default();
    let length = u32::try_from(head.len()).unwrap_or(0);
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(body);
    bytes
}

fn taken_apart<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (head, body) = rest.split_at_checked(length)?;
    Some((serde_json::from_slice(head).ok()?, body))
}

fn picked(headers: &HeaderMap, names: &[HeaderName]) -> Vec<(String, String)> {
    let picked = names.iter().filter_map(|name| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((name.to_string(), value.to_owned()))
    });
    picked.collect()
}

/// Those headers that may stand there, whatever else was written.
fn read(headers: Vec<(String, String)>, names: &[HeaderName]) -> HeaderMap {
    let read = headers.into_iter().filter_map(|(name, value)| {
        let name = HeaderName::try_from(name).ok()?;
        let is_one = names.contains(&name);
        Some((name, HeaderValue::try_from(value).ok()?)).filter(|_| is_one)
    });
    read.collect()
}

fn topic(house: &str) -> Topic {
    Topic::of(&format!("ask {house}"))
}

/// The topic of the answer to one request alone.
fn answer_topic(house: &str, asked: &Head) -> Topic {
    Topic::of(&format!("answer {house} {} {}", asked.run, asked.no))
}

/// Passes a request on to the house, and its answer back.
pub(super) async fn ask(
    bus: &Bus,
    contact: &watch::Receiver<Contact>,
    asked: Asked,
) -> Result<Answered, AskError> {
    let (run, ahead) = heard(bus, contact.clone()).await?;
    let content = joined(
        &AskedHead {
            method: asked.method.to_string(),
            path: asked.path,
            query: asked.query,
            headers: picked(&asked.headers, &ASKED),
            by: asked.by,
        },
        &asked.body,
    );
    if asked.body.len() > MAX_BODY || content.len() > MAX_BODY + MAX_HEAD {
        return Err(AskError::TooLarge);
    }
    let inbox = bus.inbox();
    let head = bus.head(Kind::Ask, topic(bus.house()), ahead);
    let answer = async {
        let mut messages = bus.hear(inbox.clone()).await.ok()?;
        bus.send(&bus.subject("ask"), Some(&inbox), head, &content)
            .await
            .ok()?;
        let mut parts = Assembler::new(Kind::Answer, answer_topic(bus.house(), &head), run);
        while let Some(message) = messages.next().await {
            if message.status.is_some() {
                return None;
            }
            let Some(part) = bus.read(&message.payload) else {
                continue;
            };
            if part.length > MAX_ANSWER {
                return None;
            }
            let now = ahead.there(bus.clock.now());
            if let Some(content) = parts.take(&part, now) {
                return Some(content.bytes);
            }
        }
        None
    };
    let answer = timeout(ANSWER_TIME, answer).await;
    let answer = answer
        .map_err(|_| AskError::Late)?
        .ok_or(AskError::Silent)?;
    let (told, body) = taken_apart::<AnsweredHead>(&answer).ok_or(AskError::Silent)?;
    let status = http::StatusCode::from_u16(told.status).map_err(|_| AskError::Silent)?;
    Ok(Answered {
        status,
        headers: read(told.headers, &ANSWERED),
        body: Bytes::copy_from_slice(body),
    })
}

/// The house, and how its clock goes, once it is heard.
async fn heard(bus: &Bus, mut contact: watch::Receiver<Contact>) -> Result<(u64, Ahead), AskError> {
    let known = |contact: &Contact| {
        let is_on = contact.signal == Signal::On;
        contact
            .run
            .filter(|_| is_on)
            .map(|run| (run, contact.ahead))
    };
    let now = known(&contact.borrow());
    if now.is_some() || !bus.is_connected() {
        return now.ok_or(AskError::Silent);
    }
    let heard = contact.wait_for(|contact| known(contact).is_some());
    match timeout(HEARD_TIME, heard).await {
        Ok(Ok(contact)) => known(&contact).ok_or(AskError::Silent),
        _ => Err(AskError::Silent),
    }
}

/// The house's side: has requests answered, each once.
pub(super) struct Answers {
    bus: Arc<Bus>,
    house: House,
    turns: Arc<Semaphore>,
    seen: Seen,
}

impl Answers {
    pub(super) fn new(bus: Arc<Bus>, house: House) -> Self {
        Self {
            bus,
            house,
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
            seen: Seen::default(),
        }
    }

    /// Has a request answered that has come. One too many is not: whoever asked hears so in time.
    pub(super) fn take(&mut self, message: &[u8], reply: Option<String>) {
        let Some(part) = self
            .bus
            .read_whole(message, Kind::Ask, topic(self.bus.house()))
        else {
            return;
        };
        let now = self.bus.clock.now().0;
        if !self.seen.is_new(&part.head, now) {
            tracing::warn!(
                "a request came by NATS a second time, or too late; it is not carried out"
            );
            return;
        }
        let asked = taken_apart::<AskedHead>(part.payload).and_then(asked);
        let (Some(asked), Some(reply)) = (asked, reply) else {
            return;
        };
        let Ok(turn) = self.turns.clone().try_acquire_owned() else {
            return;
        };
        let (bus, answering) = (self.bus.clone(), (self.house.answer)(asked));
        let topic = answer_topic(bus.house(), &part.head);
        tokio::spawn(async move {
            let _turn = turn;
            let Ok(answered) = timeout(ANSWER_TIME, answering).await else {
                return;
            };
            let head = AnsweredHead {
                status: answered.status.as_u16(),
                headers: picked(&answered.headers, &ANSWERED),
            };
            let content = joined(&head, &answered.body);
            let head = bus.head(Kind::Answer, topic, Ahead::default());
            let sending = bus.send(&reply, None, head, &content);
            let _ = timeout(ANSWER_TIME, sending).await;
        });
    }
}

fn asked((head, body): (AskedHead, &[u8])) -> Option<Asked> {
    Some(Asked {
        method: head.method.parse().ok()?,
        path: head.path,
        query: head.query,
        headers: read(head.headers, &ASKED),
        body: Bytes::copy_from_slice(body),
        by: head.by,
    })
}

/// The requests of the last seconds.
#[derive(Debug, Default)]
struct Seen {
    all: HashSet<(u64, u64)>,
    in_order: VecDeque<(u64, (u64, u64))>,
}

impl Seen {
    /// Whether a request is of now and has not come before; it has, from here on. Where too many come to be kept in mind,
    /// none is new.
    fn is_new(&mut self, head: &Head, now: u64) -> bool {
        while let Some((at, key)) = self.in_order.front()
            && at.abs_diff(now) > 2 * MAX_AGE_MILLIS
        {
            self.all.remove(key);
            self.in_order.pop_front();
        }
        if head.sent_at.abs_diff(now) > MAX_AGE_MILLIS || self.in_order.len() >= KEPT_IN_MIND {
            return false;
        }
        let key = (head.run, head.no);
        let is_new = self.all.insert(key);
        if is_new {
            self.in_order.push_back((now, key));
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_carried_out_once() {
        let mut seen = Seen::default();
        let head = |no, sent_at| Head {
            kind: Kind::Ask,
            topic: topic("home"),
            run: 1,
            no,
            sent_at,
        };
        assert!(seen.is_new(&head(1, 50_000), 50_000));
        assert!(!seen.is_new(&head(1, 50_000), 50_001));
        assert!(seen.is_new(&head(2, 50_000), 50_001), "in any order");
        assert!(!seen.is_new(&head(3, 50_000), 61_000), "too late");
        assert!(!seen.is_new(&head(4, 61_001), 50_000), "of a time to come");
        // As long as it would be taken by its time, it is kept in mind.
        assert!(!seen.is_new(&head(1, 50_000), 60_000));
        for no in 10..10 + KEPT_IN_MIND as u64 {
            seen.is_new(&head(no, 90_000), 90_000);
        }
        assert!(!seen.is_new(&head(9999, 90_000), 90_000));
        assert!(seen.in_order.len() <= KEPT_IN_MIND);
        assert!(seen.is_new(&head(9999, 120_001), 120_001));
    }

    #[test]
    fn heads_and_bodies_are_taken_apart_as_they_were_joined() {
        let head = AnsweredHead {
            status: 200,
            headers: vec![
                ("content-type".into(), "text/plain".into()),
                ("set-cookie".into(), "a=b".into()),
                ("etag".into(), "a\nb".into()),
            ],
        };
        let bytes = joined(&head, b"body");
        let (told, body) = taken_apart::<AnsweredHead>(&bytes).unwrap();
        assert_eq!((told.status, body), (200, &b"body"[..]));
        assert_eq!(read(told.headers, &ANSWERED).len(), 1);
        let length = bytes.len() - body.len();
        for end in 0..length {
            assert!(taken_apart::<AnsweredHead>(&bytes[..end]).is_none());
        }
    }
}
