//! Answers that are video: `/stream.h264`, `/stream.ts` and `/stream.mp4`, all of one encoder, each viewer's from a key
//! frame on.

mod backlog;
mod blocks;
mod clip;
mod container;
pub(super) mod hls;
pub(super) mod rtc;
pub(super) mod whep;
pub(super) mod whip;

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use http::{StatusCode, header};
use warp::reply::Response;

use super::{
    Outputs, Request,
    address::Form,
    open,
    pictures::body::{Age, Endless, More, Script},
    query, reply,
    state::viewers::{Outlet, Viewing},
};
use crate::{
    clock,
    hub::{Frame, Lease, Reader},
    net::Refusal,
    rendition::video::{self, NoVideo},
};
use clip::Clip;
use container::Container;

/// The key that asks for so much of the video and no more.
const DURATION: &str = "duration";

pub(super) async fn answer(
    outputs: &Arc<Outputs>,
    request: &Request,
    form: Form,
) -> Result<Response, Refusal> {
    let passage = open::passage(outputs, request)?;
    let wishes = open::wishes(outputs, request, outputs.looks.rendition)?;
    let clip = clip(&request.query)?;
    let fills = query::fills(&request.query)?;
    video::can_be(wishes.rendition.size).map_err(|why| no_video(&why))?;
    let (key, lease) = open::feed(outputs, request, &wishes).await?;
    // The one that stands in for it, where there is no room for more.
    video::can_be(key.rendition.size).map_err(|why| no_video(&why))?;
    let container = Container::new(form, clip, fills);
    let mut script = Video {
        reader: lease.read(container.needs_keys()),
        _lease: lease,
        container,
    };
    script.reader.need(script.container.needs());
    let viewing = outputs.watched.viewers.enter(
        outlet(form),
        request.who(),
        key,
        clock::now(),
        request.visitor.connection.clone(),
    );
    let body = Endless {
        script,
        viewing,
        visitor: request.visitor.clone(),
        _passage: passage,
        ready: VecDeque::new(),
    };
    let mut response = body.into_response(content_type(form));
    if clip.is_some() {
        let now = clock::local().format("%Y-%m-%d-%H%M%S");
        let name = format!(
            "attachment; filename=\"{}-{now}.{}\"",
            request.channel,
            ending(form)
        );
        if let Ok(name) = name.parse() {
            response
                .headers_mut()
                .insert(header::CONTENT_DISPOSITION, name);
        }
    }
    Ok(response)
}

fn clip(query: &str) -> Result<Option<Clip>, Refusal> {
    let Some(text) = query::value(query, DURATION) else {
        return Ok(None);
    };
    let clip = text.parse();
    clip.map(Some)
        .map_err(|reason: &str| reply::bad_value(DURATION, &text, reason))
}

fn no_video(why: &NoVideo) -> Refusal {
    Refusal::new(StatusCode::NOT_IMPLEMENTED, why.to_string())
}

fn outlet(form: Form) -> Outlet {
    match form {
        Form::H264 => Outlet::H264,
        Form::Ts => Outlet::Ts,
        Form::Mp4 => Outlet::Mp4,
    }
}

fn content_type(form: Form) -> &'static str {
    match form {
        Form::H264 => "video/h264",
        Form::Ts => "video/mp2t",
        Form::Mp4 => "video/mp4",
    }
}

fn ending(form: Form) -> &'static str {
    match form {
        Form::H264 => "h264",
        Form::Ts => "ts",
        Form::Mp4 => "mp4",
    }
}

/// One viewer's video.
struct Video {
    _lease: Lease,
    reader: Reader,
    container: Container,
}

impl Script for Video {
    async fn more(&mut self, viewing: &Viewing, out: &mut VecDeque<Bytes>) -> More {
        let Some(unit) = self.reader.next().await else {
            self.container.end(out);
            return More::Over;
        };
        let n_missed = self.reader.take_missed();
        viewing.skipped(n_missed);
        if !self.container.put(&unit, out) {
            self.container.end(out);
            return More::Over;
        }
        self.reader.need(self.container.needs());
        if self.container.wants_key() {
            self.reader.want_key();
        }
        More::Frames {
            n: 1,
            age: Age::default(),
        }
    }

    fn standing(&self) -> Option<&Frame> {
        None
    }
}
