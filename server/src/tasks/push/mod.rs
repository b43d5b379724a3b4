//! `mantel push`: sends pictures to a live channel of another Mantel, one request a picture.
//!
//! [`feed`] brings them, [`sender`] sends them and tries again, [`told`] says how it goes. Between the first two is room for
//! one picture: either a newer one takes its place, or it waits.

mod feed;
mod sender;
mod slot;
mod told;

use std::io::{self, Write};

use tokio::runtime;

use crate::{config::PushTask, fetch::FetchError};
use sender::Sender;
use slot::Slot;
use told::Told;

/// Why not everything was sent, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The server lets nobody push without a proof of who they are.
    #[error(
        "the server wants to know who pushes ({0}); give --token TOKEN, or a name and a password in --to \
         http://NAME:PASSWORD@HOST"
    )]
    Unknown(String),
    /// The server has another reason for taking no picture at all.
    #[error("the server takes no pictures for this channel: {0}")]
    Refused(String),
    /// The server can't be asked, and trying again won't help.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Some of the pictures are none, or none that the server takes; each was named.
    #[error("{0} of the pictures could not be sent")]
    Bad(u64),
    /// The folder or standard input can't be read.
    #[error("{0}")]
    Read(String),
    /// The program can't start what it needs, or nobody reads what it prints.
    #[error("can't go on: {0}")]
    System(#[from] io::Error),
}

/// Sends pictures until there are no more.
///
/// # Errors
/// The server takes none, or some are no pictures.
pub fn push(task: &PushTask, out: &mut impl Write) -> Result<(), PushError> {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let mut told = Told::new(&task.name, &task.to);
    let result = runtime.block_on(run(task, &mut told));
    // What waits for standard input can't be ended.
    runtime.shutdown_background();
    writeln!(out, "{}", told.end())?;
    result
}

async fn run(task: &PushTask, told: &mut Told) -> Result<(), PushError> {
    let slot = Slot::new(task.waits);
    let fed = async {
        let fed = feed::feed(task, &slot).await;
        slot.end();
        fed
    };
    let mut sender = Sender::new(task, told);
    let sent = async {
        let sent = sender.run(&slot).await;
        // Nobody takes pictures any more.
        slot.end();
        sent
    };
    let asked_to_stop = tokio::signal::ctrl_c();
    let both = async {
        tokio::pin!(fed, sent);
        tokio::select! {
            // The feed may be waiting for pictures that nobody wants.
            sent = &mut sent => return sent,
            fed = &mut fed => fed?,
        }
        sent.await
    };
    tokio::select! {
        done = both => done?,
        _ = asked_to_stop => {}
    }
    match told.n_bad() {
        0 => Ok(()),
        n => Err(PushError::Bad(n)),
    }
}
