//! The canvas: as large as the screen in device pixels, and drawn layer over layer, with WebGL or in
//! two dimensions. Never which layers, and never when.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::{
    gl,
    page::{now, window},
    picture::Picture,
};
use crate::{
    fit::{self, Rect, Size},
    motion,
    pace::Pace,
    player::Shown,
    query::{Query, Renderer},
    wall::Wall,
};

/// The limit of a picture's side: no screen is larger, and every engine's canvas takes it.
const LONGEST_SIDE: u32 = 4096;

/// The limit of a crossfade's frame in WebGL; one that takes longer is no gain over the plain
/// canvas.
const AFFORDABLE_MILLIS: f64 = 24.0;

/// An opacity so low that nobody sees the picture, but high enough that the engine draws it and so
/// brings it to where it needs it.
const FAINT: f64 = 0.004;

/// The canvas and its painter.
pub(super) struct Surface {
    canvas: HtmlCanvasElement,
    painter: Painter,
    size: Size,
    wall: Wall,
    /// Whether the speed of WebGL was measured.
    is_measured: bool,
}

enum Painter {
    Gl(gl::Painter),
    Flat(CanvasRenderingContext2d),
}

/// A 2D context of a canvas, opaque, so that the compositor need not blend it with the page.
///
/// # Errors
///
/// The engine gives no such context.
pub(super) fn context_of(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d, JsValue> {
    let options = js_sys::Object::new();
    Reflect::set(&options, &"alpha".into(), &JsValue::FALSE)?;
    let context = canvas.get_context_with_context_options("2d", &options)?;
    Ok(context.ok_or("no 2d context")?.unchecked_into())
}

impl Surface {
    /// Takes the canvas over.
    ///
    /// # Errors
    ///
    /// The engine gives no context of any kind.
    pub(super) fn new(
        canvas: HtmlCanvasElement,
        size: Size,
        query: &Query,
    ) -> Result<Self, JsValue> {
        let is_asked_for = query.renderer == Some(Renderer::Gl);
        let gl = match query.renderer {
            Some(Renderer::Flat) => None,
            _ => gl::Painter::new(&canvas, is_asked_for).ok(),
        };
        let mut surface = match gl {
            Some(gl) => Self {
                canvas,
                painter: Painter::Gl(gl),
                size: Size::new(1, 1),
                wall: query.wall,
                is_measured: is_asked_for,
            },
            None => {
                // A canvas that gave a WebGL context, even a broken one, gives no other.
                let (canvas, context) = match context_of(&canvas) {
                    Ok(context) => (canvas, context),
                    Err(_) => {
                        let canvas = replaced(&canvas)?;
                        let context = context_of(&canvas)?;
                        (canvas, context)
                    }
                };
                Self {
                    painter: Painter::Flat(context),
                    canvas,
                    size: Size::new(1, 1),
                    wall: query.wall,
                    is_measured: true,
                }
            }
        };
        surface.resize(size);
        Ok(surface)
    }

    /// Sets the part of a wall that the canvas shows.
    pub(super) fn hang(&mut self, wall: Wall) {
        self.wall = wall;
    }

    /// The pace of the painter.
    pub(super) fn pace(&self) -> Pace {
        match self.painter {
            Painter::Gl(_) => Pace::Gl,
            Painter::Flat(_) => Pace::Flat,
        }
    }

    /// The painter's name in the statistics.
    pub(super) fn renderer(&self) -> &'static str {
        match self.painter {
            Painter::Gl(_) => "webgl",
            Painter::Flat(_) => "2d",
        }
    }

    /// The canvas's size in device pixels.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// The longest side of a picture that it can draw.
    pub(super) fn limit(&self) -> u32 {
        match &self.painter {
            Painter::Gl(gl) => gl.limit().min(LONGEST_SIDE),
            Painter::Flat(_) => LONGEST_SIDE,
        }
    }

    /// Gives the canvas another size, which clears it: it must be drawn before the browser paints
    /// again. Returns whether the size changed.
    pub(super) fn resize(&mut self, size: Size) -> bool {
        if self.size == size {
            return false;
        }
        self.size = size;
        self.canvas.set_width(size.width);
        self.canvas.set_height(size.height);
        match &self.painter {
            Painter::Gl(gl) => gl.resized(size),
            // Setting the size resets the context's state, the quality of scaling too. Frames that
            // were composed for this canvas need no scaling; others are worth more than the
            // default.
            Painter::Flat(context) => {
                let quality = JsValue::from_str("medium");
                let _ = Reflect::set(context, &"imageSmoothingQuality".into(), &quality);
            }
        }
        true
    }

    /// Draws in two dimensions from now on, on a new canvas in the old one's place. It must be
    /// drawn before the browser paints again.
    ///
    /// # Errors
    ///
    /// The engine makes no other canvas; the one there is stays.
    pub(super) fn flatten(&mut self) -> Result<(), JsValue> {
        if let Painter::Gl(_) = self.painter {
            let canvas = replaced(&self.canvas)?;
            self.painter = Painter::Flat(context_of(&canvas)?);
            self.canvas = canvas;
            let size = std::mem::replace(&mut self.size, Size::new(1, 1));
            self.resize(size);
        }
        Ok(())
    }

    /// Brings a new picture to where it will be drawn from, before its moment. Returns whether this
    /// surface can't draw it, or not in time: then it must be flattened.
    pub(super) fn prepare(&mut self, picture: &mut Picture, is_first: bool) -> bool {
        match &self.painter {
            Painter::Gl(gl) => {
                picture.texture = gl.upload(picture.source()).ok();
                let Some(texture) = &picture.texture else {
                    return true;
                };
                if self.is_measured || !is_first {
                    return false;
                }
                // Nothing shows yet, and what is drawn here is drawn over before the browser
                // paints.
                self.is_measured = true;
                let rect = self.place(picture.size());
                let frame = || {
                    let layers = [(texture, rect, 1.0), (texture, rect, 0.5)];
                    gl.draw(self.size, layers.into_iter());
                    gl.settle();
                };
                // The first frame also compiles the shaders, so the second is measured.
                frame();
                let started = now();
                frame();
                now().since(started) > AFFORDABLE_MILLIS
            }
            Painter::Flat(context) => {
                if !is_first {
                    context.set_global_alpha(FAINT);
                    picture.draw(context, self.place(picture.size()));
                }
                false
            }
        }
    }

    /// Draws pictures over each other, lowest first, each with its opacity, the lowest opaque. Only
    /// the photos of a moving picture move; its backdrop is drawn apart.
    pub(super) fn draw<'a>(&self, layers: impl Iterator<Item = Shown<'a, Picture>>) {
        let placed: Vec<_> = layers
            .map(|shown| {
                let rect = self.place(shown.picture.size());
                let windows = shown.progress.map_or_else(Vec::new, |progress| {
                    let Picture { photos, focus, .. } = shown.picture;
                    motion::windows(rect, photos, *focus, progress.scale())
                });
                (shown, rect, windows)
            })
            .collect();
        let parts = placed.iter().flat_map(|(_, _, windows)| windows);
        let pieces = motion::pieces(parts.map(|window| window.part), self.size);
        let is_whole = pieces.len() == 1;
        for piece in pieces {
            let layers = placed.iter().map(|(shown, rect, windows)| {
                let rect = motion::seen(windows, *rect, piece);
                (shown.picture, rect, shown.alpha)
            });
            match &self.painter {
                Painter::Gl(gl) => {
                    if !is_whole {
                        gl.only(piece, self.size);
                    }
                    gl.draw(
                        self.size,
                        layers.filter_map(|(picture, rect, alpha)| {
                            Some((picture.texture.as_ref()?, rect, alpha))
                        }),
                    );
                    gl.everywhere();
                }
                Painter::Flat(context) => {
                    if !is_whole {
                        context.save();
                        context.begin_path();
                        context.rect(piece.x, piece.y, piece.width, piece.height);
                        context.clip();
                    }
                    for (picture, rect, alpha) in layers {
                        context.set_global_alpha(alpha);
                        picture.draw(context, rect);
                        context.set_fill_style_str("#000");
                        for bar in fit::bars(rect, self.size) {
                            context.fill_rect(bar.x, bar.y, bar.width, bar.height);
                        }
                    }
                    if !is_whole {
                        context.restore();
                    }
                }
            }
        }
    }

    /// The rectangle in which a picture belongs; that of a wall lies mostly beyond this canvas.
    fn place(&self, picture: Size) -> Rect {
        let rect = fit::place(picture, self.wall.whole(self.size));
        let (x, y) = self.wall.origin(self.size);
        Rect {
            x: rect.x - x,
            y: rect.y - y,
            ..rect
        }
    }
}

/// Puts another canvas of the same kind in the place of this one, and returns it.
fn replaced(canvas: &HtmlCanvasElement) -> Result<HtmlCanvasElement, JsValue> {
    let new = canvas.clone_node()?;
    let parent = canvas.parent_node().ok_or("no page around the canvas")?;
    parent.replace_child(&new, canvas)?;
    Ok(new.unchecked_into())
}

/// Whether the user wants nothing to move, by the settings of the device.
pub(super) fn wants_stillness() -> bool {
    let query = window().match_media("(prefers-reduced-motion: reduce)");
    query.ok().flatten().is_some_and(|query| query.matches())
}
