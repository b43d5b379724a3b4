//! Mantel.
