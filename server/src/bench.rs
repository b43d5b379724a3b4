//! The doors of the inside for benchmarks: the way from hub to socket, without photos.

use std::sync::Arc;

use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

pub use crate::hub::{Feed, FrameNo, Framing, Next, Now};
use crate::{
    app::{self, RunError},
    blocking::Blocking,
    channel::{
        Channel, ChannelTask, Role,
        choices::{Channels, FeedKey},
    },
    config::Config,
    endpoints::Outputs,
    hub::Feeds,
    library::{Filter, Library},
    net,
    source::catalogue::Catalogue,
};

/// Serves what `publish` puts into each feed that is opened, and nothing else, without end.
///
/// # Errors
/// Nobody can be let in as `config` has it.
pub async fn serve_frames<F, Fut>(
    config: Config,
    listener: TcpListener,
    publish: F,
) -> Result<(), RunError>
where
    F: Fn(Arc<Feed>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let feeds = Arc::new(Feeds::new(1, move |_: FeedKey, _: Channel, feed| {
        tokio::spawn(publish(feed));
    }));
    let (_stop, stopped) = watch::channel(false);
    let (outputs, _channel) = outputs_alone(&config, feeds);
    let accept = app::accept(&config, Arc::new(outputs))?;
    let (_none, reloads) = mpsc::channel(1);
    net::serve(listener, accept, stopped, reloads).await;
    Ok(())
}

/// The outputs over `feeds` that somebody else fills, with a channel that stands still.
fn outputs_alone(config: &Config, feeds: Arc<Feeds<FeedKey, Channel>>) -> (Outputs, ChannelTask) {
    let library = Arc::new(Library::in_memory(Vec::new()));
    let catalogue = Arc::new(Catalogue::new(library));
    let common = app::common(config, catalogue.clone(), 0);
    let (task, channel) = ChannelTask::new(common.clone(), Filter::default(), Role::Choice);
    let channels = Arc::new(Channels::new(channel, Filter::default(), common));
    (
        app::outputs(config, feeds, channels, catalogue, Arc::default()),
        task,
    )
}

/// An index of as many rows as one likes, without their photos.
#[derive(Debug)]
pub struct LibraryBench(crate::library::Library);

impl LibraryBench {
    /// How many photos of at most `n` a search finds, with all that is told of each looked up.
    pub fn n_found(&self, words: &str, n: u32) -> usize {
        let words = crate::library::Words::of(words);
        let found = self
            .0
            .find(Blocking::here(), &Filter::default(), (&words, 0, n));
        let photos = found
            .into_iter()
            .filter_map(|id| self.0.photo(Blocking::here(), id));
        photos.count()
    }

    /// Reads what is written of photos, as a remote's first look at all of them does.
    pub fn prepare_search(&self) {
        self.0.prepare_search(Blocking::here());
    }

    /// Fills an index in `data_dir` with `n` rows that look like twenty-five years of photos.
    ///
    /// # Errors
    /// The index can't be kept there.
    pub fn fill(data_dir: &std::path::Path, n: u64) -> Result<Self, crate::library::IndexError> {
        let root = std::path::PathBuf::from("/nonexistent/photos");
        let library = crate::library::Library::open(vec![root], Some(data_dir))?;
        library.fill(Blocking::here(), n);
        Ok(Self(library))
    }

    /// How many photos the filter lets through, on a day in 2025.
    pub fn n_matching(&self, wishes: &[(&str, &str)]) -> usize {
        let mut filter = crate::library::Filter::default();
        for (key, value) in wishes {
            // A wish that nobody understands lets everything through, and the count shows it.
            let _ = filter.set(key, value);
        }
        let today = chrono::NaiveDate::from_ymd_opt(2025, 7, 4).unwrap_or_default();
        self.0
            .select(
                Blocking::here(),
                &filter,
                crate::timeline::Order::Shuffle,
                today,
            )
            .len()
    }

    /// The photos that `/status` tells of.
    pub fn counts(&self) -> u64 {
        self.0.counts().photos
    }
}

/// Reads what a file's bytes say of the photo, as a scan does; the length of all its texts.
pub fn metadata(bytes: &[u8]) -> usize {
    crate::library::metadata_chars(bytes)
}

/// Reads a query as the endpoints do; what was understood, as another query, or the sentence that the
/// client is told.
///
/// # Errors
/// The sentence.
pub fn query(config: &Config, query: &str) -> Result<String, String> {
    crate::endpoints::search::read(config, query)
}

/// The name of the right that a request takes, if it takes any, and whether an endpoint answers it;
/// nothing for a method that is none.
pub fn address(method: &str, path: &str, query: &str) -> Option<(Option<&'static str>, bool)> {
    crate::endpoints::search::address(method, path, query)
}

/// For fuzzing: reads and judges an offer of WebRTC.
///
/// # Errors
/// The sentence that whoever sent it is told.
#[cfg(feature = "webrtc")]
pub fn offer(text: &str) -> Result<(), String> {
    let offer = crate::webrtc::Offer::to_be_sent(text);
    offer.map(drop).map_err(|error| error.to_string())
}

/// Whether a client of that name is promised frames, and whether its `If-None-Match` names `tag`.
pub fn headers(agent: &str, if_none_match: &[u8], tag: &str) -> (bool, bool) {
    crate::endpoints::search::headers(agent, if_none_match, tag)
}
