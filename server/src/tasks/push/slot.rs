//! The room for one picture between what brings pictures and what sends them.

use std::sync::Mutex;

use mantel_media::inlet::Sample;
use tokio::sync::Notify;

use crate::locked::locked;

/// A picture that is to be sent.
#[derive(Debug)]
pub(super) struct Picture {
    /// The file's name, if it has one.
    pub(super) name: Option<String>,
    /// The picture, or why there is none.
    pub(super) sample: Result<Sample, String>,
}

/// Room for one picture.
#[derive(Debug)]
pub(super) struct Slot {
    /// Whether who brings the next one waits until there is room; else the newer one takes the place.
    waits: bool,
    held: Mutex<Held>,
    has_come: Notify,
    has_room: Notify,
}

#[derive(Debug, Default)]
struct Held {
    next: Option<Picture>,
    is_over: bool,
    n_dropped: u64,
}

impl Slot {
    pub(super) fn new(waits: bool) -> Self {
        Self {
            waits,
            held: Mutex::default(),
            has_come: Notify::new(),
            has_room: Notify::new(),
        }
    }

    /// Puts a picture where it is taken from. Tells whether more are wanted.
    pub(super) async fn put(&self, picture: Picture) -> bool {
        loop {
            {
                let mut held = locked(&self.held);
                if held.is_over {
                    return false;
                }
                if held.next.is_none() || !self.waits {
                    held.n_dropped += u64::from(held.next.replace(picture).is_some());
                    self.has_come.notify_one();
                    return true;
                }
            }
            self.has_room.notified().await;
        }
    }

    /// The next picture; `None` when no more come.
    pub(super) async fn next(&self) -> Option<Picture> {
        loop {
            {
                let mut held = locked(&self.held);
                if let Some(picture) = held.next.take() {
                    self.has_room.notify_one();
                    return Some(picture);
                }
                if held.is_over {
                    return None;
                }
            }
            self.has_come.notified().await;
        }
    }

    /// Whether a newer picture has come than the one that was taken.
    pub(super) fn has_newer(&self) -> bool {
        !self.waits && locked(&self.held).next.is_some()
    }

    /// Says that the picture that was taken is not sent: a newer one is.
    pub(super) fn drop_one(&self) {
        locked(&self.held).n_dropped += 1;
    }

    /// How many pictures a newer one took the place of.
    pub(super) fn n_dropped(&self) -> u64 {
        locked(&self.held).n_dropped
    }

    /// No more come, or none are taken.
    pub(super) fn end(&self) {
        locked(&self.held).is_over = true;
        self.has_come.notify_one();
        self.has_room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn picture(name: &str) -> Picture {
        Picture {
            name: Some(name.into()),
            sample: Err("none".into()),
        }
    }

    async fn name(slot: &Slot) -> Option<String> {
        slot.next().await.and_then(|picture| picture.name)
    }

    #[tokio::test]
    async fn the_newest_wins_or_all_wait() {
        let newest = Slot::new(false);
        for name in ["a", "b", "c"] {
            assert!(newest.put(picture(name)).await);
        }
        assert_eq!(name(&newest).await.unwrap(), "c");
        assert_eq!(newest.n_dropped(), 2);

        let all = Slot::new(true);
        let bring = async {
            for name in ["a", "b", "c"] {
                assert!(all.put(picture(name)).await);
            }
            all.end();
        };
        let take = async {
            let mut got = Vec::new();
            while let Some(name) = name(&all).await {
                got.push(name);
            }
            got
        };
        let ((), got) = tokio::join!(bring, take);
        assert_eq!(got, ["a", "b", "c"]);
        assert_eq!(all.n_dropped(), 0);
        // Nothing is taken any more.
        assert!(!all.put(picture("d")).now_or_never().unwrap());
    }
}
