//! Limits of what a peer may make us hold or wait for. Numbers alone: [`Decoder`](crate::Decoder)
//! and [`Collector`](crate::Collector) enforce them.

/// Limits of a [`Decoder`](crate::Decoder). Each one is the largest value that still passes; all
/// are finite by default, and each is checked before memory is set aside for what it limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one part's head, its blank line included.
    pub head_bytes: usize,
    /// Header lines of one part's head, the blank line not counted.
    pub head_lines: usize,
    /// Bytes of one part's body.
    pub body_bytes: u64,
    /// Bytes before the first delimiter.
    pub preamble_bytes: u64,
    /// Bytes between the end that a Content-Length gives and the delimiter. Two (CR LF) are usual;
    /// some cameras pad to a block.
    pub padding_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 16 << 10,
            head_lines: 64,
            body_bytes: 64 << 20,
            preamble_bytes: 64 << 10,
            padding_bytes: 4 << 10,
        }
    }
}
