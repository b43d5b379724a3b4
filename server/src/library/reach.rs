//! The reach of a scan, as somebody wishes it.

use super::clips::Clips;

/// How far a scan reaches beyond people's own photos in the folders.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reach {
    /// Links are followed wherever they lead.
    pub follow_links: bool,
    /// The folders and files are shown that are left out otherwise: other programs', copies, twins.
    pub left_out: bool,
    /// The fate of clips.
    pub clips: Clips,
}
