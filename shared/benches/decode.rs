//! How fast streams are read, by chunk size in KiB: without Content-Length (`searched`) and with
//! (`counted`), with bodies put together (`collected`); beside `memchr::memmem` looking for the
//! boundary in the same chunks, and beside the crate `multer` on the same bodies.
//!
//! `cargo bench -p mantel-shared --bench decode`

// A benchmark may say no by panicking.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{
    convert::Infallible,
    future::Future,
    pin::pin,
    sync::OnceLock,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use divan::{Bencher, black_box, counter::BytesCount};
use futures_util::stream;
use mantel_shared::{Boundary, Collector, Decoder, Encoder, Event, Limits, PartHead};

const N_PARTS: usize = 48;
const BODY_BYTES: usize = 350_000;
const KIB: [usize; 5] = [1, 4, 16, 64, 256];

fn main() {
    divan::main();
}

/// The kind of heads that a stream has.
#[derive(Clone, Copy)]
enum Kind {
    Counted,
    Searched,
    Form,
}

#[divan::bench(args = KIB, sample_count = 300)]
fn a_memmem(bencher: Bencher, kib: usize) {
    let stream = searched();
    let finder = memchr::memmem::Finder::new("--mantel-frame-3f9c1e7a5b2d48608d41c7e9");
    bencher
        .counter(BytesCount::of_slice(stream))
        .bench_local(|| {
            let found: usize = stream
                .chunks(kib << 10)
                .map(|chunk| finder.find_iter(chunk).count())
                .sum();
            assert!(found >= N_PARTS / 2, "{found}");
            found
        });
}

#[divan::bench(args = KIB, sample_count = 300)]
fn b_searched(bencher: Bencher, kib: usize) {
    let stream = searched();
    bencher
        .counter(BytesCount::of_slice(stream))
        .bench_local(|| decode(stream, kib << 10));
}

#[divan::bench(args = KIB, sample_count = 300)]
fn c_counted(bencher: Bencher, kib: usize) {
    let stream = counted();
    bencher
        .counter(BytesCount::of_slice(stream))
        .bench_local(|| decode(stream, kib << 10));
}

#[divan::bench(args = KIB, sample_count = 300)]
fn d_counted_collected(bencher: Bencher, kib: usize) {
    let stream = counted();
    bencher
        .counter(BytesCount::of_slice(stream))
        .bench_local(|| {
            let mut collector = Collector::new(Boundary::default(), Limits::default());
            let mut n = 0;
            for chunk in stream.chunks(kib << 10) {
                collector.push(chunk).unwrap();
                while let Some(part) = collector.take() {
                    n += black_box(part.body).len();
                }
            }
            assert_eq!(n, N_PARTS * BODY_BYTES);
        });
}

#[divan::bench(args = KIB, sample_count = 300)]
fn e_multer(bencher: Bencher, kib: usize) {
    static FORM: OnceLock<Bytes> = OnceLock::new();
    let form = FORM.get_or_init(|| stream_of(Kind::Form).into());
    bencher
        .counter(BytesCount::of_slice(&form[..]))
        .bench_local(|| {
            let n_chunks = form.len().div_ceil(kib << 10);
            // Slices of one buffer: multer gets its chunks without a copy, as we do.
            let chunks = (0..n_chunks).map(|at| {
                let start = at * (kib << 10);
                Ok::<_, Infallible>(form.slice(start..form.len().min(start + (kib << 10))))
            });
            let boundary = Boundary::default().to_string();
            let mut multipart = multer::Multipart::new(stream::iter(chunks), boundary);
            let n = block_on(async {
                let mut n = 0;
                while let Some(mut field) = multipart.next_field().await.unwrap() {
                    while let Some(piece) = field.chunk().await.unwrap() {
                        n += black_box(piece).len();
                    }
                }
                n
            });
            assert_eq!(n, N_PARTS * BODY_BYTES);
        });
}

fn decode(stream: &[u8], chunk_bytes: usize) {
    let mut decoder = Decoder::new(Boundary::default(), Limits::default());
    let (mut n, mut n_parts) = (0, 0);
    for chunk in stream.chunks(chunk_bytes) {
        let mut input = chunk;
        while let Some(event) = decoder.next(&mut input).unwrap() {
            match event {
                Event::Body(piece) => n += black_box(piece).len(),
                Event::PartEnd => n_parts += 1,
                Event::Head(_) | Event::Close => {}
            }
        }
    }
    assert_eq!((n, n_parts), (N_PARTS * BODY_BYTES, N_PARTS));
}

fn searched() -> &'static [u8] {
    static STREAM: OnceLock<Vec<u8>> = OnceLock::new();
    STREAM.get_or_init(|| stream_of(Kind::Searched))
}

fn counted() -> &'static [u8] {
    static STREAM: OnceLock<Vec<u8>> = OnceLock::new();
    STREAM.get_or_init(|| stream_of(Kind::Counted))
}

/// Bodies with the bytes of a well-compressed picture: all values about equally often, CR, LF and
/// dashes among them.
fn stream_of(kind: Kind) -> Vec<u8> {
    let encoder = Encoder::new(&Boundary::default());
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut stream = encoder.opening().to_vec();
    for at in 0..N_PARTS {
        match kind {
            Kind::Counted => stream.extend(encoder.head(&PartHead::jpeg(BODY_BYTES as u64))),
            Kind::Searched => stream.extend(b"Content-Type: image/jpeg\r\n\r\n"),
            Kind::Form => stream.extend(
                format!("Content-Disposition: form-data; name=\"{at}\"\r\nContent-Type: image/jpeg\r\n\r\n")
                    .as_bytes(),
            ),
        }
        for _ in 0..BODY_BYTES / 8 {
            // xorshift64
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            stream.extend(random.to_le_bytes());
        }
        stream.extend(if at + 1 == N_PARTS {
            encoder.closing()
        } else {
            encoder.delimiter()
        });
    }
    stream
}

/// Polls a future to its end. Everything is ready at once here, so there is nothing to wait for.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
