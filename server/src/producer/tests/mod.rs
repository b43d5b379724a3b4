//! The real loops of a channel and its producers in virtual time: only pixels and the clock are pretended.

mod clocks;
mod commands;
mod days;
mod interruptions;
mod nights;
mod troubles;

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use mantel_shared::UnixMillis;
use tokio::{sync::watch, task::JoinHandle, time::sleep};

use super::{
    admission::{Claim, Claims},
    blending::Between,
    making::PictureMaker,
    screen::StepKey,
    slide::{Failed, Notes, Rendered, Subject},
    studio::Done,
};
use crate::{
    blocking::Blocking,
    channel::{
        Channel, ChannelSetup, ChannelTask, Interrupter, Role,
        choices::{Channels, FeedKey, MAIN},
    },
    clock::virtual_time::SetClock,
    fillers::Fillers,
    hub::{Feeds, FrameNo, Framing, Kind, Subscription},
    library::{Filter, Library},
    render::{Alpha, DecodeLimits, Quality},
    rendition::Rendition,
    source::{catalogue::Catalogue, gallery::LoadError},
    timeline::{Act, Order, PhotoId, SavedProgramme, Settings, Showing, Transition, Veil},
};

/// When every test begins: some evening in October 2025, not at a slide's moment.
const START: UnixMillis = UnixMillis(1_760_900_003_217);

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// What is different from test to test.
#[derive(Clone, Copy, Debug)]
struct Plan {
    n_photos: u64,
    interval: Duration,
    transition: Transition,
    /// How long a slide takes to make.
    takes: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            n_photos: 25,
            interval: Duration::from_secs(10),
            transition: Transition::Cut,
            takes: Duration::from_millis(300),
        }
    }
}

/// Makes pictures that are their photos' names, some never.
#[derive(Debug)]
struct Pretender {
    takes: Duration,
    bad: Mutex<HashSet<PhotoId>>,
    n_made: AtomicUsize,
}

impl PictureMaker for Pretender {
    fn render(
        self: Arc<Self>,
        subject: Subject,
        _: Rendition,
        claim: Arc<Claim>,
    ) -> BoxFuture<'static, Done> {
        Box::pin(async move {
            let claims = Claims::default();
            claims.add(&claim);
            claims.start();
            sleep(self.takes).await;
            self.n_made.fetch_add(1, SeqCst);
            let photo = subject.photo.clone();
            if self.bad.lock().unwrap().contains(&photo.id) {
                let error = Arc::new(LoadError::Broken);
                return Done::Rendered(subject.turn(), Err(Failed { photo, error }));
            }
            let rendered = Rendered {
                // As names are compared.
                jpeg: match &subject.veil {
                    veil if veil.is_none() => photo.name.to_lowercase().into(),
                    Veil {
                        said: Some(said), ..
                    } => said.to_string().into(),
                    veil => format!("veil {}", veil.light).into(),
                },
                notes: Notes::default(),
                encoding: Duration::ZERO,
                looks: Vec::new(),
                damaged: Vec::new(),
                motion: None,
            };
            Done::Rendered(subject.turn(), Ok(Arc::new(rendered)))
        })
    }

    fn blend(
        self: Arc<Self>,
        key: StepKey,
        _: Arc<Between>,
        alpha: Alpha,
        _: Quality,
    ) -> BoxFuture<'static, Done> {
        Box::pin(async move {
            sleep(Duration::from_millis(20)).await;
            Done::Blended(key, Some(format!("{} of 256", alpha.of_256()).into()))
        })
    }

    fn is_first_look(&self, _: PhotoId) -> bool {
        true
    }

    fn decode_limits(&self) -> DecodeLimits {
        DecodeLimits::default()
    }
}

/// A channel, its feeds, and somebody who can watch them.
struct House {
    plan: Plan,
    clock: SetClock,
    channel: Channel,
    channels: Channels,
    task: JoinHandle<()>,
    feeds: Arc<Feeds<FeedKey, Channel>>,
    key: FeedKey,
    maker: Arc<Pretender>,
    library: Arc<Library>,
    _stop: watch::Sender<bool>,
}

impl House {
    fn start(plan: Plan) -> Self {
        Self::start_with(plan, |_| Vec::new())
    }

    /// A house whose gallery may be interrupted.
    fn start_with(plan: Plan, interrupters: impl FnOnce(&SetClock) -> Vec<Interrupter>) -> Self {
        let clock = SetClock::at(START);
        let library = Arc::new(Library::in_memory(vec![PathBuf::from("/nonexistent")]));
        library.fill(Blocking::here(), plan.n_photos);
        let catalogue = Arc::new(Catalogue::new(library.clone()));
        let setup = ChannelSetup {
            catalogue: catalogue.clone(),
            settings: Settings {
                interval_millis: millis(plan.interval),
                transition: plan.transition,
            },
            order: Order::Name,
            seed: 1,
            often: crate::timeline::Often::default(),
            resume_after: None,
            pair: crate::rendition::Pair::Wide,
            veils: Arc::new(crate::channel::Veils::new(None)),
            clock: clock.clock(),
        };
        let role = Role::Main {
            state: None,
            saved: SavedProgramme::default(),
        };
        let (task, channel) = ChannelTask::new(setup.clone(), Filter::default(), role);
        let channels = Channels::new(channel, Filter::default(), setup);
        let channels = channels.with_interrupters(interrupters(&clock));
        let maker = Arc::new(Pretender {
            takes: plan.takes,
            bad: Mutex::default(),
            n_made: AtomicUsize::new(0),
        });
        let (stop, stopped) = watch::channel(false);
        let fillers = Fillers {
            catalogue,
            studio: maker.clone(),
            framing: Arc::new(Framing::default()),
            encoder: crate::rendition::EncoderChoice::default(),
            clock: clock.clock(),
            stopped,
        };
        let feeds = Arc::new_cyclic(|feeds: &Weak<_>| {
            let feeds = feeds.clone();
            Feeds::new(4, move |key, channel, feed| {
                fillers.start(feeds.clone(), key, channel, feed);
            })
        });
        let config = crate::Config::from_args([] as [&str; 0]).unwrap();
        let rendition = Rendition {
            transition: plan.transition,
            fps: crate::rendition::Fps(10),
            ..config.rendition
        };
        Self {
            plan,
            clock,
            channel: channels.main().clone(),
            channels,
            task: tokio::spawn(task.run()),
            feeds,
            key: FeedKey {
                channel: MAIN,
                rendition,
            },
            maker,
            library,
            _stop: stop,
        }
    }

    /// Somebody who watches one of the two hubs and notes what comes, until dropped.
    fn watch(&self, kind: Kind) -> Viewer {
        self.watch_feed(&self.key, &self.channel, kind)
    }

    fn watch_feed(&self, key: &FeedKey, channel: &Channel, kind: Kind) -> Viewer {
        let opened = self.feeds.open(key, channel);
        let lease = opened.expect("room").expect("an open house");
        let log = Arc::new(Mutex::new(Vec::new()));
        let noting = note(lease.subscribe(kind), self.clock.clone(), log.clone());
        Viewer {
            log,
            noting: tokio::spawn(async move {
                noting.await;
                drop(lease);
            }),
        }
    }

    /// By the channel, without any producer.
    fn showing(&self) -> Showing {
        let programme = self.channel.programme().expect("a gallery");
        let Rendition { size, pair, .. } = self.key.rendition;
        let showing = programme.timeline(size, pair).at(self.clock.now());
        showing.expect("there are photos")
    }

    /// The name of the photo that was on at this moment, by the channel as it is now.
    fn name_at(&self, at: u64) -> String {
        let programme = self.channel.programme().expect("a gallery");
        let Rendition { size, pair, .. } = self.key.rendition;
        let showing = programme.timeline(size, pair).at(UnixMillis(at));
        let on = showing.expect("there are photos").current.photo;
        let photos = self.photos();
        let (_, name) = photos.iter().find(|(id, _)| *id == on).expect("a photo");
        name.clone()
    }

    async fn act(&self, act: Act) {
        self.channel.act(act, None).await.expect("carried out");
    }

    /// The photos in the order in which they come.
    fn photos(&self) -> Vec<(PhotoId, String)> {
        let entries = self
            .library
            .entries(Blocking::here(), &Filter::default(), Order::Name);
        let named = entries.into_iter();
        let mut named: Vec<_> = named
            .map(|entry| (entry.id, entry.name.to_string()))
            .collect();
        named.sort_by(|a, b| a.1.cmp(&b.1));
        named
    }
}

/// What a viewer was given, and when.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Seen {
    at: u64,
    no: FrameNo,
    /// The number of what was known to follow.
    next: Option<FrameNo>,
    /// Of a still: its slide's number and moment, and whether it was paused.
    slide: Option<u64>,
    show_at: Option<u64>,
    paused: bool,
    /// The live channel that it is of.
    source: Option<String>,
    picture: String,
}

impl Seen {
    /// By how much it came after its moment.
    fn lateness(&self) -> u64 {
        self.at.saturating_sub(self.show_at.expect("a still"))
    }
}

struct Viewer {
    log: Arc<Mutex<Vec<Seen>>>,
    noting: JoinHandle<()>,
}

impl Viewer {
    /// Every frame that was on since this was last asked, each once.
    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    fn has_ended(&self) -> bool {
        self.noting.is_finished()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.noting.abort();
    }
}

async fn note(mut subscription: Subscription, clock: SetClock, log: Arc<Mutex<Vec<Seen>>>) {
    while let Some(now) = subscription.changed().await {
        let frame = &now.current;
        let seen = Seen {
            at: clock.now().0,
            no: frame.no,
            next: now.next.known().map(|next| next.no),
            slide: frame.meta.slide.map(|slide| slide.0),
            show_at: frame.meta.show_at.map(|at| at.0),
            paused: frame.meta.paused,
            source: frame.source().map(str::to_owned),
            picture: String::from_utf8_lossy(&frame.jpeg()).into_owned(),
        };
        assert_eq!(subscription.take_missed(), 0, "nobody here is slow");
        let mut log = log.lock().unwrap();
        match log.last_mut() {
            // More is known of what follows.
            Some(last) if last.no == seen.no => last.next = seen.next,
            _ => log.push(seen),
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).expect("less than for ever")
}

/// How coarse tokio's timers are.
const TICK: u64 = 2;
