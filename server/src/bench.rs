//! What the benchmarks need of the inside: the way from hub to socket, without photos.

use std::sync::Arc;

use tokio::{net::TcpListener, sync::watch};

pub use crate::hub::{Feed, FrameNo, Framing, Now};
use crate::{app, config::Config, hub::Feeds, net, rendition::Rendition};

/// Serves what `publish` puts into each feed that is opened, and nothing else, without end.
pub async fn serve_frames<F, Fut>(config: Config, listener: TcpListener, publish: F)
where
    F: Fn(Arc<Feed>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let feeds = Arc::new(Feeds::new(1, move |_: Rendition, feed| {
        tokio::spawn(publish(feed));
    }));
    let (_stop, stopped) = watch::channel(false);
    let (outputs, _channel) = app::outputs_alone(&config, feeds);
    let accept = app::accept(&config, Arc::new(outputs));
    net::serve(listener, accept, stopped).await;
}
