//! Answers that are pages: the viewer, what lies beside it, and links as QR codes.

pub(super) mod assets;
pub(super) mod files;
pub(super) mod qr;
pub(super) mod words;
