//! Packets on a TCP connection: each behind its length in two bytes (RFC 4571), both ways.

#![expect(clippy::disallowed_methods, reason = "packets are timed as they come")]

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader, BufWriter},
    net::TcpStream,
    sync::mpsc,
    time::{Instant, timeout},
};

use super::ways::{By, MAX_UNSENT, Packet, Ways};

/// A packet longer than this is none.
const MAX_PACKET: usize = 4096;
/// The first packets of a connection have to be for a session.
const MAX_IN_VAIN: usize = 4;
/// A connection on which nothing comes for so long is over: checks of a peer come every few seconds.
const SILENCE: Duration = Duration::from_secs(30);

/// Carries packets until either end is closed, or what comes is for nobody.
pub(super) async fn carry(stream: TcpStream, ways: Arc<Ways>) -> io::Result<()> {
    let canonical = |at: SocketAddr| SocketAddr::new(at.ip().to_canonical(), at.port());
    let by = By {
        is_tcp: true,
        from: canonical(stream.peer_addr()?),
    };
    let to = canonical(stream.local_addr()?);
    let (unsent, mut sending) = mpsc::channel::<Bytes>(MAX_UNSENT);
    let _wire = ways.connect(by.from, unsent);
    let (reads, writes) = stream.into_split();
    let (mut reads, mut writes) = (BufReader::new(reads), BufWriter::new(writes));
    let write = async {
        while let Some(packet) = sending.recv().await {
            put(&mut writes, &packet).await?;
            if sending.is_empty() {
                writes.flush().await?;
            }
        }
        io::Result::Ok(())
    };
    let read = async {
        let mut n_in_vain = 0;
        while n_in_vain < MAX_IN_VAIN {
            let bytes = timeout(SILENCE, next(&mut reads)).await??;
            let is_taken = ways.bring(Packet {
                by,
                to,
                bytes,
                at: Instant::now(),
            });
            n_in_vain = if is_taken { 0 } else { n_in_vain + 1 };
        }
        io::Result::Ok(())
    };
    tokio::select! {
        done = read => done,
        done = write => done,
    }
}

async fn put(writes: &mut (impl AsyncWriteExt + Unpin), packet: &[u8]) -> io::Result<()> {
    // Packets of UDP's size, which is what the engine makes, have their length in two bytes.
    let Ok(n) = u16::try_from(packet.len()) else {
        return Ok(());
    };
    writes.write_u16(n).await?;
    writes.write_all(packet).await
}

async fn next(reads: &mut (impl AsyncReadExt + Unpin)) -> io::Result<Bytes> {
    let n = usize::from(reads.read_u16().await?);
    if n == 0 || n > MAX_PACKET {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; n];
    reads.read_exact(&mut bytes).await?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn packets_go_whole_at_every_split() {
        let packets: [&[u8]; 3] = [&[1], &[7; 300], &[9; MAX_PACKET]];
        let mut bytes = Vec::new();
        for packet in packets {
            put(&mut bytes, packet).await.unwrap();
        }
        for split in [0, 1, 2, 3, 4, 5, 100, 304, 305, bytes.len() - 1] {
            let (start, end) = bytes.split_at(split);
            let mut reads = start.chain(end);
            for packet in packets {
                assert_eq!(next(&mut reads).await.unwrap(), packet);
            }
            assert!(next(&mut reads).await.is_err());
        }
        for end in 0..bytes.len() {
            let mut reads = &bytes[..end];
            while next(&mut reads).await.is_ok() {}
        }
        for bad in [&[0, 0][..], &[0x10, 0x01], &[255, 255]] {
            assert!(next(&mut &bad[..]).await.is_err());
        }
    }
}
