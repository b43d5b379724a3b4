use super::*;
use crate::hub::Framing;
use mantel_shared::{Boundary, Collector, Decoder, Event, FrameMeta, Limits, UnixMillis};

fn frame(no: u64) -> Arc<Frame> {
    // Every frame has another length, so that a broken promise shows.
    let jpeg = vec![b'x'; 10 + no as usize];
    Arc::new(Framing::default().frame(FrameNo(no), UnixMillis(no), FrameMeta::default(), &jpeg))
}

fn now(current: u64, next: Option<u64>) -> Now {
    Now {
        current: frame(current),
        next: next.map(frame).into(),
    }
}

fn unforeseen(current: u64) -> Now {
    Now {
        current: frame(current),
        next: Next::Unforeseen,
    }
}

/// Runs `turns` and decodes what a client got, by frame number; with whether a head was out
/// after each turn.
fn run(paint: Paint, turns: &[Now]) -> (Vec<u64>, Vec<bool>) {
    let framing = Framing::default();
    let boundary = Boundary::from_content_type(&framing.content_type()).unwrap();
    let mut decoder = Decoder::new(boundary, Limits::default());
    let mut painter = Painter::new(paint, &Framing::default());
    let (mut frames, mut announced) = (Vec::new(), Vec::new());
    let mut head_is_out = false;
    let (mut n_body, mut length) = (0, None);
    let mut feed = |bytes: &[u8], frames: &mut Vec<u64>, head_is_out: &mut bool| {
        let mut input = bytes;
        while let Some(event) = decoder.next(&mut input).unwrap() {
            match event {
                Event::Head(head) => {
                    (*head_is_out, n_body, length) = (true, 0, head.content_length);
                }
                Event::Body(bytes) => n_body += bytes.len() as u64,
                Event::PartEnd => {
                    assert!(length.is_none_or(|length| length == n_body));
                    *head_is_out = false;
                    frames.push(n_body - 10);
                }
                Event::Close => unreachable!("nothing was closed"),
            }
        }
    };
    feed(&framing.opening(), &mut frames, &mut head_is_out);
    for now in turns {
        let mut out = Vec::new();
        painter.turn(now, &mut out);
        feed(&out.concat(), &mut frames, &mut head_is_out);
        announced.push(head_is_out);
    }
    (frames, announced)
}

#[test]
fn advance_announces_and_keeps_its_promise() {
    let turns = [now(1, Some(2)), now(2, Some(3)), now(3, Some(4))];
    let (frames, announced) = run(Paint::Advance, &turns);
    assert_eq!(frames, [1, 2, 3]);
    assert_eq!(announced, [true; 3]);
}

#[test]
fn a_promise_that_was_overtaken_still_goes_out_then_what_is_on() {
    let (frames, announced) = run(
        Paint::Advance,
        &[now(1, Some(2)), now(7, Some(8)), now(8, None)],
    );
    assert_eq!(frames, [1, 2, 7, 8]);
    assert_eq!(announced, [true; 3]);
}

#[test]
fn without_a_known_next_frame_the_same_is_announced_again() {
    let (frames, announced) = run(
        Paint::Advance,
        &[now(1, None), now(1, Some(2)), now(2, None)],
    );
    assert_eq!(frames, [1, 1, 2]);
    assert_eq!(announced, [true; 3]);
}

#[test]
fn a_client_that_was_busy_gets_what_it_was_promised_and_the_newest() {
    let (frames, _) = run(Paint::Advance, &[now(1, Some(2)), now(40, Some(41))]);
    assert_eq!(frames, [1, 2, 40]);
}

#[test]
fn what_one_feed_announced_is_sent_before_what_another_shows() {
    let framing = Framing::default();
    let mut painter = Painter::new(Paint::Advance, &framing);
    let mut out = vec![framing.opening()];
    painter.turn(&now(1, Some(2)), &mut out);
    let other = |length: usize, no: u64| {
        let jpeg = vec![b'y'; length];
        let frame = framing.frame(FrameNo(no), UnixMillis(0), FrameMeta::default(), &jpeg);
        Now {
            current: Arc::new(frame),
            next: Next::NotYet,
        }
    };
    painter.turn(&other(100, 7), &mut out);
    painter.turn(&other(200, 8), &mut out);
    painter.close(None, &mut out);
    let boundary = Boundary::from_content_type(&framing.content_type()).unwrap();
    let mut collector = Collector::new(boundary, Limits::default());
    collector.push(&out.concat()).unwrap();
    let parts = std::iter::from_fn(|| collector.take());
    let lengths: Vec<usize> = parts.map(|part| part.body.len()).collect();
    assert_eq!(lengths, [11, 12, 100, 100, 200, 200]);
}

#[test]
fn what_nobody_foresees_is_sent_once_each_and_always_behind_a_head_that_is_out() {
    let turns = [1, 2, 2, 3, 40].map(unforeseen);
    let (frames, announced) = run(Paint::Advance, &turns);
    assert_eq!(frames, [1, 2, 3, 40]);
    assert_eq!(announced, [true; 5]);
}

#[test]
fn a_camera_that_interrupts_a_gallery_comes_behind_what_was_announced() {
    let turns = [
        now(1, Some(2)),
        unforeseen(7),
        unforeseen(8),
        now(9, Some(10)),
        now(10, None),
        unforeseen(11),
    ];
    let (frames, announced) = run(Paint::Advance, &turns);
    // The second 10 is what was announced while nothing else was made.
    assert_eq!(frames, [1, 2, 7, 8, 9, 10, 10, 11]);
    assert_eq!(announced, [true; 6]);
}

#[test]
fn a_stream_that_ends_behind_an_open_head_ends_with_the_frame_that_stands() {
    let framing = Framing::default();
    let mut painter = Painter::new(Paint::Advance, &framing);
    let mut out = vec![framing.opening()];
    let on = unforeseen(3);
    painter.turn(&on, &mut out);
    painter.close(Some(&on.current), &mut out);
    let boundary = Boundary::from_content_type(&framing.content_type()).unwrap();
    let mut collector = Collector::new(boundary, Limits::default());
    collector.push(&out.concat()).unwrap();
    let parts: Vec<_> = std::iter::from_fn(|| collector.take()).collect();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0].body, parts[1].body);
}

proptest::proptest! {
    /// Whatever comes after whatever: each head is followed by what it said, no frame is older than the one before, and
    /// what is on has been sent.
    #[test]
    fn every_promise_is_kept(steps in proptest::collection::vec((0..4_u64, 0..3_u8), 1..40)) {
        let mut current = 1;
        let turns: Vec<Now> = steps
            .into_iter()
            .map(|(by, next)| {
                current += by;
                match next {
                    0 => now(current, Some(current + 1)),
                    1 => now(current, None),
                    _ => unforeseen(current),
                }
            })
            .collect();
        for n in 1..=turns.len() {
            let (frames, announced) = run(Paint::Advance, &turns[..n]);
            assert!(frames.is_sorted(), "{frames:?}");
            assert_eq!(frames.last(), Some(&turns[n - 1].current.no.0));
            assert!(announced.iter().all(|is_out| *is_out));
        }
    }
}

#[test]
fn plain_and_repeat_announce_nothing() {
    for paint in [Paint::Plain, Paint::Repeat] {
        let (frames, announced) = run(paint, &[now(1, Some(2)), now(1, None), now(5, Some(6))]);
        assert_eq!(frames, [1, 5]);
        assert_eq!(announced, [false; 3]);
    }
}

#[test]
fn a_small_frame_after_a_large_one_is_repeated_until_its_bytes_add_up() {
    let mut painter = Painter::new(Paint::Repeat, &Framing::default());
    let mut out = Vec::new();
    painter.turn(&now(2000, None), &mut out);
    assert_eq!(painter.again(&frame(2000), &mut out), 1);
    let small = now(2001, None);
    let small = Now {
        current: Arc::new(Framing::default().again(
            FrameNo(2001),
            FrameMeta::default(),
            &frame(100),
        )),
        ..small
    };
    painter.turn(&small, &mut out);
    out.clear();
    let n_copies = painter.again(&small.current, &mut out);
    let n_bytes: usize = out.iter().map(Bytes::len).sum();
    assert!(
        n_copies > 5 && n_bytes > 2010,
        "{n_copies} copies, {n_bytes} bytes"
    );
    assert_eq!(painter.again(&small.current, &mut out), 1);
}

#[test]
fn repeats_come_quickly_at_first_and_soon_after_each_new_frame() {
    let (young, old) = (Duration::from_millis(700), Duration::from_secs(60));
    let mut painter = Painter::new(Paint::Repeat, &Framing::default());
    let mut out = Vec::new();
    painter.turn(&now(1, None), &mut out);
    painter.again(&frame(1), &mut out);
    assert_eq!(painter.again_after(young), Some(FIRST_REPEAT));
    assert_eq!(painter.again_after(old), Some(LATER_REPEATS));
    painter.turn(&now(2, None), &mut out);
    assert_eq!(painter.again_after(old), Some(FIRST_REPEAT));
    for paint in [Paint::Advance, Paint::Plain] {
        assert_eq!(
            Painter::new(paint, &Framing::default()).again_after(young),
            None
        );
    }
}

#[test]
fn agents() {
    let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/67.0.3372.0 Safari/537.36";
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    let safari = "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Safari/604.1";
    assert_eq!(Paint::for_agent(chrome), Paint::Advance);
    assert_eq!(Paint::for_agent(firefox), Paint::Advance);
    assert_eq!(Paint::for_agent(safari), Paint::Advance);
    let webkitgtk = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15";
    assert_eq!(Paint::for_agent(webkitgtk), Paint::Advance);
    let ipad_of_2015 = "Mozilla/5.0 (iPad; CPU OS 9_3_5 like Mac OS X) AppleWebKit/601.1.46 (KHTML, like Gecko) Version/9.0 Safari/601.1";
    assert_eq!(Paint::for_agent(ipad_of_2015), Paint::Repeat);
    assert_eq!(Paint::for_agent("AppleWebKit/"), Paint::Repeat);
    assert_eq!(Paint::for_agent("VLC/3.0.20 LibVLC/3.0.20"), Paint::Repeat);
    assert_eq!(Paint::for_agent("Lavf/59.27.100"), Paint::Repeat);
    assert_eq!(Paint::for_agent("curl/8.5.0"), Paint::Plain);
    assert_eq!(
        Paint::for_agent("HomeAssistant/2026.1 aiohttp/3.9"),
        Paint::Repeat
    );
    assert_eq!(Paint::for_agent(""), Paint::Repeat);
}
