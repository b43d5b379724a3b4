use std::sync::mpsc;

use super::{super::queue::Urgency, *};
use crate::{
    blocking::Blocking,
    library::{Filter, Library, Photo},
    render::{Fit, Size},
    rendition::{Captions, Fps},
    source::catalogue::Catalogue,
    timeline::{Order, Transition, Veil},
};

fn limits() -> StudioLimits {
    StudioLimits {
        time: Duration::from_millis(40),
        ..StudioLimits::new(1, 1024)
    }
}

fn rendition(width: u32) -> Rendition {
    Rendition {
        size: Size::new(width, width * 9 / 16),
        fit: Fit::Blur,
        quality: Quality::new(80).unwrap(),
        bitrate: None,
        gop: None,
        fps: Fps(10),
        transition: Transition::Cut,
        pair: crate::rendition::Pair::Wide,
        captions: Captions::default(),
        note: true,
    }
}

fn subjects() -> Vec<Subject> {
    let catalogue = Catalogue::new(Arc::new(Library::in_memory(Vec::new())));
    let blocking = Blocking::here();
    let entries = catalogue.entries_or_demo(blocking, &Filter::default(), Order::Name);
    let photos = entries
        .iter()
        .filter_map(|entry| catalogue.photo(blocking, entry.id));
    photos
        .map(|photo| Subject {
            photo,
            beside: None,
            note: None,
            veil: Veil::default(),
            is_small: false,
        })
        .collect()
}

/// A thread's work, with so much memory lent for it.
async fn timed<T: Send + 'static>(
    studio: &Arc<Studio>,
    n_mib: u32,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, LoadError> {
    let lent = studio.lend(n_mib, Claims::default()).await;
    studio.timed(lent, work).await
}

async fn rendered(studio: &Arc<Studio>, subject: &Subject, rendition: Rendition) -> Arc<Rendered> {
    let claim = Claim::new(Urgency::Current);
    match studio
        .clone()
        .render(subject.clone(), rendition, claim)
        .await
    {
        Done::Rendered(_, Ok(rendered)) => rendered,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_same_is_rendered_once_at_a_time_and_later() {
    let studio = Arc::new(Studio::new(StudioLimits::new(2, 1024), Arc::default()));
    let subject = &subjects()[0];
    let (a, b) = tokio::join!(
        rendered(&studio, subject, rendition(320)),
        rendered(
            &studio,
            subject,
            Rendition {
                fps: Fps(30),
                ..rendition(320)
            }
        ),
    );
    assert!(Arc::ptr_eq(&a, &b));
    let later = rendered(&studio, subject, rendition(320)).await;
    assert!(Arc::ptr_eq(&a, &later));
    assert_eq!(
        (
            studio.stats.cache_hits.load(Relaxed),
            studio.stats.cache_misses.load(Relaxed)
        ),
        (1, 2)
    );
    let other = rendered(&studio, subject, rendition(480)).await;
    assert_eq!(size_of(&other), Size::new(480, 270));
    assert!(studio.running.lock().unwrap().is_empty());
}

fn size_of(rendered: &Rendered) -> Size {
    let picture = render::decode(&rendered.jpeg, &DecodeLimits::default());
    picture.unwrap().size()
}

#[tokio::test]
async fn two_share_a_frame_and_what_is_told_of_it() {
    let studio = Arc::new(Studio::new(StudioLimits::new(2, 1024), Arc::default()));
    let [first, second, ..] = &subjects()[..] else {
        panic!("no demo")
    };
    let both = Subject {
        photo: first.photo.clone(),
        beside: Some(second.photo.clone()),
        note: None,
        veil: Veil::default(),
        is_small: false,
    };
    let pair = rendered(&studio, &both, rendition(320)).await;
    assert_eq!(size_of(&pair), Size::new(320, 180));
    let caption = pair.notes.caption.clone().unwrap();
    assert!(caption.contains(&*first.photo.name) && caption.contains(&*second.photo.name));
    let alone = rendered(&studio, first, rendition(320)).await;
    assert_ne!(alone.jpeg, pair.jpeg);
}

#[tokio::test]
async fn a_photo_that_is_gone_is_to_blame_not_its_companion() {
    let studio = Arc::new(Studio::new(StudioLimits::new(2, 1024), Arc::default()));
    let subject = &subjects()[0];
    let gone = Photo {
        id: PhotoId(7),
        origin: crate::library::Origin::File("/no/such/photo.jpg".into()),
        ..(*subject.photo).clone()
    };
    let both = Subject {
        photo: subject.photo.clone(),
        beside: Some(Arc::new(gone)),
        note: None,
        veil: Veil::default(),
        is_small: false,
    };
    let claim = Claim::new(Urgency::Current);
    let done = studio.clone().render(both, rendition(320), claim).await;
    let Done::Rendered(_, Err(failed)) = done else {
        panic!("{done:?}")
    };
    assert_eq!(failed.photo.id, PhotoId(7));
    assert!(matches!(*failed.error, LoadError::Gone));
}

#[tokio::test]
async fn a_decoder_that_hangs_is_left_alone() {
    let studio = Arc::new(Studio::new(limits(), Arc::default()));
    let (release, hang) = mpsc::channel::<()>();
    let hangs = timed(&studio, 1024, move || hang.recv().is_ok()).await;
    let sentence = hangs.unwrap_err().to_string();
    assert_eq!(
        sentence,
        "nothing has come of it in 0 s: its drive does not answer, or the machine is busy"
    );
    assert_eq!(studio.stats.n_hanging.load(Relaxed), 1);
    // Worker and memory are there again.
    assert_eq!(timed(&studio, 1024, || 5).await.unwrap(), 5);
    drop(release);
    while studio.stats.n_hanging.load(Relaxed) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_hangs_beyond_the_limit_holds_what_it_has() {
    let studio = Arc::new(Studio::new(limits(), Arc::default()));
    let mut releases = Vec::new();
    for _ in 0..=MAX_HANGING {
        let (release, hang) = mpsc::channel::<()>();
        releases.push(release);
        assert!(
            timed(&studio, 1, move || hang.recv().is_ok())
                .await
                .is_err()
        );
    }
    assert_eq!(studio.admission.n_free(), 0);
    releases.clear();
    assert_eq!(timed(&studio, 1, || 5).await.unwrap(), 5);
}

#[tokio::test]
async fn memory_is_lent_by_estimate() {
    let studio = Arc::new(Studio::new(
        StudioLimits {
            memory_mib: 100,
            ..StudioLimits::new(4, 1024)
        },
        Arc::default(),
    ));
    let running = Arc::new(AtomicUsize::new(0));
    let work = |n_mib| {
        let (studio, running) = (studio.clone(), running.clone());
        tokio::spawn(async move {
            let work = move || {
                let n = running.fetch_add(1, Relaxed) + 1;
                std::thread::sleep(Duration::from_millis(20));
                running.fetch_sub(1, Relaxed);
                n
            };
            timed(&studio, n_mib, work).await.unwrap()
        })
    };
    // More than there is gets all there is.
    let works = [work(60), work(60), work(5000), work(60)];
    for work in works {
        assert_eq!(work.await.unwrap(), 1, "never two at a time");
    }
}

#[tokio::test]
async fn a_panic_in_a_worker_is_a_broken_picture() {
    let studio = Arc::new(Studio::new(StudioLimits::new(1, 1024), Arc::default()));
    let work = || -> u8 { panic!("on purpose") };
    let broken = timed(&studio, 1, work).await;
    assert!(matches!(broken, Err(LoadError::Broken)));
    assert_eq!(timed(&studio, 1, || 5).await.unwrap(), 5);
}

#[tokio::test]
async fn queued_work_ends_with_the_last_who_waits_for_it() {
    let studio = Arc::new(Studio::new(StudioLimits::new(1, 1024), Arc::default()));
    let subject = &subjects()[0];
    let busy = studio.lend(1, Claims::default()).await;
    let wait = |width| {
        let claim = Claim::new(Urgency::Current);
        let studio = studio.clone();
        tokio::spawn(studio.render(subject.clone(), rendition(width), claim))
    };
    let (gone, stays) = ([wait(320), wait(320), wait(640)], wait(320));
    while studio.admission.n_waiting() < 2 {
        tokio::task::yield_now().await;
    }
    for one in gone {
        one.abort();
        assert!(one.await.expect_err("it was aborted").is_cancelled());
    }
    assert_eq!(studio.admission.n_waiting(), 1, "one still waits for 320");
    drop(busy);
    assert!(matches!(stays.await, Ok(Done::Rendered(_, Ok(_)))));
    assert!(locked(&studio.running).is_empty());
    assert_eq!(studio.admission.n_free(), 1);
}

#[tokio::test]
async fn what_a_worker_has_begun_is_finished_and_kept() {
    let studio = Arc::new(Studio::new(StudioLimits::new(1, 1024), Arc::default()));
    let subject = &subjects()[0];
    let claim = Claim::new(Urgency::Current);
    let render = studio
        .clone()
        .render(subject.clone(), rendition(320), claim.clone());
    let task = tokio::spawn(render);
    while !claim.is_started() {
        tokio::task::yield_now().await;
    }
    task.abort();
    // The only worker is free again when it is done.
    drop(studio.lend(1, Claims::default()).await);
    while studio.stats.cache_bytes.load(Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    rendered(&studio, subject, rendition(320)).await;
    assert_eq!(studio.stats.cache_hits.load(Relaxed), 1);
}
