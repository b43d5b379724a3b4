//! The two tables: which programmes there are, and what the one is made of.

use alloc::vec::Vec;

use super::{
    PMT_PID, VIDEO_PID,
    packet::{Counter, PACKET_BYTES, head},
};

/// H.264, as table 2-34 numbers what a stream is.
const H264: u8 = 0x1b;

pub(super) fn put_pat(counter: &mut Counter, out: &mut Vec<u8>) {
    let [high, low] = PMT_PID.to_be_bytes();
    // Programme 1.
    put_table(0, 0, &[0, 1, 0xe0 | high, low], counter, out);
}

pub(super) fn put_pmt(counter: &mut Counter, out: &mut Vec<u8>) {
    let [high, low] = VIDEO_PID.to_be_bytes();
    let high = 0xe0 | high;
    // The clock is in the video's packets; no descriptors.
    let content = [high, low, 0xf0, 0, H264, high, low, 0xf0, 0];
    put_table(PMT_PID, 2, &content, counter, out);
}

/// Appends a packet with one section (2.4.4): the table `kind` of programme or stream 1, version 0.
fn put_table(pid: u16, kind: u8, content: &[u8], counter: &mut Counter, out: &mut Vec<u8>) {
    let end = out.len() + PACKET_BYTES;
    out.extend(head(pid, true, false, counter.next()));
    out.push(0); // The section begins at once.
    let at = out.len();
    // Behind the length: five bytes of head, and the checksum.
    let length = content.len() as u8 + 9;
    out.extend([kind, 0xb0, length, 0, 1, 0xc1, 0, 0]);
    out.extend_from_slice(content);
    let sum = checksum(out.get(at..).unwrap_or_default());
    out.extend(sum.to_be_bytes());
    out.resize(end, 0xff);
}

/// CRC-32/MPEG-2 (annex A).
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte) << 24, |sum, _| {
            let carry = sum & 0x8000_0000 != 0;
            sum << 1 ^ if carry { 0x04c1_1db7 } else { 0 }
        })
    })
}
