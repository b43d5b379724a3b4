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
    election::{Change, Election, Role},
    hello::{self, ChannelFacts, Facts},
    wants::{self, Refusals, Wants},
};
use crate::rights::{Need, Right};

/// How often it is asked whether there is another one.
const LOOKS_EVERY: Duration = Duration::from_secs(3);
/// How long another one may take to answer.
const ANSWER_TIME: Duration = Duration::from_millis(500);

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
            () = &mut election => {}
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
                if !bus.is_of_now(&part) {
                    continue;
                }
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
async fn elect(bus: &Bus, role: &watch::Sender<Role>) {
    let mut is_up = bus.is_up();
    let mut election = Election::new(bus.run);
    loop {
        if bus.is_connected() && bus.takes_enough() {
            let others = contact::ask_all(bus, None, ANSWER_TIME).await;
            let claims = others
                .iter()
                .map(|other| (other.facts.up_millis, other.run));
            if let Some(change) = election.heard(claims, Instant::now()) {
                tell(bus, change);
                role.send_replace(election.role());
            }
        }
        let pause = if election.role() == Role::Unknown {
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

fn tell(bus: &Bus, change: Change) {
    let (house, servers) = (bus.house(), bus.servers());
    match change {
        Change::Begins => {
            tracing::info!(house, %servers, "other machines can show this house: mantel edge --nats …");
        }
        Change::StandsBy => tracing::error!(
            house,
            "another server sends the pictures of this house; this one doesn't, until that one is gone (--house gives each a name of its own)"
        ),
        Change::TakesOver => tracing::warn!(
            house,
            "the other server is gone; this one's pictures are sent from now on"
        ),
    }
}
