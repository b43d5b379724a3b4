//! The fate of the H.264 that is sent to a live channel, in words: whether it is passed through to who watches it in some
//! shape, or why it is encoded again. Decides neither.

use crate::{
    channel::live::LiveChannel, clock, endpoints::Outputs, producer::asks, rendition::Rendition,
    source::live::Fate,
};

/// The encoder of the channel's video in this shape; none where no video is sent.
pub(super) fn told(outputs: &Outputs, live: &LiveChannel, shape: &Rendition) -> Option<String> {
    let source = live.source().reader();
    let fate = *source.strip().fate().borrow();
    let veils = outputs.house.channels.veils();
    let night = live.night();
    let is_dark = night.is_some_and(|plan| veils.own_night(plan, clock::now()).light < 1000);
    let why = match fate {
        Fate::None => return None,
        Fate::Encoded(why) => why.to_string(),
        Fate::Passed(_) if source.words().is_some() => "words are written on its pictures".into(),
        Fate::Passed(_) if is_dark => "it is darkened".into(),
        Fate::Passed(form) => match asks(shape, form) {
            None => return Some("passed through".into()),
            Some(asks) => asks.to_string(),
        },
    };
    Some(format!("encoded again: {why}"))
}
