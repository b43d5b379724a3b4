//! Home automation by MQTT: tells a broker what is on and takes its commands, in the form that Home Assistant discovers.
//!
//! One task keeps the connection (`link`), another tells what is news and carries out commands; nobody waits for either, so
//! that a broker that is away, slow or in a bad mood changes nothing of what screens show. What commands do is decided where
//! those of `POST /control` are.

mod discovery;
mod link;
mod orders;
mod picframe;
mod screens;
mod states;
mod topics;

use std::{path::Path, sync::Arc, time::Duration};

use rumqttc::{AsyncClient, PublishOptions, QoS, RetainForwardRule, SubscribeFilter};
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

use crate::{
    blocking::Blocking,
    config::MqttConfig,
    endpoints::{self, Outputs},
    hex,
    state::HOUSE,
    store,
};
use link::Event;
use screens::Screens;
use states::{Reader, Told};
use topics::{Meant, Topics};

/// Messages that wait to be carried out.
const QUEUE: usize = 32;
/// How often the house is looked at, though nothing tells of a change.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// The time between two commands at least.
const COMMAND_GAP: Duration = Duration::from_millis(20);
/// How many looks pass between two for albums.
const LOOKS_A_LIST: u32 = 5;
/// How long the end waits for the broker to hear of it.
pub const FAREWELL: Duration = Duration::from_millis(800);

/// The name of who commands, for people.
const NAME: &str = "Home Assistant";

/// Starts to tell the broker of the house, until `stopped` says so. The result ends soon after that. What has to be known after a
/// restart is kept in `dir`.
pub fn start(
    setup: MqttConfig,
    (id, dir): (String, Option<&Path>),
    outputs: Arc<Outputs>,
    stopped: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let screens = Screens::open(dir);
    tokio::spawn(async move {
        let topics = Topics::new(id);
        let Some((client, link)) = link::open(&setup.broker, &topics) else {
            return;
        };
        let (sender, events) = mpsc::channel(QUEUE);
        let mut link = tokio::spawn(link::keep(link, setup.broker.clone(), sender));
        let gone = topics.availability();
        let mut speaker = Speaker {
            reader: Reader::new(setup, topics, screens, outputs),
            client,
            told: Told::default(),
            is_up: false,
        };
        speaker.told.expect(speaker.reader.told_before());
        speaker.speak(events, stopped).await;
        if speaker.is_up {
            if let Some(id) = &speaker.reader.setup.picframe {
                speaker.publish(&picframe::availability(id), "offline".to_owned());
            }
            let said = speaker.publish(&gone, "offline".to_owned());
            if said && speaker.client.try_disconnect_with_timeout(FAREWELL).is_ok() {
                let _ = timeout(FAREWELL, &mut link).await;
            }
        }
        link.abort();
    })
}

/// This server's own id among others on a broker, made once and kept in `dir`. Without a folder there is one for all.
pub fn id(blocking: Blocking, dir: Option<&Path>) -> String {
    #[derive(Default, serde::Deserialize, serde::Serialize)]
    struct Kept {
        id: String,
    }
    let Some(path) = dir.map(|dir| dir.join(HOUSE)) else {
        return "mantel".to_owned();
    };
    let kept = store::read_json::<Kept>(&path, 4096, "the name for home automation");
    let is_plain = |id: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        (1..=40).contains(&id.len()) && id.bytes().all(plain)
    };
    if let Ok(Kept { id }) = &kept
        && is_plain(id)
    {
        return id.clone();
    }
    let mut random = [0; 4];
    if getrandom::fill(&mut random).is_err() {
        return "mantel".to_owned();
    }
    let id = format!("mantel_{}", hex::hex(&random));
    let json = serde_json::json!({ "id": id }).to_string();
    if let Err(error) = store::replace(blocking, &path, json.as_bytes()) {
        tracing::warn!("{} can't be written: {error}", path.display());
    }
    id
}

/// The one that tells what is news, and carries out what comes.
struct Speaker {
    reader: Reader,
    client: AsyncClient,
    told: Told,
    is_up: bool,
}

impl Speaker {
    async fn speak(
        &mut self,
        mut events: mpsc::Receiver<Event>,
        mut stopped: watch::Receiver<bool>,
    ) {
        let house = &self.reader.outputs.house;
        let (main, mut library) = (house.channels.main().clone(), house.library.changes());
        let mut touches = house.channels.veils().touches();
        let mut sleepers = house.sleepers.changes();
        let mut airing = main.on_air();
        let mut looks = interval(LOOKS_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut n_looks = 0_u32;
        let stop = async move {
            // Who told of it may be gone: then it is over as well.
            let _ = stopped.wait_for(|stopped| *stopped).await.map(drop);
        };
        tokio::pin!(stop);
        self.reader.take_albums().await;
        loop {
            tokio::select! {
                () = &mut stop => return,
                event = events.recv() => match event {
                    Some(event) => self.take(event).await,
                    None => return,
                },
                Ok(()) = touches.changed() => self.touch(),
                Ok(()) = sleepers.changed() => {}
                changed = airing.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    airing.now();
                }
                _ = looks.tick() => {
                    n_looks = n_looks.wrapping_add(1);
                    if n_looks.is_multiple_of(LOOKS_A_LIST) && library.has_changed().unwrap_or(false) {
                        library.mark_unchanged();
                        self.reader.take_albums().await;
                    }
                }
            }
            if self.is_up {
                self.tell().await;
            }
        }
    }

    /// Tells what is news. What the queue has no room for is news at the next look.
    async fn tell(&mut self) {
        let states = self.reader.read().await;
        for (topic, payload) in self.told.news(&states) {
            if !self.publish(&topic, payload.clone()) {
                return;
            }
            self.told.told(topic, payload);
        }
        self.reader.keep_screens().await;
    }

    async fn take(&mut self, event: Event) {
        match event {
            Event::Up => {
                self.told.forget();
                self.is_up = true;
                self.listen();
            }
            Event::Down => self.is_up = false,
            Event::Message { topic, payload } => {
                if topic == discovery::STATUS {
                    // Home Assistant has started, and may know nothing.
                    if payload == b"online" {
                        self.told.forget();
                    }
                } else if let Some(order) = self.order(&topic, &payload) {
                    if let Err(sentence) = self.carry_out(order).await {
                        tracing::info!("a command by MQTT is not carried out: {sentence}");
                    }
                    // Nobody sees more than so many changes a second.
                    sleep(COMMAND_GAP).await;
                }
            }
        }
    }

    fn listen(&self) {
        let commands = self.reader.topics.commands().into_iter();
        let compat = self.reader.setup.picframe.iter();
        let commands = commands.chain(compat.flat_map(|id| picframe::commands(id)));
        let filters = commands.chain([discovery::STATUS.to_owned()]);
        let filters = filters.map(|path| SubscribeFilter {
            // What is kept was meant for somebody else, or for another day.
            retain_forward_rule: RetainForwardRule::Never,
            ..SubscribeFilter::new(path, QoS::AtMostOnce)
        });
        if self.client.try_subscribe_many(filters).is_err() {
            tracing::warn!("commands by MQTT can't be asked for");
        }
    }

    /// The order that a message under this topic is, if it is one that is listened for.
    fn order(&self, topic: &str, payload: &[u8]) -> Option<Result<Value, String>> {
        let Reader { topics, setup, .. } = &self.reader;
        match topics.meant(topic) {
            Some(Meant::Server(key)) => Some(orders::of_server(key, payload)),
            Some(Meant::Screen(screen, key)) => Some(orders::of_screen(screen, key, payload)),
            None => picframe::order(setup.picframe.as_deref()?, topic, payload),
        }
    }

    async fn carry_out(&self, order: Result<Value, String>) -> Result<(), String> {
        let command = order?.to_string();
        let done = endpoints::command(&self.reader.outputs, command.as_bytes(), NAME).await;
        done.map_err(|refusal| refusal.sentence().to_owned())
    }

    fn touch(&self) {
        if self.is_up {
            let topic = self.reader.topics.state("touch");
            let event = r#"{"event_type":"touch"}"#;
            // It is of this moment, and kept for nobody.
            let told = PublishOptions::new(QoS::AtMostOnce);
            let _ = self.client.try_publish(topic, event, told);
        }
    }

    /// Says something that the broker keeps; false where there is no room for it.
    fn publish(&self, topic: &str, payload: String) -> bool {
        let kept = PublishOptions::new(QoS::AtMostOnce).retained();
        self.client.try_publish(topic, payload, kept).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_one_id_for_ever_and_takes_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let id = || id(Blocking::here(), Some(dir.path()));
        let first = id();
        assert!(first.starts_with("mantel_") && first.len() == 15, "{first}");
        assert_eq!(id(), first);
        std::fs::write(dir.path().join(HOUSE), r#"{"id":"a/b#"}"#).unwrap();
        assert_ne!(id(), "a/b#");
        std::fs::write(dir.path().join(HOUSE), "{").unwrap();
        assert!(id().starts_with("mantel_"));
        assert_eq!(super::id(Blocking::here(), None), "mantel");
    }
}
