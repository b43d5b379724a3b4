//! Tests of several rooms of rendering at once: hostile bytes, modern formats, real photos, other programs' results.

mod cases;
mod hostile;
mod modern;
mod photos;
mod reference;
