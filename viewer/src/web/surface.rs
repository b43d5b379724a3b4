//! The canvas: as large as the screen in device pixels, and drawn layer over layer. Never which
//! layers, and never when.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::picture::Picture;
use crate::fit::{self, Size};

/// The canvas and its context.
pub(super) struct Surface {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    size: Size,
}

impl Surface {
    /// Takes the canvas over. It is opaque: the compositor need not blend it with the page.
    ///
    /// # Errors
    ///
    /// The engine gives no 2D context.
    pub(super) fn new(canvas: HtmlCanvasElement, size: Size) -> Result<Self, JsValue> {
        let options = js_sys::Object::new();
        Reflect::set(&options, &"alpha".into(), &JsValue::FALSE)?;
        let context = canvas
            .get_context_with_context_options("2d", &options)?
            .ok_or("no 2d context")?
            .unchecked_into();
        let mut surface = Self {
            canvas,
            context,
            size: Size::new(1, 1),
        };
        surface.resize(size);
        Ok(surface)
    }

    /// How it draws, for the statistics.
    pub(super) fn renderer(&self) -> &'static str {
        "2d"
    }

    /// In device pixels.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Gives the canvas another size. That clears it: it must be drawn before the browser paints
    /// again. Returns whether anything changed.
    pub(super) fn resize(&mut self, size: Size) -> bool {
        if self.size == size {
            return false;
        }
        self.size = size;
        self.canvas.set_width(size.width);
        self.canvas.set_height(size.height);
        // Setting the size resets the context's state. Frames that were composed for this canvas
        // need no scaling at all; others are worth more than the default.
        let quality = JsValue::from_str("medium");
        let _ = Reflect::set(&self.context, &"imageSmoothingQuality".into(), &quality);
        true
    }

    /// Draws pictures over each other, lowest first, each with its opacity, the lowest opaque.
    pub(super) fn draw<'a>(&self, layers: impl Iterator<Item = (&'a Picture, f64)>) {
        for (picture, alpha) in layers {
            let rect = fit::place(picture.size(), self.size);
            self.context.set_global_alpha(alpha);
            picture.draw(&self.context, rect);
            self.context.set_fill_style_str("#000");
            for bar in fit::bars(rect, self.size) {
                self.context.fill_rect(bar.x, bar.y, bar.width, bar.height);
            }
        }
    }
}
