//! The machine whose pictures are shown: answers who is there, grants wishes, has requests answered. Of two for one house the
//! second says so and stands by until the first is gone.

#![expect(
    clippy::disallowed_methods,
    reason = "how long a machine has sent its pictures is no matter of the wall clock"
)]

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use mantel_media::wire::Kind;
use tokio::{sync::watch, time::Instant};

use super::{
    House, asks,
    bus::{Bus, Unsent},
    contact,
    hello::{self, ChannelFacts, Facts},
    wants::{self, Refusals, Wants},
};
use crate::rights::{Need, Right};

/// How often it is asked whether there is another one.
const LOOKS_EVERY: Duration = Duration::from_secs(3);
/// How long another one may take to answer.
const ANSWER_TIME: Duration = Duration::from_millis(500);
/// Questions without an answer after which one that stands by takes over.
const GONE_AFTER: u32 = 3;

/// Whether this machine sends its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It has not been asked yet whether there is another one.
    Unknown,
    /// It does, since then.
    Sends(Instant),
    /// Another one does.
    StandsBy,
}

/// Sends the pictures of `house`, until `stopped`.
pub(super) async fn run(
    bus: Arc<Bus>,
    house: House,
    refusals: Arc<Refusals>,
    mut stopped: watch::Receiver<bool>,
) {
    tokio::select! {
        sent = serve(bus, house, refusals) => if let Err(error) = sent {
            tracing::error!("no other machine can show this house: {error}");
        },
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}

async fn serve(bus: Arc<Bus>, house: House, refusals: Arc<Refusals>) -> Result<(), Unsent> {
    let mut questions = bus.hear(bus.subject("hello")).await?;
    let mut wishes = bus.hear(bus.subject("want.>")).await?;
    let mut requests = bus.hear(bus.subject("ask")).await?;
    let role = watch::Sender::new(Role::Unknown);
    let mut wants = Wants::new(bus.clone(), house.clone(), refusals);
    let mut asks = asks::Answers::new(bus.clone(), house.clone());
    let mut roles = role.subscribe();
    let election = elect(&bus, &role);
    tokio::pin!(election);
    loop {
        tokio::select! {
            lost = &mut election => return lost,
            Ok(()) = roles.changed() => if *roles.borrow_and_update() == Role::StandsBy {
                wants.clear();
            },
            Some(message) = questions.next() => {
                let topic = hello::topic(bus.house());
                let Some(part) = bus.read_whole(&message.payload, Kind::Hello, topic) else { continue };
                let since = match *role.borrow() {
                    Role::Sends(since) if part.head.run != bus.run => since,
                    _ => continue,
                };
                if let Some(reply) = &message.reply {
                    let (head, content) = hello::answer(&bus, &part, &facts(&house, since));
                    bus.send(reply, None, head, &content).await?;
                }
            }
            Some(message) = wishes.next() => {
                let topic = wants::topic(bus.house());
                let Some(part) = bus.read_whole(&message.payload, Kind::Want, topic) else { continue };
                if matches!(*role.borrow(), Role::Sends(_)) {
                    let reply = message.reply.as_ref().map(ToString::to_string);
                    wants.take(&part, reply).await;
                }
            }
            Some(message) = requests.next() => {
                if matches!(*role.borrow(), Role::Sends(_)) {
                    let reply = message.reply.as_ref().map(ToString::to_string);
                    asks.take(&message.payload, reply);
                }
            }
        }
    }
}

fn facts(house: &House, since: Instant) -> Facts {
    let live = house.channels.live().all();
    let shown = live.iter().filter(|live| {
        let need = Need::Of(Right::Watch, live.name().clone());
        house.rights.allow(&need)
    });
    Facts {
        up_millis: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
        interval_millis: house.interval_millis(),
        channels: shown
            .map(|live| ChannelFacts {
                name: live.name().to_string(),
                size: live.size().map(|size| size.to_string()),
            })
            .collect(),
    }
}

/// Finds out, all the time, whether another machine sends the pictures of this house.
async fn elect(bus: &Bus, role: &watch::Sender<Role>) -> Result<(), Unsent> {
    let mut is_up = bus.is_up();
    let mut n_alone = 0;
    loop {
        if bus.is_connected() {
            bus.max_message()?;
            let others = contact::ask_all(bus, None, ANSWER_TIME).await;
            let first = others
                .iter()
                .max_by_key(|other| (other.facts.up_millis, other.run));
            let now = *role.borrow();
            match (now, first) {
                (Role::Unknown, None) => {
                    tracing::info!(house = bus.house(), servers = %bus.servers(), "other machines can show this house: mantel edge --nats …");
                    role.send_replace(Role::Sends(Instant::now()));
                }
                (Role::Unknown, Some(_)) => stand_by(bus, role),
                (Role::Sends(since), Some(other)) => {
                    let own = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
                    if (other.facts.up_millis, other.run) > (own, bus.run) {
                        stand_by(bus, role);
                    }
                }
                (Role::StandsBy, None) => {
                    n_alone += 1;
                    if n_alone >= GONE_AFTER {
                        tracing::warn!(
                            house = bus.house(),
                            "the other server is gone; this one's pictures are sent from now on"
                        );
                        role.send_replace(Role::Sends(Instant::now()));
                    }
                }
                (Role::StandsBy, Some(_)) => n_alone = 0,
                (Role::Sends(_), None) => {}
            }
        }
        let pause = if *role.borrow() == Role::Unknown {
            LOOKS_EVERY / 10
        } else {
            LOOKS_EVERY
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Ok(()) = is_up.changed() => {}
        }
    }
}

fn stand_by(bus: &Bus, role: &watch::Sender<Role>) {
    tracing::error!(
        house = bus.house(),
        "another server sends the pictures of this house; this one doesn't, until that one is gone (--house gives each a name of its own)"
    );
    role.send_replace(Role::StandsBy);
}
