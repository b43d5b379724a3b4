//! The connection to the bus: kept up by async-nats, which begins it again at any server of the list. What is sent is cut up
//! and signed here, what comes is held against its signature.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
};

use async_nats::{Client, ServerAddr, Subscriber, connection::State};
use bytes::Bytes;
use mantel_media::wire::{
    self, Counts, Head, Key, Kind, MAX_AGE_MILLIS, MIN_MESSAGE, Part, Refused, Topic,
};
use tokio::sync::watch;

use super::{link, shown::Ahead};
use crate::{
    clock::Clock,
    config::BusConfig,
    fetch::{NatsLogin, NatsServers},
    locked::locked,
};

/// The most messages that wait for a reader: one that is slower loses some, and asks for the newest.
const INBOX: usize = 128;
/// The most messages that wait for the connection: what is sent is never old.
const OUTBOX: usize = 32;

/// The bus as one machine of a house uses it.
#[derive(Debug)]
pub(super) struct Bus {
    client: Client,
    servers: NatsServers,
    house: String,
    key: Option<Key>,
    /// This run of the program.
    pub(super) run: u64,
    last: AtomicU64,
    /// Bytes that were sent and that came: the client's own count has what is sent twice.
    n_sent: AtomicU64,
    n_came: AtomicU64,
    counts: Mutex<Counts>,
    /// The most that a server takes of which the log was told that it is too little.
    told_small: AtomicUsize,
    is_up: watch::Receiver<bool>,
    pub(super) clock: Clock,
}

/// Why the bus can't be used. One sentence.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The settings can't be.
    #[error("--nats {servers}: {why}")]
    Settings {
        /// The servers, without secrets.
        servers: String,
        /// The reason.
        why: String,
    },
}

/// Why something was not sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsent {
    /// The server takes too little in one message.
    #[error(
        "the NATS server takes messages of {0} bytes, and 65536 are needed; set max_payload there"
    )]
    Small(usize),
    /// It is too long for anything.
    #[error(transparent)]
    Long(#[from] wire::TooLong),
    /// The connection is over.
    #[error("the connection to the NATS servers has ended")]
    Closed,
}

impl Bus {
    /// Connects, now or as soon as there is a server.
    pub(super) async fn open(setup: &BusConfig, clock: Clock) -> Result<Arc<Self>, BusError> {
        let failed = |why: String| BusError::Settings {
            servers: setup.servers.to_string(),
            why,
        };
        let addresses: Result<Vec<ServerAddr>, _> = setup
            .servers
            .addresses()
            .map(|address| address.parse())
            .collect();
        let addresses = addresses.map_err(|error| failed(error.to_string()))?;
        let (up, is_up) = watch::channel(false);
        let mut options = link::options(&setup.servers, up)
            .subscription_capacity(INBOX)
            .client_capacity(OUTBOX);
        match setup.servers.login() {
            Some(NatsLogin::User(name, password)) => {
                options = options.user_and_password(name.to_owned(), password.to_owned());
            }
            Some(NatsLogin::Token(token)) => options = options.token(token.to_owned()),
            None => {}
        }
        if let Some(seed) = &setup.nkey {
            options = options.nkey(seed.0.clone());
        }
        if let Some(ca) = &setup.ca {
            options = options.add_root_certificates(ca.clone()).require_tls(true);
        }
        let client = options.connect(addresses).await;
        let client = client.map_err(|error| failed(error.to_string()))?;
        let mut run = [0; 8];
        getrandom::fill(&mut run).map_err(|error| failed(error.to_string()))?;
        Ok(Arc::new(Self {
            client,
            servers: setup.servers.clone(),
            house: setup.house.as_str().to_owned(),
            key: setup.key.clone(),
            run: u64::from_le_bytes(run),
            last: AtomicU64::new(0),
            n_sent: AtomicU64::new(0),
            n_came: AtomicU64::new(0),
            counts: Mutex::default(),
            told_small: AtomicUsize::new(0),
            is_up,
            clock,
        }))
    }

    /// The name of the house.
    pub(super) fn house(&self) -> &str {
        &self.house
    }

    /// The servers, without secrets.
    pub(super) fn servers(&self) -> &NatsServers {
        &self.servers
    }

    /// A subject of the house.
    pub(super) fn subject(&self, rest: &str) -> String {
        format!("mantel.{}.{rest}", self.house)
    }

    /// Whether there is a connection, and word of every change.
    pub(super) fn is_up(&self) -> watch::Receiver<bool> {
        self.is_up.clone()
    }

    /// The number of what is sent next.
    pub(super) fn next_no(&self) -> u64 {
        self.last.fetch_add(1, SeqCst) + 1
    }

    /// A subject for answers to this machine alone.
    pub(super) fn inbox(&self) -> String {
        self.client.new_inbox()
    }

    /// Whether the connection is up now and takes messages that are large enough.
    ///
    /// # Errors
    /// The server takes too little.
    pub(super) fn max_message(&self) -> Result<usize, Unsent> {
        match self.client.max_payload() {
            // Not connected yet.
            0 => Ok(MIN_MESSAGE),
            small if small < MIN_MESSAGE => Err(Unsent::Small(small)),
            enough => Ok(enough),
        }
    }

    /// Whether messages that are large enough are taken; the log is told of each server that takes too little, once.
    pub(super) fn takes_enough(&self) -> bool {
        let small = match self.max_message() {
            Err(Unsent::Small(small)) => small,
            Ok(_) | Err(_) => 0,
        };
        if self.told_small.swap(small, SeqCst) != small && small > 0 {
            tracing::error!("nothing can be shown by NATS: {}", Unsent::Small(small));
        }
        small == 0
    }

    /// Listens to a subject.
    pub(super) async fn hear(&self, subject: String) -> Result<Subscriber, Unsent> {
        let heard = self.client.subscribe(subject).await;
        heard.map_err(|_| Unsent::Closed)
    }

    /// Sends a content to whoever listens to `subject`; answers are to go to `reply`. Waits while the connection is busy.
    pub(super) async fn send(
        &self,
        subject: &str,
        reply: Option<&str>,
        head: Head,
        content: &[u8],
    ) -> Result<(), Unsent> {
        let max_message = self.max_message()?;
        for message in wire::cut(head, content, self.key.as_ref(), max_message)? {
            let (subject, message) = (subject.to_owned(), Bytes::from(message));
            self.n_sent.fetch_add(message.len() as u64, SeqCst);
            let sent = match reply {
                Some(reply) => {
                    let reply = reply.to_owned();
                    self.client
                        .publish_with_reply(subject, reply, message)
                        .await
                }
                None => self.client.publish(subject, message).await,
            };
            sent.map_err(|_| Unsent::Closed)?;
        }
        Ok(())
    }

    /// The head of a content that is sent now, by the clock of whom it is for.
    pub(super) fn head(&self, kind: Kind, topic: Topic, ahead: Ahead) -> Head {
        Head {
            kind,
            topic,
            run: self.run,
            no: self.next_no(),
            sent_at: ahead.there(self.clock.now()),
        }
    }

    /// The part that a message is, if it is one of the house's; others are counted.
    pub(super) fn read<'a>(&self, message: &'a [u8]) -> Option<Part<'a>> {
        self.n_came.fetch_add(message.len() as u64, SeqCst);
        let part = wire::open(message, self.key.as_ref());
        part.map_err(|why| self.refuse(why)).ok()
    }

    /// A content that is one message, if it is one of the house's.
    pub(super) fn read_whole<'a>(
        &self,
        message: &'a [u8],
        kind: Kind,
        topic: Topic,
    ) -> Option<Part<'a>> {
        let part = self.read(message)?;
        if (part.head.kind, part.head.topic, part.parts) == (kind, topic, 1) {
            return Some(part);
        }
        self.refuse(Refused::Foreign);
        None
    }

    /// Whether a content was sent a moment ago, by the clock here; another is counted as replayed.
    pub(super) fn is_of_now(&self, part: &Part<'_>) -> bool {
        let is_of_now = part.head.sent_at.abs_diff(self.clock.now().0) <= MAX_AGE_MILLIS;
        if !is_of_now {
            locked(&self.counts).replayed += 1;
        }
        is_of_now
    }

    /// Counts a message that comes to nothing.
    pub(super) fn refuse(&self, why: Refused) {
        let mut counts = locked(&self.counts);
        counts.refuse(why);
        let n = counts.unsigned + counts.forged + counts.other_version;
        drop(counts);
        // The first of them, and then fewer and fewer: whoever sends them decides how many there are.
        if n.is_power_of_two() {
            let what = match why {
                Refused::Version => "of another version of Mantel",
                Refused::Unsigned if self.key.is_some() => "that are not signed",
                Refused::Unsigned => {
                    "that are signed with a key, and none is given here (--house-key)"
                }
                Refused::Forged => "that are signed with another house key",
                Refused::Foreign | Refused::Lying => return,
            };
            tracing::warn!(house = %self.house, n, "messages come by NATS {what}; they are dropped");
        }
    }

    /// Adds what came to nothing elsewhere, and takes it from there.
    pub(super) fn count(&self, from: &mut Counts) {
        let Counts {
            foreign,
            other_version,
            unsigned,
            forged,
            lying,
            replayed,
            holes,
        } = std::mem::take(from);
        let mut counts = locked(&self.counts);
        counts.foreign += foreign;
        counts.other_version += other_version;
        counts.unsigned += unsigned;
        counts.forged += forged;
        counts.lying += lying;
        counts.replayed += replayed;
        counts.holes += holes;
    }

    /// The counts of messages that came to nothing so far.
    pub(super) fn counts(&self) -> Counts {
        *locked(&self.counts)
    }

    /// Whether the connection is up.
    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Bytes that were sent and that came, in all.
    pub(super) fn n_bytes(&self) -> (u64, u64) {
        (self.n_sent.load(SeqCst), self.n_came.load(SeqCst))
    }
}
