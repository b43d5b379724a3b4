//! Puts the rooms together. The only module that names them all.

mod node;
mod open;

use std::{
    sync::{Arc, Weak},
    time::Instant,
};

use tokio::sync::{mpsc, watch};

pub(crate) use open::accept;
use open::{Opened, closed_after, opened};

use crate::{
    announce,
    blocking::Blocking,
    channel::{
        Channel, ChannelSetup, ChannelTask, Interrupter, Role, Veils,
        choices::{Channels, FeedKey},
        chosen::{Chosen, go_back_to_all},
        hand,
        live::Intake,
        roster::Roster,
    },
    clock::Clock,
    config::{BusConfig, Config, IceServer, Listen, SourceConfig},
    edge::{self, BusError},
    endpoints::{self, BodyLimits, House, Looks, Outputs, Reach, Run, Watched},
    fillers::Fillers,
    hub::{Feeds, Framing},
    lan::lan_addresses,
    library::{self, Counts, IndexError, Keeper, Library},
    lookalikes, mdns, mqtt,
    net::{self, AcceptError, Keys, Listeners},
    producer::{Studio, StudioLimits, Thumbnails},
    profiles::Profiles,
    progress, saved,
    sleepers::Sleepers,
    source::{
        catalogue::Catalogue,
        live::{RunName, Source},
    },
    state,
    stats::WorkStats,
    vital::Vitals,
};

/// Serves on `listeners` until `shutdown` is done, then ends streams and returns.
///
/// # Errors
/// The index can't be used: another process has it, or its folder can't be written. Or passwords,
/// tokens or certificates can't be read. Or something ended that nothing goes on without.
pub async fn run(
    config: Config,
    listeners: impl Into<Listeners>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), RunError> {
    let (_none, reloads) = mpsc::channel(1);
    serve(config, listeners, |_| {}, shutdown, reloads).await
}

/// Serves as [`run`] does; `ready` is called once everything that can fail is open, with what connections are
/// encrypted with. What `reloads` brings takes the place of the configuration, as far as that is possible for a
/// program that runs: who may connect, limits of connections, certificates.
///
/// # Errors
/// See [`run`].
pub async fn serve(
    mut config: Config,
    listeners: impl Into<Listeners>,
    ready: impl FnOnce(Option<&Keys>),
    shutdown: impl Future<Output = ()> + Send + 'static,
    reloads: mpsc::Receiver<Config>,
) -> Result<(), RunError> {
    let listeners = listeners.into();
    if let Some(setup) = config.bus.take_if(|setup| setup.is_edge) {
        return node::serve(config, setup, listeners, ready, shutdown, reloads).await;
    }
    config.reach.clips = config.clips.clips();
    let mut vitals = Vitals::default();
    let (stop, stopped) = watch::channel(false);
    let roots = library::roots_of(&config.folders);
    let plays = config.clips.plays().then_some(config.clip_millis);
    let library = Library::open(roots, config.dirs.index.as_deref())?;
    let library = Arc::new(library.playing_clips(plays.unwrap_or(0)));
    // Only now: no other program has these files while this one has the index.
    config.dirs.state = state::settle(&config.dirs);
    library.keep_marks_in(Blocking::here(), config.dirs.state.as_deref());

    let (state, seed, saved) = saved::open(&config);
    let catalogue = Arc::new(Catalogue::new(library.clone()));
    let common = common(&config, catalogue.clone(), seed);
    let veils = common.veils.clone();
    hand::restore(&veils, config.dirs.state.as_deref());
    let chosen = Arc::new(Chosen::open(config.dirs.state.as_deref()));
    let filter = chosen.within(&library, Blocking::here(), &config.filter, config.order);
    let role = Role::Main { state, saved };
    let (task, channel) = ChannelTask::new(common.clone(), filter, role);
    let vital = vitals.begins("what decides which slide is on");
    let channel_task = tokio::spawn(async move {
        let _vital = vital;
        task.run().await;
    });
    let name = RunName::random();
    let mut interrupters = Vec::new();
    let live = config.channels.iter().map(|channel| {
        let clock = Clock::system();
        let source = Source::new(channel.name.as_str(), channel.silent_after, clock);
        let source = Arc::new(source.with_words(channel.words.clone()));
        tokio::spawn(source.clone().keep());
        if let Some(rules) = channel.interrupts {
            let source = source.reader();
            interrupters.push(Interrupter { source, rules });
        }
        let intake = match &channel.source {
            SourceConfig::Push { on_conflict } => Intake::Pushed(*on_conflict),
            SourceConfig::Upstream { upstream, keep } => {
                tokio::spawn(
                    source
                        .clone()
                        .keep_upstream(upstream.clone(), *keep, name.clone()),
                );
                Intake::Fetched(upstream.kind())
            }
        };
        let night = channel.night.clone();
        (channel.name.clone(), source, intake, night)
    });
    let channels = Channels::new(channel, config.filter.clone(), common);
    let roster = Roster::new(live, config.push_creates, Clock::system());
    let channels = channels.with_chosen(chosen).with_live(roster);
    let channels = Arc::new(channels.with_interrupters(interrupters));
    tokio::spawn(go_back_to_all(
        channels.clone(),
        library.clone(),
        config.order,
    ));

    let framing = Arc::new(Framing::default());
    let work = Arc::new(WorkStats::default());
    let workers = std::thread::available_parallelism()
        .map_or(2, usize::from)
        .min(4);
    let limits = StudioLimits::new(workers, mib(config.decode_memory_bytes));
    let studio = Studio::new(limits, work.clone()).with_words(config.words.clone());
    let studio = Arc::new(studio.playing_clips(plays));
    let thumbnails = Thumbnails::new(catalogue.clone(), studio.clone(), config.rendition);
    let fillers = Fillers {
        catalogue: catalogue.clone(),
        studio,
        framing: framing.clone(),
        encoder: config.encoder,
        clock: Clock::system(),
        stopped: stopped.clone(),
    };
    let feeds = Arc::new_cyclic(|feeds: &Weak<Feeds<FeedKey, Channel>>| {
        let feeds = feeds.clone();
        Feeds::new(config.max_renditions, move |key, channel, feed| {
            fillers.start(feeds.clone(), key, channel, feed);
        })
    });

    let mut outputs = outputs(&config, feeds.clone(), channels, catalogue, framing);
    outputs.run.name = name;
    outputs.watched.work = work;
    outputs.house.thumbnails = Some(thumbnails);
    let Opened {
        outputs,
        accept,
        held,
    } = opened(&config, outputs, &listeners)?;
    if let Some(setup) = &config.bus {
        let house = house(&config, setup, &outputs);
        let sent = edge::start_house(setup, house, stopped.clone()).await?;
        let _ = outputs.watched.sent.set(sent);
    }
    ready(accept.keys());
    let urls = announce::urls(
        &listeners.addresses(),
        &lan_addresses(),
        announce::scheme(accept.keys().is_some()),
    );
    let name = config.mdns.as_deref();
    let found =
        name.and_then(|name| mdns::tell(name, &listeners.addresses(), accept.keys().is_some()));
    let mqtt = config.mqtt.take().map(|mut setup| {
        let dir = config.dirs.state.as_deref();
        let id = mqtt::id(Blocking::here(), dir);
        let own = urls.first().filter(|_| outputs.reach.is_in_house);
        setup.page = setup.page.or(own.and_then(|url| url.parse().ok()));
        mqtt::start(setup, (id, dir), outputs, stopped.clone())
    });
    let vital = vitals.begins("what keeps the index");
    let told = move |counts: &Counts, took| progress::tell(counts, took, urls.first());
    let keeper = Keeper::start(library.clone(), config.reach, vital, told);
    if !library.roots().is_empty() {
        progress::start(library.clone(), keeper.stopped());
        lookalikes::start(library, config.decode_memory_bytes, keeper.stopped());
    }
    let hand = config
        .dirs
        .state
        .clone()
        .map(|dir| tokio::spawn(hand::keep(veils, dir)));
    let signal = tokio::spawn(closed_after(shutdown, feeds, stop));
    let ended = tokio::select! {
        () = net::serve(listeners, accept, stopped, reloads) => None,
        name = vitals.one_ends() => Some(name),
    };
    signal.abort();
    held.abort();
    if let Some(hand) = hand {
        hand.abort();
    }
    drop(found);
    if let Some(mqtt) = mqtt {
        // It says that it goes, and waits for no broker that doesn't hear it.
        let abort = mqtt.abort_handle();
        let _ = tokio::time::timeout(mqtt::FAREWELL * 2, mqtt).await;
        abort.abort();
    }
    channel_task.abort();
    drop(keeper);
    ended.map_or(Ok(()), |name| Err(RunError::Ended(name)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the run's beginning, for the uptime"
)]
pub(crate) fn outputs(
    config: &Config,
    feeds: Arc<Feeds<FeedKey, Channel>>,
    channels: Arc<Channels>,
    catalogue: Arc<Catalogue>,
    framing: Arc<Framing>,
) -> Outputs {
    Outputs {
        house: House {
            feeds,
            channels,
            library: catalogue.library().clone(),
            catalogue,
            profiles: Arc::new(Profiles::open(config.dirs.state.as_deref())),
            sleepers: Arc::new(Sleepers::open(config.dirs.state.as_deref())),
            thumbnails: None,
            afar: None,
        },
        looks: Looks {
            framing,
            settings: config.timeline,
            position: config.position,
            rendition: config.rendition,
            resume_after: config.resume_after,
            step_down: config.step_down,
        },
        watched: Watched::default(),
        reach: Reach {
            frame_origins: config.access.origins.clone(),
            is_in_house: config.listen.iter().any(Listen::is_in_house),
            peers: None,
            ice_servers: config.ice_servers.iter().map(IceServer::link).collect(),
        },
        body: BodyLimits {
            max_bytes: config.max_body,
            timeout: config.limits.body_timeout,
        },
        run: Run {
            started_at: Instant::now(),
            started_millis: crate::clock::now().0,
            name: RunName::random(),
        },
    }
}

/// The house as edges may have it.
fn house(config: &Config, setup: &BusConfig, outputs: &Arc<Outputs>) -> edge::House {
    let routes = endpoints::routes(outputs.clone());
    edge::House {
        feeds: outputs.house.feeds.clone(),
        channels: outputs.house.channels.clone(),
        framing: outputs.looks.framing.clone(),
        rendition: config.rendition,
        interval_millis: config.timeline.interval_millis,
        rights: setup.edge_rights.clone(),
        answer: endpoints::for_edges(outputs, routes, setup.edge_rights.clone()),
    }
}

pub(crate) fn common(config: &Config, catalogue: Arc<Catalogue>, seed: u64) -> ChannelSetup {
    ChannelSetup {
        catalogue,
        settings: config.timeline,
        order: config.order,
        seed,
        often: config.often,
        resume_after: config.resume_after,
        pair: config.rendition.pair.on(config.rendition.size),
        veils: Arc::new(Veils::new(config.night.clone())),
        clock: Clock::system(),
    }
}

/// Why the program can't serve. One sentence.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The index can't be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Nobody can be let in.
    #[error(transparent)]
    Accept(#[from] AcceptError),
    /// The bus to other machines can't be used.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// Something has ended that nothing goes on without.
    #[error("{0} has ended by a fault of this program; it has to be started again")]
    Ended(&'static str),
}

fn mib(n_bytes: u64) -> u32 {
    u32::try_from(n_bytes >> 20).unwrap_or(u32::MAX)
}
