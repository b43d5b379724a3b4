//! The connection to the broker: kept up, begun again with growing pauses, never waited for by anybody.

#![expect(
    clippy::disallowed_methods,
    reason = "how long a connection has lasted decides how soon the next one is tried"
)]

use std::{io, time::Duration};

use rumqttc::{
    AsyncClient, ConnectionError, Event as Heard, EventLoop, LastWill, MqttOptions, Packet, QoS,
};
use tokio::{sync::mpsc, time::Instant};

use super::topics::Topics;
use crate::fetch::{Broker, Client, Trust};

/// How often the broker hears of this server; after one and a half of it without a word it tells that the server is gone.
const KEEP_ALIVE_SECONDS: u16 = 15;
/// The largest message that is taken: longer ones a broker keeps to itself, as it is told when connecting.
const MAX_BYTES: u32 = 64 * 1024;
/// Messages whose arrival may be waited for at a time.
const MAX_INFLIGHT: u16 = 16;
/// Messages that wait to be sent.
const QUEUE: usize = 256;
/// The pauses before another try, each twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(4);
/// A connection that has lasted so long was well.
const IS_WELL: Duration = Duration::from_secs(10);
/// How long an answer of the broker is waited for.
const ANSWER_TIME: Duration = Duration::from_secs(5);

/// Something that came by the connection, or became of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It is up: nothing that was said before counts.
    Up,
    /// It is down.
    Down,
    /// A message, which was not kept for whoever comes late.
    Message { topic: String, payload: Vec<u8> },
}

/// A client that is not connected yet. `None` when its settings can't be, which they can.
pub(super) fn open(broker: &Broker, topics: &Topics) -> Option<(AsyncClient, EventLoop)> {
    let target = broker.target();
    let mut options = MqttOptions::new(topics.id(), (target.host(), target.port()));
    options.set_keep_alive(KEEP_ALIVE_SECONDS);
    options.set_max_packet_size(Some(MAX_BYTES));
    // It keeps room for so many from the start, 200 bytes each; nothing that is said here is waited for.
    options.set_outgoing_inflight_upper_limit(MAX_INFLIGHT);
    if let Some((name, password)) = broker.user() {
        options.set_credentials(name.to_owned(), password.to_owned());
    }
    let gone = LastWill::new(
        topics.availability(),
        "offline",
        QoS::AtLeastOnce,
        true,
        None,
    );
    options.set_last_will(gone);
    // Our own connection: what certificates are believed is decided in one place.
    let (client, target) = (Client::new(Trust::System, ANSWER_TIME), target.clone());
    options.set_socket_connector(move |_, _| {
        let (client, target) = (client.clone(), target.clone());
        async move {
            let wire = client.wire(&target, &[]).await;
            wire.map_err(|error| io::Error::other(error.to_string()))
        }
    });
    let made = AsyncClient::builder(options).capacity(QUEUE).try_build();
    made.inspect_err(|error| tracing::error!("MQTT can't be used: {error}"))
        .ok()
}

/// Keeps the connection up until the client says that it is over. What comes faster than it is taken is left out.
pub(super) async fn keep(mut link: EventLoop, broker: Broker, events: mpsc::Sender<Event>) {
    let mut pause = FIRST_PAUSE;
    let mut up_since: Option<Instant> = None;
    let mut said = String::new();
    loop {
        let error = match link.poll().await {
            Ok(Heard::Incoming(Packet::ConnAck(_))) => {
                up_since = Some(Instant::now());
                said.clear();
                tracing::info!("connected to {broker}");
                if events.send(Event::Up).await.is_err() {
                    return;
                }
                continue;
            }
            Ok(Heard::Incoming(Packet::Publish(message))) => {
                // A command that a broker keeps would be carried out after each restart.
                if !message.retain
                    && let Ok(topic) = String::from_utf8(message.topic.to_vec())
                {
                    let payload = message.payload.to_vec();
                    let taken = events.try_send(Event::Message { topic, payload });
                    if taken.is_err() {
                        tracing::debug!("{broker} sends more than is taken");
                    }
                }
                continue;
            }
            Ok(_) => continue,
            Err(ConnectionError::RequestsDone | ConnectionError::DisconnectTimeout) => return,
            Err(error) => error,
        };
        let lasted = up_since.take().map(|since| since.elapsed());
        if lasted.is_some() && events.send(Event::Down).await.is_err() {
            return;
        }
        if lasted.is_some_and(|lasted| lasted >= IS_WELL) {
            pause = FIRST_PAUSE;
        }
        let sentence = sentence(&error);
        if sentence == said {
            tracing::debug!("{broker}: {sentence}");
        } else {
            tracing::warn!("{broker}: {sentence}; it is tried again");
            said = sentence;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

/// The error in words that name no secret.
fn sentence(error: &ConnectionError) -> String {
    use rumqttc::ConnectReturnCode as Code;
    match error {
        ConnectionError::Io(error) => error.to_string(),
        ConnectionError::Timeout(_) => "it does not answer in time".into(),
        ConnectionError::ConnectionRefused(Code::BadUserNamePassword | Code::NotAuthorized) => {
            "it refuses the name or the password".into()
        }
        ConnectionError::ConnectionRefused(Code::UnsupportedProtocolVersion) => {
            "it knows no MQTT 5, which brokers speak since 2019".into()
        }
        ConnectionError::ConnectionRefused(code) => format!("it refuses the connection: {code:?}"),
        ConnectionError::NotConnAck(_) => "it answers with something that is no MQTT".into(),
        other => {
            let text = other.to_string();
            text.chars().take(200).collect()
        }
    }
}
