//! The order in which slides are rendered, and how many at a time.
//!
//! Pure: who waits, how urgent that is and what there is to lend are values; waiting itself is
//! [`admission`](super::admission)'s. The most urgent is next, of two alike the one that came first.
//! Nobody overtakes it, however small: a large photo would else wait for ever.

/// How urgent a slide is, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Urgency {
    /// Its moment has passed.
    Past,
    /// It is on, but nobody watches.
    Idle,
    /// It comes next on a screen.
    Next,
    /// A screen waits for it.
    Current,
}

/// A queue of those who wait for a worker and for memory, and how much of both is free.
#[derive(Debug)]
pub(super) struct Queue<T> {
    n_free: usize,
    free_mib: u32,
    waiting: Vec<Waiting<T>>,
    last: Ticket,
}

/// One that waits.
#[derive(Debug)]
struct Waiting<T> {
    ticket: Ticket,
    n_mib: u32,
    who: T,
}

/// The number under which somebody waits; grows with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

impl<T> Queue<T> {
    /// A queue for so many workers, who share so many MiB.
    pub(super) fn new(n_workers: usize, memory_mib: u32) -> Self {
        Self {
            n_free: n_workers,
            free_mib: memory_mib,
            waiting: Vec::new(),
            last: Ticket::default(),
        }
    }

    /// Somebody begins to wait for a worker and `n_mib`.
    pub(super) fn ask(&mut self, n_mib: u32, who: T) -> Ticket {
        self.last.0 += 1;
        let ticket = self.last;
        self.waiting.push(Waiting { ticket, n_mib, who });
        ticket
    }

    /// Somebody waits no longer.
    pub(super) fn leave(&mut self, ticket: Ticket) -> Option<T> {
        let at = self.waiting.iter().position(|one| one.ticket == ticket)?;
        Some(self.waiting.remove(at).who)
    }

    /// The one whose turn it is, with what they are lent, if there is a worker and memory for them. How urgent
    /// each is may have changed since they asked.
    pub(super) fn admit(&mut self, urgency: impl Fn(&T) -> Urgency) -> Option<(T, u32)> {
        if self.n_free == 0 {
            return None;
        }
        let all = self.waiting.iter().enumerate();
        let (at, first) =
            all.max_by_key(|(_, one)| (urgency(&one.who), std::cmp::Reverse(one.ticket)))?;
        if first.n_mib > self.free_mib {
            return None;
        }
        let Waiting { n_mib, who, .. } = self.waiting.remove(at);
        self.n_free -= 1;
        self.free_mib -= n_mib;
        Some((who, n_mib))
    }

    /// A worker is free again, and so much memory.
    pub(super) fn give_back(&mut self, n_mib: u32) {
        self.n_free += 1;
        self.free_mib += n_mib;
    }

    /// MiB that nobody has.
    pub(super) fn free_mib(&self) -> u32 {
        self.free_mib
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Workers that have nothing to do.
    #[cfg(test)]
    pub(super) fn n_free(&self) -> usize {
        self.n_free
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Urgency; 4] = [
        Urgency::Past,
        Urgency::Idle,
        Urgency::Next,
        Urgency::Current,
    ];

    #[test]
    fn the_most_urgent_is_next_and_of_two_alike_the_first() {
        let mut queue = Queue::new(1, 100);
        for who in [
            (1, Urgency::Idle),
            (2, Urgency::Next),
            (3, Urgency::Current),
            (4, Urgency::Past),
            (5, Urgency::Current),
            (6, Urgency::Next),
        ] {
            queue.ask(10, who);
        }
        let mut order = Vec::new();
        while let Some(((who, _), n_mib)) = queue.admit(|who| who.1) {
            order.push(who);
            assert!(queue.admit(|who| who.1).is_none(), "there is one worker");
            queue.give_back(n_mib);
        }
        assert_eq!(order, [3, 5, 2, 6, 1, 4]);
    }

    #[test]
    fn urgency_counts_when_a_worker_is_free_not_when_it_was_asked() {
        let mut queue = Queue::new(1, 100);
        queue.ask(10, 1);
        queue.ask(10, 2);
        // The slide changed meanwhile: what came next is on now.
        let now = |who: &i32| {
            if *who == 2 {
                Urgency::Current
            } else {
                Urgency::Past
            }
        };
        assert_eq!(queue.admit(now), Some((2, 10)));
    }

    #[test]
    fn who_needs_much_is_not_overtaken_and_who_leaves_frees_the_way() {
        let mut queue = Queue::new(3, 100);
        queue.ask(60, 'a');
        assert!(queue.admit(|_| Urgency::Next).is_some());
        let large = queue.ask(80, 'b');
        queue.ask(10, 'c');
        assert_eq!(queue.admit(|_| Urgency::Next), None);
        assert_eq!(queue.leave(large), Some('b'));
        assert_eq!(queue.leave(large), None);
        assert_eq!(queue.admit(|_| Urgency::Next), Some(('c', 10)));
        assert_eq!(queue.free_mib(), 30);
    }

    proptest! {
        /// Whatever happens in whatever order: nothing is lent twice, nobody is lost, and whoever is
        /// let in is one that a search through all would have chosen.
        #[test]
        fn it_agrees_with_a_search_through_all(
            steps in prop::collection::vec((0..4_u8, 0..100_u32, 0..4_usize), 1..200),
        ) {
            let mut queue = Queue::new(2, 100);
            let (mut waiting, mut lent) = (Vec::new(), Vec::new());
            for (no, (step, n_mib, urgency)) in steps.into_iter().enumerate() {
                match step {
                    0 | 1 => {
                        let ticket = queue.ask(n_mib, (no, ALL[urgency]));
                        waiting.push((ALL[urgency], no, n_mib, ticket));
                    }
                    2 if !waiting.is_empty() => {
                        let (_, no, _, ticket) = waiting.remove(n_mib as usize % waiting.len());
                        prop_assert_eq!(queue.leave(ticket).map(|who| who.0), Some(no));
                    }
                    _ if !lent.is_empty() => queue.give_back(lent.remove(0)),
                    _ => {}
                }
                while let Some(((no, _), n_mib)) = queue.admit(|who| who.1) {
                    let best = waiting.iter().map(|one| one.0).max().expect("somebody waits");
                    let first = waiting.iter().position(|one| one.0 == best).expect("found above");
                    prop_assert_eq!(waiting.remove(first).1, no);
                    lent.push(n_mib);
                }
                prop_assert!(lent.len() <= 2 && lent.iter().sum::<u32>() <= 100);
                prop_assert_eq!(queue.free_mib(), 100 - lent.iter().sum::<u32>());
                prop_assert_eq!((queue.len(), queue.n_free()), (waiting.len(), 2 - lent.len()));
            }
        }
    }
}
