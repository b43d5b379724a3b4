//! The servers that a request for pictures comes through, when one server shows what another one has: so that none asks
//! itself in a circle, over however many others. Pure but for a run's own name.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use crate::{hex, locked::locked};

/// The request header that names these servers, the nearest first.
pub const VIA: &str = "x-mantel-via";

/// The longest way that is followed.
const MAX_SERVERS: usize = 16;

/// The name of one run of a server, which no other run has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunName(Arc<str>);

impl RunName {
    /// A new name; where the system has no random numbers, one of no use against circles.
    pub fn random() -> Self {
        let mut random = [0; 8];
        let _ = getrandom::fill(&mut random);
        Self(hex::hex(&random).into())
    }
}

/// The way of a request, as a list of servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Via(Vec<String>);

impl Via {
    /// Reads the header; what is no name is passed over.
    pub fn read(text: &str) -> Self {
        let names = text.split(',').map(str::trim);
        let names =
            names.filter(|name| name.len() == 16 && name.bytes().all(|b| b.is_ascii_hexdigit()));
        // One more than is followed tells that it is too long.
        Self(names.take(MAX_SERVERS + 1).map(str::to_owned).collect())
    }

    /// Whether it names no server.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a request that came this way may not be answered by this run: it comes from itself, or too far.
    pub fn is_circle(&self, run: &RunName) -> bool {
        self.0.len() > MAX_SERVERS || self.0.iter().any(|name| **name == *run.0)
    }

    /// The way of a request that this run sends for who came by `ways`.
    pub fn through<'a>(run: &RunName, ways: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut names = vec![run.0.to_string()];
        for name in ways.into_iter().flat_map(|way| &way.0) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        Self(names)
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// The ways of those who watch a source at present.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways(Arc<Mutex<Vec<Arc<Via>>>>);

/// A watcher's way, counted until this is dropped.
#[derive(Debug)]
pub struct Passage {
    ways: Ways,
    way: Arc<Via>,
}

impl Ways {
    pub(super) fn enter(&self, way: Via) -> Passage {
        let way = Arc::new(way);
        locked(&self.0).push(way.clone());
        Passage {
            ways: self.clone(),
            way,
        }
    }

    /// The way of a request of this run for all of them.
    pub(super) fn through(&self, run: &RunName) -> Via {
        let ways = locked(&self.0);
        Via::through(run, ways.iter().map(|way| &**way))
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        locked(&self.ways.0).retain(|way| !Arc::ptr_eq(way, &self.way));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_seen_over_any_number_of_servers() {
        let runs: Vec<RunName> = (0..4).map(|_| RunName::random()).collect();
        let mut way = Via::default();
        for run in &runs {
            assert!(!way.is_circle(run));
            way = Via::read(&Via::through(run, [&way]).to_string());
        }
        for run in &runs {
            assert!(way.is_circle(run));
        }
        assert!(!way.is_circle(&RunName::random()));
    }

    #[test]
    fn a_way_that_is_too_long_is_a_circle_and_nonsense_is_none() {
        let long = vec!["0123456789abcdef"; MAX_SERVERS + 5].join(",");
        assert!(Via::read(&long).is_circle(&RunName::random()));
        let nonsense = Via::read("1.1 proxy, \u{fc}, 0123456789abcdeg,,");
        assert!(nonsense.is_empty() && !nonsense.is_circle(&RunName::random()));
    }

    #[test]
    fn watchers_are_counted_while_they_are_there() {
        let (ways, run) = (Ways::default(), RunName::random());
        let far = RunName::random();
        let passage = ways.enter(Via::through(&far, []));
        assert!(ways.through(&run).is_circle(&far));
        drop(passage);
        assert!(!ways.through(&run).is_circle(&far));
        assert!(ways.through(&run).is_circle(&run));
    }
}
