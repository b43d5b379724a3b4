//! Which channel a request is about, and taking hold of the feed that shows what is asked for.

use std::sync::Arc;

use http::StatusCode;

use super::{Outputs, query::Wishes};
use crate::{
    channel::{
        Channel,
        choices::{ChannelNo, FeedKey},
    },
    clock,
    hub::Lease,
    library::Filter,
    net::{Reason, Refusal},
};

/// The channel that shows the photos asked for, of which there is at least one.
pub(super) async fn choose(
    outputs: &Arc<Outputs>,
    wish: &Filter,
) -> Result<(ChannelNo, Channel), Refusal> {
    let chosen = outputs.house.channels.choose(wish).await;
    let (no, channel) = chosen.map_err(|error| Refusal::unavailable(error.to_string()))?;
    if !wish.is_all() && channel.programme().is_empty() {
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            format!("there is no photo to show for this choice: {wish}"),
        ));
    }
    Ok((no, channel))
}

/// Takes hold of the feed that shows what is wished for.
/// Beyond the limit of renditions that is the nearest one in use.
pub(super) async fn feed(
    outputs: &Arc<Outputs>,
    wishes: &Wishes,
) -> Result<(FeedKey, Lease), Refusal> {
    let (channel, held) = choose(outputs, &wishes.filter).await?;
    let mut rendition = wishes.rendition;
    // Over photos nothing is explained: whoever asks for it and whoever doesn't share what is made. As long as
    // nothing is on, what comes may be the drawn pictures.
    let showing = held
        .programme()
        .timeline(rendition.size, rendition.pair)
        .at(clock::now());
    rendition.note &=
        showing.is_none_or(|showing| outputs.house.catalogue.is_demo(showing.current.photo));
    let key = FeedKey { channel, rendition };
    let distance = |other: &FeedKey| {
        let same_photos = other.channel == channel;
        same_photos.then(|| rendition.distance(&other.rendition))?
    };
    match outputs.house.feeds.open_nearest(&key, &held, distance) {
        Ok(Some(opened)) => {
            if opened.0 != key {
                outputs.watched.connections.refuse(Reason::Renditions);
            }
            Ok(opened)
        }
        Ok(None) => Err(Refusal::unavailable("the server is stopping")),
        Err(full) => {
            outputs.watched.connections.refuse(Reason::Renditions);
            Err(Refusal::unavailable(full.to_string()))
        }
    }
}
