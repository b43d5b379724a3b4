//! An edge: the same server without photos, index and rendering, whose feeds are filled by the house of another machine.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::sync::{mpsc, watch};

use super::{
    RunError, common,
    open::{Opened, closed_after, opened},
    outputs,
};
use crate::{
    channel::{
        Channel,
        choices::{Channels, FeedKey},
        roster::Roster,
    },
    clock::Clock,
    config::{BusConfig, Config},
    edge::{Edge, Filming},
    hub::{Feeds, Framing},
    library::Library,
    mdns,
    net::{self, Keys, Listeners},
    producer::Film,
    source::catalogue::Catalogue,
};

/// How long the house is waited for at the start: most are there, and then it is known what is asked for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Makes video of what a feed of this machine shows, until `stopped`.
fn filming(config: &Config, stopped: watch::Receiver<bool>) -> Filming {
    let encoder = config.encoder;
    Arc::new(move |feed, rendition| {
        let film = Film {
            feed,
            rendition,
            encoder,
            clock: Clock::system(),
        };
        Box::pin(film.run(stopped.clone()))
    })
}

/// Serves the house of another machine on `listeners` until `shutdown` is done.
pub(super) async fn serve(
    config: Config,
    setup: BusConfig,
    listeners: Listeners,
    ready: impl FnOnce(Option<&Keys>),
    shutdown: impl Future<Output = ()> + Send + 'static,
    reloads: mpsc::Receiver<Config>,
) -> Result<(), RunError> {
    let (stop, stopped) = watch::channel(false);
    let framing = Arc::new(Framing::default());
    let filming = filming(&config, stopped.clone());
    let edge = Edge::start(&setup, framing.clone(), filming, stopped.clone());
    let edge = Arc::new(edge.await?);
    edge.heard_within(PATIENCE).await;
    let library = Arc::new(Library::in_memory(Vec::new()));
    let catalogue = Arc::new(Catalogue::new(library));
    let common = common(&config, catalogue.clone(), 0);
    // Whichever channel a push names: that pictures are sent to the house is what it is told.
    let roster = Roster::new([], true, Clock::system());
    let channels = Arc::new(Channels::of_afar(common, roster));
    let following = tokio::spawn(follow(edge.clone(), channels.clone()));
    let feeds = Arc::new_cyclic(|feeds: &Weak<Feeds<FeedKey, Channel>>| {
        let (feeds, edge) = (feeds.clone(), edge.clone());
        Feeds::new(config.max_renditions, move |key, channel, feed| {
            edge.fill(feeds.clone(), key, &channel, feed);
        })
    });
    let mut outputs = outputs(&config, feeds.clone(), channels, catalogue, framing);
    outputs.house.afar = Some(edge);
    let Opened { accept, held, .. } = opened(&config, outputs, &listeners)?;
    ready(accept.keys());
    if config.mqtt.is_some() {
        tracing::warn!("an edge tells a broker of MQTT nothing: give --mqtt to the house itself");
    }
    let is_tls = accept.keys().is_some();
    let name = config.mdns.as_deref();
    let found = name.and_then(|name| mdns::tell(name, &listeners.addresses(), is_tls));
    let signal = tokio::spawn(closed_after(shutdown, feeds, stop));
    net::serve(listeners, accept, stopped, reloads).await;
    drop(found);
    for task in [signal, held, following] {
        task.abort();
    }
    Ok(())
}

/// Has the live channels of the house here as they are there.
async fn follow(edge: Arc<Edge>, channels: Arc<Channels>) {
    let mut known = Vec::new();
    while let Some(live) = edge.channels_beside(&known).await {
        channels.live().follow(&live);
        known = live;
    }
}
