//! Packets of 188 bytes: their heads, the clock in them, and what fills the last one.

use alloc::vec::Vec;

use super::VIDEO_PID;

/// The length of every packet.
pub const PACKET_BYTES: usize = 188;

/// The bytes of a packet behind its head.
const ROOM: usize = PACKET_BYTES - 4;

/// The continuity counter of a packet identifier: 0 to 15, and again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counter(u8);

impl Counter {
    pub(super) fn next(&mut self) -> u8 {
        let now = self.0;
        self.0 = (now + 1) & 0xf;
        now
    }
}

/// The first three bytes of a packet and its fourth's lower half; `has_field` says that an adaptation field
/// follows.
pub(super) fn head(pid: u16, is_first: bool, has_field: bool, counter: u8) -> [u8; 4] {
    let [high, low] = pid.to_be_bytes();
    let start = if is_first { 0x40 } else { 0 };
    let field = if has_field { 0x20 } else { 0 };
    [0x47, start | high, low, 0x10 | field | counter]
}

/// Appends one access unit's packets, `parts` being its bytes. The first has the clock.
pub(super) fn put_packets(
    counter: &mut Counter,
    clock: u64,
    is_key: bool,
    parts: [&[u8]; 3],
    out: &mut Vec<u8>,
) {
    let mut n_left: usize = parts.iter().map(|part| part.len()).sum();
    let mut parts = parts.into_iter();
    let mut part: &[u8] = &[];
    let mut is_first = true;
    while n_left > 0 {
        let field = if is_first {
            clock_field(clock, is_key)
        } else {
            [0; 8]
        };
        let field = if is_first { &field[..] } else { &[] };
        let n = n_left.min(ROOM - field.len());
        let n_fill = ROOM - field.len() - n;
        out.extend(head(
            VIDEO_PID,
            is_first,
            !field.is_empty() || n_fill > 0,
            counter.next(),
        ));
        put_field(field, n_fill, out);
        let mut n_due = n;
        while n_due > 0 {
            if part.is_empty() {
                // There are as many bytes in all parts together as are left.
                let Some(next) = parts.next() else { return };
                part = next;
            }
            let (now, later) = part.split_at(part.len().min(n_due));
            out.extend_from_slice(now);
            (part, n_due) = (later, n_due - now.len());
        }
        (n_left, is_first) = (n_left - n, false);
    }
}

/// The adaptation field with the clock, behind its length: flags, and the 33 bits of the clock's base with
/// six reserved bits and nine of 27 MHz.
fn clock_field(clock: u64, is_key: bool) -> [u8; 8] {
    let flags = 0x10 | if is_key { 0x40 } else { 0 };
    let base = (clock & 0x1_ffff_ffff) << 15 | 0x7e00;
    let [_, _, b @ ..] = base.to_be_bytes();
    [7, flags, b[0], b[1], b[2], b[3], b[4], b[5]]
}

/// The adaptation field, longer by `n_fill` bytes that say nothing.
fn put_field(field: &[u8], n_fill: usize, out: &mut Vec<u8>) {
    let at = out.len();
    out.extend_from_slice(field);
    // A field of one byte is its length alone, one of two has flags.
    let n_before = field.len().max(2).min(field.len() + n_fill);
    out.resize(at + n_before, 0);
    out.resize(at + field.len() + n_fill, 0xff);
    if let Some(length) = out.get_mut(at) {
        *length = (field.len() + n_fill).saturating_sub(1) as u8;
    }
}
