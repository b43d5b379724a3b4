//! The splitter and the cleaning beside a plain search for `FF`, over the same bytes: 64 pictures with
//! scans of 100,000 bytes, an `FF 00` every 256.

use divan::{Bencher, counter::BytesCount};
use mantel_media::jpeg::{Splitter, cleaned};

fn main() {
    divan::main();
}

fn picture() -> Vec<u8> {
    let mut picture =
        b"\xff\xd8\xff\xc0\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0\xff\xda\0\x02".to_vec();
    for at in 0..100_000_u32 {
        match at % 256 {
            254 => picture.push(0xff),
            255 => picture.push(0),
            other => picture.push(u8::try_from(other).unwrap_or(0)),
        }
    }
    picture.extend_from_slice(b"\xff\xd9");
    picture
}

#[divan::bench]
fn search_alone(bencher: Bencher<'_, '_>) {
    let row = picture().repeat(64);
    bencher
        .counter(BytesCount::new(row.len()))
        .bench_local(|| memchr::memchr_iter(0xff, &row).count());
}

#[divan::bench(args = [16 << 10, 256 << 10])]
fn split(bencher: Bencher<'_, '_>, chunk: usize) {
    let row = picture().repeat(64);
    bencher.counter(BytesCount::new(row.len())).bench_local(|| {
        let mut splitter = Splitter::new(1 << 20);
        let mut n = 0;
        for mut input in row.chunks(chunk) {
            while let Ok(Some(_)) = splitter.next(&mut input) {
                n += 1;
            }
        }
        assert_eq!(n, 64);
    });
}

#[divan::bench]
fn clean(bencher: Bencher<'_, '_>) {
    let one = picture();
    bencher
        .counter(BytesCount::new(one.len()))
        .bench_local(|| cleaned(&one));
}
