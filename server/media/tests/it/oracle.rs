//! The splitter's rules once more, over a whole stream at once and without any haste.

/// The pictures, the bytes that belong to none, and what is left of one that has not ended.
pub(crate) fn split(stream: &[u8]) -> (Vec<Vec<u8>>, usize, usize) {
    let (mut pictures, mut skipped, mut at) = (Vec::new(), 0, 0);
    while at < stream.len() {
        if stream[at] != 0xff || stream.get(at + 1).is_some_and(|&b| b != 0xd8) {
            // An `FF` and what stands behind it are looked at together, but for another `FF`.
            let n = match (stream[at], stream.get(at + 1)) {
                (0xff, Some(0xff)) | (0..=0xfe, _) => 1,
                _ => 2,
            };
            (skipped, at) = (skipped + n, at + n);
            continue;
        }
        match end(stream, at) {
            End::Whole(end) => {
                pictures.push(stream[at..end].to_vec());
                at = end;
            }
            End::GivenUp(end) => (skipped, at) = (skipped + end - at, end),
            End::Open => return (pictures, skipped, stream.len() - at),
        }
    }
    (pictures, skipped, 0)
}

enum End {
    Whole(usize),
    GivenUp(usize),
    Open,
}

fn end(stream: &[u8], start: usize) -> End {
    let (mut at, mut in_scan, mut has_scan) = (start + 2, false, false);
    loop {
        match stream.get(at) {
            None => return End::Open,
            Some(0xff) => {}
            Some(_) if in_scan => {
                at += 1;
                continue;
            }
            Some(_) => return End::GivenUp(at + 1),
        }
        while stream.get(at + 1) == Some(&0xff) {
            at += 1;
        }
        match stream.get(at + 1) {
            None => return End::Open,
            Some(0x00) if in_scan => at += 2,
            Some(0xd0..=0xd7) => at += 2,
            Some(0x01) if !in_scan => at += 2,
            Some(0xd8) => return End::GivenUp(at),
            Some(0xd9) if has_scan => return End::Whole(at + 2),
            Some(&code @ (0xc0..=0xcf | 0xda..=0xfe)) => {
                let Some(length) = stream.get(at + 2..at + 4) else {
                    return End::Open;
                };
                let length = usize::from(length[0]) * 256 + usize::from(length[1]);
                if length < 2 {
                    return End::GivenUp(at + 4);
                }
                at += 2 + length;
                in_scan = code == 0xda;
                has_scan |= in_scan;
            }
            Some(_) => return End::GivenUp(at + 2),
        }
    }
}
