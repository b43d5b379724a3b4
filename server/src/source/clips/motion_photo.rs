//! Motion photos: where in a photo's file its moving half lies. Google's files tell in XMP how long it is, from the file's end;
//! Samsung's have a list at their end; HEICs have a box of it.
//!
//! Pure. Every number is one that a stranger wrote: what is found is believed only where a clip begins there.

use std::io::{self, Read, Seek, SeekFrom};

/// How much of a file is looked through for XMP, which is within its first segments.
const HEAD_BYTES: u64 = 256 << 10;
/// The most boxes of a HEIC that are passed over.
const MAX_BOXES: usize = 64;
/// The most entries of Samsung's list.
const MAX_ENTRIES: u32 = 64;
/// Samsung's name for the moving half, and the number of its kind.
const SAMSUNG_NAME: &[u8] = b"MotionPhoto_Data";
const SAMSUNG_KIND: [u8; 4] = [0, 0, 0x30, 0x0a];

/// The byte at which the moving half begins, which goes on to the file's end or to the end of its box; none where there is none.
///
/// # Errors
/// The file can't be read.
pub(super) fn begins(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let n_bytes = file.seek(SeekFrom::End(0))?;
    let head = read(file, 0, HEAD_BYTES.min(n_bytes))?;
    let is_heif = head.get(4..8) == Some(b"ftyp");
    let mut candidates: Vec<u64> = lengths(&head)
        .into_iter()
        .filter_map(|length| n_bytes.checked_sub(length))
        .collect();
    if is_heif {
        candidates.extend(in_box(file, n_bytes)?);
    }
    candidates.extend(in_samsungs(file, n_bytes)?);
    for at in candidates {
        if at > 0 && is_clip(file, at, n_bytes)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Whether an MP4 begins at `at`.
fn is_clip(file: &mut (impl Read + Seek), at: u64, n_bytes: u64) -> io::Result<bool> {
    let Some(left) = n_bytes.checked_sub(at).filter(|left| *left >= 16) else {
        return Ok(false);
    };
    let start = read(file, at, 8)?;
    let [a, b, c, d, kind @ ..] = &start[..] else {
        return Ok(false);
    };
    let length = u64::from(u32::from_be_bytes([*a, *b, *c, *d]));
    Ok(kind == b"ftyp" && (8..=left).contains(&length))
}

/// The lengths that XMP tells: of the micro video, as it was called first, and of the items of the container's directory that
/// are one.
fn lengths(head: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    found.extend(number_after(head, b"MicroVideoOffset"));
    // Items stand one after the other, each with its semantic and its length, in any order, up to the next one's.
    for (at, _) in all(head, b"\"MotionPhoto\"").chain(all(head, b">MotionPhoto<")) {
        let begins = all(&head[..at], b"<Container:Item").last();
        let begins = begins.map_or(0, |(at, _)| at);
        let item = &head[begins..];
        let ends = all(item, b"/>")
            .chain(all(item, b"</Container:Item>"))
            .map(|(at, _)| begins + at);
        let ends = ends.filter(|end| *end > at).min().unwrap_or(head.len());
        let item = &head[begins..ends];
        let length = number_after(item, b"Item:Length");
        let padding = number_after(item, b"Item:Padding").unwrap_or(0);
        found.extend(length);
        found.extend(length.and_then(|length| length.checked_add(padding)));
    }
    found
}

/// Every place of `what`, and what is behind it.
fn all<'a>(text: &'a [u8], what: &'a [u8]) -> impl Iterator<Item = (usize, &'a [u8])> {
    let places = text.windows(what.len()).enumerate();
    places
        .filter(move |(_, window)| *window == what)
        .map(move |(at, _)| (at, &text[at + what.len()..]))
}

/// The whole number that is behind a name in XMP: `name="7"`, `name='7'` or `<name>7<`.
fn number_after(text: &[u8], name: &[u8]) -> Option<u64> {
    let (_, behind) = all(text, name).next()?;
    let begins = behind.iter().take(4).position(u8::is_ascii_digit)?;
    let digits = behind[begins..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    let digits: Vec<u8> = digits.copied().take(20).collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

/// Where the content of a HEIC's box of it begins.
fn in_box(file: &mut (impl Read + Seek), n_bytes: u64) -> io::Result<Option<u64>> {
    let mut at = 0_u64;
    for _ in 0..MAX_BOXES {
        let head = read(file, at, 16)?;
        let [a, b, c, d, kind @ ..] = &head[..] else {
            return Ok(None);
        };
        let Some(kind) = kind.get(..4) else {
            return Ok(None);
        };
        let (length, n_head) = match (u32::from_be_bytes([*a, *b, *c, *d]), head.get(8..16)) {
            (0, _) => (n_bytes - at.min(n_bytes), 8),
            (1, Some(long)) => (
                long.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
                16,
            ),
            (length, _) => (u64::from(length), 8),
        };
        if kind == b"mpvd" {
            return Ok(at.checked_add(n_head));
        }
        match at.checked_add(length).filter(|_| length >= n_head) {
            Some(next) if next < n_bytes => at = next,
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Where Samsung's list at the end of a file says that it begins.
fn in_samsungs(file: &mut (impl Read + Seek), n_bytes: u64) -> io::Result<Option<u64>> {
    let Some(end) = n_bytes.checked_sub(8) else {
        return Ok(None);
    };
    let tail = read(file, end, 8)?;
    let (Some(length), Some(b"SEFT")) = (little(&tail, 0), tail.get(4..8)) else {
        return Ok(None);
    };
    let Some(begins) = end.checked_sub(u64::from(length)) else {
        return Ok(None);
    };
    let n_list = u64::from(MAX_ENTRIES) * 12 + 12;
    let list = read(file, begins, n_list.min(u64::from(length)))?;
    let Some(n_entries) = little(&list, 8).filter(|_| list.starts_with(b"SEFH")) else {
        return Ok(None);
    };
    for entry in list
        .get(12..)
        .unwrap_or_default()
        .chunks_exact(12)
        .take(n_entries.min(MAX_ENTRIES) as usize)
    {
        let back = little(entry, 4).map(u64::from);
        let Some(at) = back.and_then(|back| begins.checked_sub(back)) else {
            continue;
        };
        if entry[..4] != SAMSUNG_KIND {
            continue;
        }
        // Its kind once more, the length of its name, and its name.
        let head = read(file, at, 8 + SAMSUNG_NAME.len() as u64)?;
        if head.get(8..) == Some(SAMSUNG_NAME)
            && little(&head, 4) == Some(SAMSUNG_NAME.len() as u32)
        {
            return Ok(Some(at + head.len() as u64));
        }
    }
    Ok(None)
}

fn little(bytes: &[u8], at: usize) -> Option<u32> {
    let number = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(number.try_into().ok()?))
}

/// The bytes from `at` on, as many as there are, at most `n`.
fn read(file: &mut (impl Read + Seek), at: u64, n: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(n).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const CLIP: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x08moov";

    fn found(bytes: &[u8]) -> Option<u64> {
        begins(&mut Cursor::new(bytes)).unwrap()
    }

    fn photo(xmp: &str) -> Vec<u8> {
        [
            b"\xff\xd8\xff\xe1\0\0http://ns.adobe.com/xap/1.0/\0",
            xmp.as_bytes(),
            b"\xff\xd9",
        ]
        .concat()
    }

    fn samsung(before: &[u8]) -> Vec<u8> {
        let head = [&SAMSUNG_KIND[..], &16_u32.to_le_bytes(), SAMSUNG_NAME].concat();
        let data = [&head[..], CLIP].concat();
        let n = u32::try_from(data.len()).unwrap();
        let entry = [&SAMSUNG_KIND[..], &n.to_le_bytes(), &n.to_le_bytes()].concat();
        let list = [
            b"SEFH",
            &107_u32.to_le_bytes()[..],
            &1_u32.to_le_bytes(),
            &entry,
        ]
        .concat();
        let length = u32::try_from(list.len()).unwrap().to_le_bytes();
        [before, &data, &list, &length, b"SEFT"].concat()
    }

    /// Each form that cameras write, with where its clip begins.
    fn forms() -> Vec<(&'static str, Vec<u8>, u64)> {
        let n = CLIP.len();
        let micro = photo(&format!(
            "<x GCamera:MicroVideo=\"1\" GCamera:MicroVideoOffset=\"{n}\"/>"
        ));
        let element = photo(&format!(
            "<GCamera:MicroVideoOffset>{n}</GCamera:MicroVideoOffset>"
        ));
        let item = |first: &str, second: &str| {
            photo(&format!(
                "<Container:Directory><rdf:Seq><rdf:li><Container:Item Item:Mime=\"image/jpeg\" Item:Semantic=\"Primary\" \
                 Item:Length=\"0\" Item:Padding=\"0\"/></rdf:li><rdf:li><Container:Item Item:Mime=\"video/mp4\" {first} {second}/></rdf:li>"
            ))
        };
        let (semantic, length) = (
            "Item:Semantic=\"MotionPhoto\"",
            format!("Item:Length=\"{n}\""),
        );
        let padded = item(semantic, &format!("Item:Length=\"{n}\" Item:Padding=\"5\""));
        let mut forms = Vec::new();
        for (what, photo, between) in [
            ("micro video", micro, &b""[..]),
            ("micro video as an element", element, b""),
            ("an item", item(semantic, &length), b""),
            ("an item the other way round", item(&length, semantic), b""),
            ("an item that is padded", padded, b""),
        ] {
            let at = photo.len() as u64;
            let behind: &[u8] = if what.ends_with("padded") {
                b"\0\0\0\0\0"
            } else {
                b""
            };
            forms.push((what, [&photo, between, CLIP, behind].concat(), at));
        }
        let plain = photo("");
        let at = plain.len() as u64 + 8 + SAMSUNG_NAME.len() as u64;
        forms.push(("Samsung's list", samsung(&plain), at));
        let heic = b"\0\0\0\x14ftypheic\0\0\0\0mif1\0\0\0\x0cmeta\0\0\0\0";
        let long = [&b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x14"[..], b"abcd"].concat();
        let length = u32::try_from(n + 8).unwrap().to_be_bytes();
        let boxed = [&heic[..], &long, &length, b"mpvd", CLIP].concat();
        forms.push(("a HEIC's box", boxed, (heic.len() + long.len() + 8) as u64));
        forms
    }

    #[test]
    fn the_moving_half_is_found_in_every_form() {
        for (what, bytes, at) in forms() {
            assert_eq!(found(&bytes), Some(at), "{what}");
        }
        for still in [
            &photo("")[..],
            b"",
            b"\xff\xd8",
            CLIP,
            b"SEFT",
            b"\0\0\0\0SEFT",
        ] {
            assert_eq!(found(still), None);
        }
    }

    /// Whatever is cut off, or is another byte: a place where a clip begins, or none.
    #[test]
    fn half_a_file_has_no_clip_where_none_begins() {
        let check = |bytes: &[u8], what: &str| {
            if let Some(at) = found(bytes) {
                let at = usize::try_from(at).unwrap();
                assert_eq!(bytes.get(at + 4..at + 8), Some(&b"ftyp"[..]), "{what}");
            }
        };
        for (what, bytes, _) in forms() {
            for end in 0..bytes.len() {
                check(&bytes[..end], what);
                for other in [0, 1, b'9', 0x7f, 0xff] {
                    let mut bent = bytes.clone();
                    bent[end] = other;
                    check(&bent, what);
                }
            }
        }
    }

    #[test]
    fn numbers_beyond_the_file_are_no_place() {
        for n in [
            "0",
            "1",
            "99999999",
            "18446744073709551615",
            "18446744073709551616",
            "-9",
            "",
        ] {
            let bytes = photo(&format!("<x GCamera:MicroVideoOffset=\"{n}\"/>"));
            assert_eq!(found(&[&bytes, CLIP].concat()), None, "{n}");
        }
    }
}
