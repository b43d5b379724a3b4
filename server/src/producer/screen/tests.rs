use super::*;
use crate::{
    render::{self, Fit, Picture, Quality, Size},
    rendition::Fps,
    timeline::{PhotoId, Transition},
};

pub(in crate::producer) fn rendered(shade: u8) -> Arc<Rendered> {
    let picture = Picture::filled(16, 16, [shade; 3]);
    Arc::new(Rendered {
        encoding: std::time::Duration::ZERO,
        jpeg: render::encode(&picture, Quality::new(80).unwrap())
            .unwrap()
            .into(),
        notes: crate::producer::slide::Notes::default(),
        looks: Vec::new(),
        damaged: Vec::new(),
        motion: None,
    })
}

fn rendition(transition: Transition) -> Rendition {
    Rendition {
        size: Size {
            width: 16,
            height: 16,
        },
        fit: Fit::Cover,
        quality: Quality::new(80).unwrap(),
        bitrate: None,
        gop: None,
        fps: Fps(10),
        transition,
        pair: crate::rendition::Pair::Off,
        captions: crate::rendition::Captions::default(),
        note: true,
    }
}

fn slide(no: u64, starts_at: u64) -> Slide {
    Slide {
        no: SlideNo(no),
        photo: PhotoId(no),
        beside: None,
        starts_at: UnixMillis(starts_at),
    }
}

fn showing(no: u64, starts_at: u64) -> Showing {
    Showing {
        current: slide(no, starts_at),
        next: slide(no + 1, starts_at + 1000),
        paused: false,
    }
}

fn screen(transition: Transition) -> Screen {
    Screen::new(Arc::default(), rendition(transition))
}

/// Blends all that is wanted at `now`, as the studio would.
fn work(screen: &mut Screen, now: u64) -> usize {
    let mut n = 0;
    while let Some(wanted) = screen.wanted(UnixMillis(now)) {
        let shade = wanted.alpha.of_256() as u8;
        let jpeg = rendered(shade).jpeg.clone();
        screen.blended(wanted.key, Some(jpeg));
        n += 1;
    }
    n
}

const FADE: Transition = Transition::Crossfade { millis: 500 };

#[test]
fn every_published_frame_was_the_one_promised_before() {
    let mut screen = screen(FADE);
    let shades: Vec<_> = (0..6).map(|shade| rendered(shade * 40)).collect();
    let mut promised: Option<FrameNo> = None;
    let mut on: Option<FrameNo> = None;
    let mut n_frames = 0;
    for now in (0..4000).step_by(5) {
        let no = now / 1000;
        let showing = showing(no, no * 1000);
        let (current, next) = (&shades[no as usize], &shades[no as usize + 1]);
        if let Some(now) = screen.turn(UnixMillis(now), &showing, current, Some(next)) {
            if on != Some(now.current.no) {
                if let Some(promised) = promised {
                    assert_eq!(now.current.no, promised, "at {showing:?}");
                }
                n_frames += 1;
            }
            on = Some(now.current.no);
            promised = now.next.known().map(|frame| frame.no);
        }
        work(&mut screen, now);
    }
    // The first slide stands at once; three more come by five blended frames and themselves.
    assert_eq!(n_frames, 1 + 3 * 6);
}

#[test]
fn nothing_is_blended_while_a_slide_stands() {
    let mut screen = screen(FADE);
    let (a, b) = (rendered(1), rendered(200));
    screen.turn(UnixMillis(0), &showing(1, 0), &a, Some(&b));
    assert_eq!(work(&mut screen, 0), AHEAD);
    screen
        .turn(UnixMillis(1), &showing(1, 0), &a, Some(&b))
        .unwrap();
    for now in 2..1000 {
        assert!(
            screen
                .turn(UnixMillis(now), &showing(1, 0), &a, Some(&b))
                .is_none()
        );
        assert_eq!(work(&mut screen, now), 0);
    }
}

#[test]
fn a_cut_promises_the_next_slide_itself() {
    let mut screen = screen(Transition::Cut);
    let (a, b) = (rendered(1), rendered(200));
    let first = screen
        .turn(UnixMillis(0), &showing(1, 0), &a, Some(&b))
        .unwrap();
    let second = screen
        .turn(UnixMillis(1000), &showing(2, 1000), &b, Some(&a))
        .unwrap();
    assert_eq!(second.current.no, first.next.known().unwrap().no);
    assert_eq!(second.current.jpeg(), b.jpeg);
}

#[test]
fn it_moves_from_the_slides_moment_to_the_end_of_its_transition() {
    let mut screen = screen(FADE);
    let (a, b) = (rendered(1), rendered(200));
    screen.turn(UnixMillis(0), &showing(1, 0), &a, Some(&b));
    assert!(!screen.is_moving(UnixMillis(900)));
    screen.turn(UnixMillis(1000), &showing(2, 1000), &b, Some(&a));
    let moves: Vec<_> = (1000..1600)
        .filter(|now| screen.is_moving(UnixMillis(*now)))
        .collect();
    assert_eq!(moves, (1000..1500).collect::<Vec<_>>());
}

#[test]
fn no_transition_is_longer_than_its_slide_stays() {
    let mut screen = screen(Transition::Crossfade { millis: 3000 });
    let (a, b) = (rendered(1), rendered(200));
    screen.set_interval(1000);
    screen.turn(UnixMillis(0), &showing(1, 0), &a, Some(&b));
    screen.turn(UnixMillis(1000), &showing(2, 1000), &b, Some(&a));
    assert!(screen.is_moving(UnixMillis(1999)) && !screen.is_moving(UnixMillis(2000)));
}

#[test]
fn late_frames_are_skipped_not_queued() {
    let mut screen = screen(FADE);
    let (a, b) = (rendered(1), rendered(200));
    screen.turn(UnixMillis(0), &showing(1, 0), &a, Some(&b));
    work(&mut screen, 0);
    screen
        .turn(UnixMillis(1000), &showing(2, 1000), &b, Some(&a))
        .unwrap();
    // Nothing was blended for 400 ms: only what is still to come is wanted.
    let wanted = screen.wanted(UnixMillis(1310)).unwrap();
    assert_eq!(wanted.key.step, 4);
    let end = screen
        .turn(UnixMillis(1500), &showing(2, 1000), &b, Some(&a))
        .unwrap();
    assert_eq!(end.current.jpeg(), b.jpeg);
}

#[test]
fn an_interrupted_transition_goes_on_from_what_is_on_screen() {
    let mut screen = screen(FADE);
    let (a, b, c) = (rendered(0), rendered(200), rendered(100));
    screen.turn(UnixMillis(0), &showing(1, 0), &a, Some(&b));
    work(&mut screen, 0);
    screen
        .turn(UnixMillis(1000), &showing(2, 1000), &b, Some(&c))
        .unwrap();
    work(&mut screen, 1001);
    screen
        .turn(UnixMillis(1200), &showing(2, 1000), &b, Some(&c))
        .unwrap();
    let on = screen.published.unwrap().0;
    screen.turn(UnixMillis(1250), &showing(3, 1250), &c, Some(&a));
    let from = screen.current.as_ref().unwrap().from.clone().unwrap();
    assert_eq!(from.no, on);
    assert!(![&a, &b].iter().any(|slide| slide.jpeg == from.jpeg()));
}

#[test]
fn a_first_viewer_in_the_middle_of_a_transition_sees_a_picture() {
    let mut screen = screen(FADE);
    let a = rendered(9);
    let now = screen
        .turn(UnixMillis(200), &showing(1, 0), &a, None)
        .unwrap();
    assert_eq!(now.current.jpeg(), a.jpeg);
}

/// A day in the life of a screen: slides in time, commands in the middle of fades, a slow machine, a transition that can't
/// be made. Each line is what was published: when, the frame, and what is known to follow. Pictures are told by what they
/// were made of.
fn story() -> String {
    let mut screen = screen(FADE);
    let slides: Vec<Arc<Rendered>> = (0..12)
        .map(|no| {
            let jpeg = Bytes::from(format!("s{no}"));
            Arc::new(Rendered {
                jpeg,
                ..Arc::into_inner(rendered(0)).unwrap()
            })
        })
        .collect();
    // When each slide comes, and which; a number that is skipped came out of turn.
    let times = [
        (0, 1),
        (1000, 2),
        (2000, 3),
        (2250, 4),
        (2400, 6),
        (3400, 7),
        (4400, 8),
        (4700, 9),
        (5000, 10),
        (6500, 11),
    ];
    let mut under_way: Option<(u64, Wanted)> = None;
    let mut told = String::new();
    for now in (0..7200).step_by(10) {
        let at = times.iter().rposition(|(from, _)| *from <= now).unwrap();
        let (starts_at, no) = times[at];
        // A command is not foreseen: what is announced is the next number, a second later.
        let is_fast = (4400..5000).contains(&now);
        let interval = if is_fast { 300 } else { 1000 };
        screen.set_interval(interval);
        let showing = Showing {
            current: slide(no, starts_at),
            next: slide(no + 1, starts_at + interval),
            paused: false,
        };
        // The next slide takes a while to be made.
        let next = (now >= starts_at + 100)
            .then(|| slides.get(no as usize + 1))
            .flatten();
        if let Some(on) = screen.turn(UnixMillis(now), &showing, &slides[no as usize], next) {
            let label = |frame: &Frame| {
                format!("{} {}", frame.no.0, String::from_utf8_lossy(&frame.jpeg()))
            };
            let next = on
                .next
                .known()
                .map_or("nothing".to_owned(), |next| label(next));
            told += &format!("{now}: {}, then {next}\n", label(&on.current));
        }
        if let Some((done, wanted)) = under_way.take_if(|(done, _)| *done <= now) {
            let _ = done;
            let label = |frame: &Frame| String::from_utf8_lossy(&frame.jpeg()).into_owned();
            let jpeg = format!(
                "({}>{} {})",
                label(&wanted.from),
                label(&wanted.to),
                wanted.alpha.of_256()
            );
            // One transition can't be made.
            let jpeg = (!jpeg.contains("s7>s8")).then(|| Bytes::from(jpeg));
            screen.blended(wanted.key, jpeg);
        }
        if under_way.is_none() {
            let takes = if now > 6500 { 170 } else { 30 };
            under_way = screen
                .wanted(UnixMillis(now))
                .map(|wanted| (now + takes, wanted));
        }
    }
    told
}

#[test]
fn the_story_is_told_as_ever() {
    if std::env::var("WRITE_STORY").is_ok() {
        std::fs::write("src/producer/screen/story.txt", story()).unwrap();
    }
    assert_eq!(story(), include_str!("story.txt"));
}

/// Nobody is promised a slide that comes from a picture that is not there yet; then it comes from the last one.
#[test]
fn the_next_slide_comes_from_the_last_picture_of_what_moves() {
    let mut screen = screen(FADE);
    let (a, b) = (rendered(1), rendered(200));
    let on =
        |screen: &mut Screen, now: u64| screen.turn(UnixMillis(now), &showing(1, 0), &a, Some(&b));
    screen.set_plays(true);
    let poster = on(&mut screen, 0).unwrap();
    let mut last = poster.current.no;
    for now in [100, 200, 300] {
        screen.moved(UnixMillis(now), &rendered(now as u8).jpeg);
        let frame = on(&mut screen, now).unwrap();
        assert!(frame.current.no > last && frame.next.known().is_none());
        assert_eq!(
            work(&mut screen, now),
            0,
            "nothing is made of what won't be seen"
        );
        last = frame.current.no;
        let look = screen.look().unwrap();
        assert_eq!((look.to.no, look.next.is_some()), (last, false));
        // Video takes a change without a picture before it for a cut.
        assert!(look.from.is_some() && !look.is_moving(UnixMillis(now)));
    }
    screen.set_plays(false);
    on(&mut screen, 400);
    assert_eq!(work(&mut screen, 400), AHEAD);
    let stands = on(&mut screen, 401).unwrap();
    assert_eq!(stands.current.no, last);
    let promised = stands.next.known().unwrap().no;
    assert_eq!(
        screen.upcoming.as_ref().unwrap().from.as_ref().unwrap().no,
        last
    );
    let comes = screen
        .turn(UnixMillis(1000), &showing(2, 1000), &b, None)
        .unwrap();
    assert_eq!(comes.current.no, promised);
}

#[test]
fn a_picture_that_comes_before_its_slide_has_is_left_out() {
    let mut screen = screen(FADE);
    let (a, b) = (rendered(1), rendered(200));
    screen.turn(UnixMillis(0), &showing(1, 0), &a, Some(&b));
    work(&mut screen, 0);
    screen.turn(UnixMillis(1000), &showing(2, 1000), &b, None);
    let standing = screen.current.as_ref().unwrap().standing.no;
    screen.moved(UnixMillis(1400), &a.jpeg);
    assert_eq!(screen.current.as_ref().unwrap().standing.no, standing);
    screen.moved(UnixMillis(1500), &a.jpeg);
    assert_ne!(screen.current.as_ref().unwrap().standing.no, standing);
}
