//! Entropy-coded data of sequential JPEGs (ITU-T T.81, annex F): read code by code, without a pixel, to know how much of a
//! picture is there and where it goes wrong; and written.

use super::super::markers::DHT;

/// A Huffman table: for every 16 bits the symbol that they begin with, and for every symbol its code.
pub(super) struct Table {
    /// Symbol and length; length 0 where no code begins so.
    symbols: Vec<(u8, u8)>,
    /// Code and length by symbol; length 0 where there is none.
    codes: [(u16, u8); 256],
}

/// The tables that hold at a scan, by their number.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) dc: [Option<Table>; 4],
    pub(super) ac: [Option<Table>; 4],
}

impl Tables {
    /// Takes in a segment, whatever it is.
    pub(super) fn see(&mut self, marker: u8, mut content: &[u8]) {
        while marker == DHT && content.len() > 16 {
            let (head, rest) = content.split_at(17);
            let n = head[1..].iter().map(|&n| usize::from(n)).sum::<usize>();
            let (Some(values), tables) = (
                rest.get(..n),
                if head[0] >> 4 == 0 {
                    &mut self.dc
                } else {
                    &mut self.ac
                },
            ) else {
                return;
            };
            if let Some(table) = tables.get_mut(usize::from(head[0] & 15)) {
                *table = Table::new(&head[1..], values);
            }
            content = &rest[n..];
        }
    }
}

impl Table {
    /// By how many codes there are of each length, and their symbols; `None` where they don't fit into 16 bits.
    fn new(counts: &[u8], values: &[u8]) -> Option<Self> {
        let mut symbols = vec![(0, 0); 1 << 16];
        let mut codes = [(0, 0); 256];
        let mut values = values.iter();
        let (mut code, mut length) = (0_u32, 1_u8);
        for &n in counts {
            for &value in values.by_ref().take(usize::from(n)) {
                let start = (code << (16 - length)) as usize;
                let same = symbols.get_mut(start..start + (1 << (16 - length)))?;
                same.fill((value, length));
                codes[usize::from(value)] = (u16::try_from(code).ok()?, length);
                code += 1;
            }
            code <<= 1;
            length += 1;
        }
        Some(Self { symbols, codes })
    }

    /// The code of a symbol, and its length.
    pub(super) fn code(&self, symbol: u8) -> Option<(u16, u8)> {
        let (code, length) = self.codes[usize::from(symbol)];
        (length > 0).then_some((code, length))
    }
}

/// Bits of entropy-coded data without its stuffed bytes.
pub(super) struct Bits<'a> {
    pub(super) bytes: &'a [u8],
    /// In bits.
    pub(super) at: usize,
}

impl Bits<'_> {
    /// Passes one block. `None` where it makes no sense, or is not all there.
    pub(super) fn block(&mut self, dc: &Table, ac: &Table) -> Option<()> {
        let n_bits = self.symbol(dc)?;
        self.pass(usize::from(n_bits).min(17))?;
        let mut place = 1;
        while place < 64 {
            let symbol = self.symbol(ac)?;
            match (symbol >> 4, symbol & 15) {
                (0, 0) => break,
                (15, 0) => place += 16,
                (_, 0) => return None,
                (run, n_bits) => {
                    place += usize::from(run) + 1;
                    self.pass(usize::from(n_bits))?;
                }
            }
        }
        (place <= 64 && n_bits <= 11).then_some(())
    }

    fn symbol(&mut self, table: &Table) -> Option<u8> {
        let byte = |at: usize| u32::from(self.bytes.get(at).copied().unwrap_or(0));
        let at = self.at / 8;
        let bits = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
        let next = (bits >> (8 - self.at % 8)) & 0xFFFF;
        let (symbol, length) = *table.symbols.get(next as usize)?;
        if length == 0 {
            return None;
        }
        self.pass(usize::from(length))?;
        Some(symbol)
    }

    fn pass(&mut self, n: usize) -> Option<()> {
        self.at += n;
        (self.at <= self.bytes.len() * 8).then_some(())
    }

    /// Goes on with the next byte.
    pub(super) fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }
}

/// Writes entropy-coded data.
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    rest: u32,
    n_rest: u8,
}

impl Writer {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            rest: 0,
            n_rest: 0,
        }
    }

    /// At most 16 bits.
    pub(super) fn put(&mut self, bits: u16, n: u8) {
        self.rest = self.rest << n | u32::from(bits);
        self.n_rest += n;
        while self.n_rest >= 8 {
            self.n_rest -= 8;
            let byte = (self.rest >> self.n_rest) as u8;
            self.bytes.push(byte);
            if byte == 0xFF {
                self.bytes.push(0);
            }
        }
        self.rest &= (1 << self.n_rest) - 1;
    }

    /// The bits of other data from its beginning, or from the beginning of a byte, up to a bit.
    pub(super) fn copy(&mut self, from: &Bits<'_>, start: usize) {
        for &byte in from.bytes.get(start / 8..from.at / 8).unwrap_or_default() {
            self.put(u16::from(byte), 8);
        }
        let n = (from.at % 8) as u8;
        if let Some(&last) = from.bytes.get(from.at / 8).filter(|_| n > 0) {
            self.put(u16::from(last >> (8 - n)), n);
        }
    }

    /// Ends the byte, as it is done before a marker.
    pub(super) fn align(&mut self) {
        if self.n_rest > 0 {
            let n = 8 - self.n_rest;
            self.put((1 << n) - 1, n);
        }
    }

    /// Puts a marker.
    pub(super) fn mark(&mut self, marker: u8) {
        self.align();
        self.bytes.extend([0xFF, marker]);
    }
}
