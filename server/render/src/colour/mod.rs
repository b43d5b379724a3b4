//! Colour: profiles that photos carry, turned into sRGB, and high dynamic range brought into a screen's.

pub mod gamma;
pub mod profile;
pub mod tone;
