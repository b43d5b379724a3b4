//! Vital tasks and threads, without which the server is of no use: when one ends, with a panic or
//! without, the program ends, too, so that whatever started it can start it again. A server that
//! answers and shows nothing is worse than one that is gone for a second.

use tokio::sync::mpsc;

/// A token that a vital part of the program holds for as long as it works.
#[derive(Debug)]
pub struct Vital {
    name: &'static str,
    tell: mpsc::UnboundedSender<&'static str>,
}

impl Drop for Vital {
    fn drop(&mut self) {
        // The receiver is gone once the program is ending.
        let _ = self.tell.send(self.name);
    }
}

/// The receiver that is told when a vital part ends.
#[derive(Debug)]
pub struct Vitals {
    tell: mpsc::UnboundedSender<&'static str>,
    ended: mpsc::UnboundedReceiver<&'static str>,
}

impl Default for Vitals {
    fn default() -> Self {
        let (tell, ended) = mpsc::unbounded_channel();
        Self { tell, ended }
    }
}

impl Vitals {
    /// Makes the token of a vital part that begins; `name` tells people what it does.
    pub fn begins(&self, name: &'static str) -> Vital {
        Vital {
            name,
            tell: self.tell.clone(),
        }
    }

    /// Waits until a vital part has ended, and returns its name.
    pub async fn one_ends(&mut self) -> &'static str {
        match self.ended.recv().await {
            Some(name) => name,
            // Never comes while `self.tell` holds the sending end.
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn an_end_is_heard_of_however_it_came() {
        let mut vitals = Vitals::default();
        assert!(vitals.one_ends().now_or_never().is_none());
        let vital = vitals.begins("a thread");
        let thread = std::thread::spawn(move || {
            let _vital = vital;
            panic!("on purpose");
        });
        assert!(thread.join().is_err());
        assert_eq!(vitals.one_ends().await, "a thread");
        let vital = vitals.begins("a task");
        let task = tokio::spawn(async move {
            let _vital = vital;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        assert!(vitals.one_ends().now_or_never().is_none());
        task.abort();
        assert_eq!(vitals.one_ends().await, "a task");
    }
}
