//! Work that comes back from the studio: what becomes of it, and what the library is told.

use std::sync::Arc;

use super::{
    Producer,
    screen::Screen,
    slide::{Failed, Rendered},
    studio::Done,
    work::Work,
};
use crate::{blocking::Blocking, library::Library, source::gallery::LoadError, timeline::Turn};

impl Producer {
    /// Takes what a worker has finished, or could not.
    pub(super) fn finish(
        &self,
        done: Result<Done, tokio::task::JoinError>,
        work: &mut Work,
        screen: &mut Screen,
    ) {
        match done {
            Ok(Done::Rendered(turn, Ok(rendered))) => {
                work.rendering.remove(&turn);
                let all = self.channel.programme();
                let showing = all.and_then(|all| self.timeline(&all).at(self.clock.now()));
                work.lagging = showing.is_none_or(|showing| {
                    ![showing.current, showing.next]
                        .map(|slide| work.left_of(slide.turn()))
                        .contains(&Some(turn))
                });
                self.library().shown(turn.photos());
                self.remember(&rendered);
                work.spare = Some((turn, rendered.clone()));
                work.cache.insert(turn, rendered);
            }
            Ok(Done::Rendered(turn, Err(Failed { photo, error }))) => {
                work.rendering.remove(&turn);
                work.failed.insert(photo.id);
                let library = self.library().clone();
                match &*error {
                    LoadError::Gone => {
                        Blocking::begin(move |blocking| library.forget(blocking, &photo));
                    }
                    error if error.is_passing() => library.not_now(&photo, &error.to_string()),
                    error => {
                        let reason = error.to_string();
                        Blocking::begin(move |blocking| library.skip(blocking, &photo, reason));
                    }
                }
            }
            Ok(Done::Missing(turn, missing)) => {
                work.rendering.remove(&turn);
                // Gone since the playlist was made; a new one is on its way.
                work.failed.extend(missing);
            }
            Ok(Done::Blended(key, jpeg)) => {
                work.blending = false;
                if let (Some(coarseness), Some(jpeg)) = (&mut work.coarseness, &jpeg) {
                    coarseness.took(jpeg.len(), self.clock.now());
                }
                screen.blended(key, jpeg);
            }
            // It was given up, because its moment had passed.
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                // A panic in a worker is a bug, but no reason for a black wall.
                tracing::error!(%error, "a rendering worker failed");
                work.blending = false;
                let lost: Vec<Turn> = work.rendering.drain().map(|(turn, _)| turn).collect();
                work.failed.extend(lost.into_iter().flat_map(Turn::photos));
            }
        }
    }
}

impl Producer {
    fn library(&self) -> &Arc<Library> {
        self.catalogue.library()
    }

    /// Tells the library what photos look like, each once, so that like ones are not shown in a row; and what is damaged.
    fn remember(&self, rendered: &Rendered) {
        for (photo, why) in rendered.damaged.iter().map(Clone::clone) {
            let library = self.library().clone();
            Blocking::begin(move |blocking| library.damaged(blocking, &photo, &why));
        }
        for (id, likeness) in rendered.looks.iter().copied() {
            if self.studio.is_first_look(id) {
                let library = self.library().clone();
                Blocking::begin(move |blocking| library.set_likeness(blocking, id, Some(likeness)));
            }
        }
    }
}
