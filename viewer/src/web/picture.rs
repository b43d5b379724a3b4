//! Decoding: from encoded bytes to a picture that can be drawn, ahead of its moment, by
//! `createImageBitmap` if the engine has it, otherwise by an `<img>` element with an object URL.
//!
//! Never when a picture is shown. Bitmaps are closed and object URLs revoked on drop: both hold
//! memory that no garbage collector sees.

use js_sys::{Array, Promise, Uint8Array};
use mantel_shared::{Area, Focus};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlCanvasElement, HtmlImageElement,
    ImageBitmap, Url,
};

use super::{
    gl::Texture,
    page::{property, window},
    surface::context_of,
};
use crate::fit::{Rect, Size};

/// A method of decoding pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// `createImageBitmap`, in a thread of the engine.
    Bitmap,
    /// `createImageBitmap`, which has worked before: bytes that it refuses are no picture.
    Proven,
    /// `HTMLImageElement.decode()`, or its load event if that is missing too.
    Element,
}

impl Method {
    /// The best method that the engine has.
    pub(super) fn detect() -> Self {
        match property(&window(), "createImageBitmap") {
            Some(_) => Self::Bitmap,
            None => Self::Element,
        }
    }

    /// The method's name in the statistics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bitmap | Self::Proven => "bitmap",
            Self::Element => "img element",
        }
    }
}

/// A decoded picture.
pub(super) struct Picture {
    /// The source for canvases of either kind: a bitmap, an element or a canvas.
    source: JsValue,
    size: Size,
    /// The point that is worth looking at.
    pub(super) focus: Focus,
    /// The areas of its photos.
    pub(super) photos: Vec<Area>,
    /// The picture on the graphics processor, if WebGL draws.
    pub(super) texture: Option<Texture>,
    _keep: Keep,
}

/// The object that has to be given back.
enum Keep {
    Bitmap(ImageBitmap),
    Element(#[expect(dead_code, reason = "it is revoked on drop")] ObjectUrl),
    Canvas(HtmlCanvasElement),
}

impl Drop for Keep {
    fn drop(&mut self) {
        match self {
            Self::Bitmap(bitmap) => bitmap.close(),
            // WebKit counts a canvas's memory until it is collected, which may be late; a width
            // of 1 frees it now.
            Self::Canvas(canvas) => canvas.set_width(1),
            Self::Element(_) => {}
        }
    }
}

#[wasm_bindgen]
extern "C" {
    /// web-sys has one `drawImage` for each kind of source, each with its own glue.
    type Drawing;
    #[wasm_bindgen(method, catch, js_name = drawImage)]
    fn draw_image(
        this: &Drawing,
        source: &JsValue,
        x: f64,
        y: f64,
        width: f64,
        height: f64,
    ) -> Result<(), JsValue>;
}

impl Picture {
    /// The picture's size in pixels.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// The source to draw from: a bitmap, an element or a canvas.
    pub(super) fn source(&self) -> &JsValue {
        &self.source
    }

    /// Draws the picture into `rect` with the context's present opacity.
    pub(super) fn draw(&self, context: &CanvasRenderingContext2d, rect: Rect) {
        let context: &Drawing = context.unchecked_ref();
        // Fails for a picture without pixels, and those were refused when decoded.
        let _ = context.draw_image(&self.source, rect.x, rect.y, rect.width, rect.height);
    }

    /// The picture, made smaller if a side is longer than `longest`: textures have a limit, and
    /// pixels beyond any screen's only cost memory.
    ///
    /// # Errors
    ///
    /// The engine makes no canvas.
    fn held(self, longest: u32) -> Result<Self, JsValue> {
        let size = self.size.held(longest);
        if size == self.size {
            return Ok(self);
        }
        let document = window().document().ok_or("no document")?;
        let canvas: HtmlCanvasElement = document.create_element("canvas")?.unchecked_into();
        canvas.set_width(size.width);
        canvas.set_height(size.height);
        let rect = Rect {
            x: 0.0,
            y: 0.0,
            width: f64::from(size.width),
            height: f64::from(size.height),
        };
        self.draw(&context_of(&canvas)?, rect);
        Ok(Self {
            source: canvas.clone().into(),
            size,
            _keep: Keep::Canvas(canvas),
            ..self
        })
    }
}

struct ObjectUrl(String);

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        // Fails for a URL that is no string, which can't be.
        let _ = Url::revoke_object_url(&self.0);
    }
}

/// Decodes a picture to one with sides of at most `longest`; also returns the method that did it.
/// Some engines have `createImageBitmap` and refuse blobs: then an element is tried.
///
/// # Errors
///
/// The bytes are no picture that the engine knows; the engine's own error.
pub(super) async fn decode(
    body: Vec<u8>,
    content_type: &str,
    method: Method,
    longest: u32,
) -> Result<(Picture, Method), JsValue> {
    let bytes = Uint8Array::from(body.as_slice());
    drop(body);
    let options = BlobPropertyBag::new();
    options.set_type(content_type);
    let blob = Blob::new_with_buffer_source_sequence_and_options(&Array::of1(&bytes), &options)?;
    let (picture, method) = match method {
        Method::Element => (decode_element(&blob).await?, method),
        Method::Proven => (decode_bitmap(&blob).await?, method),
        Method::Bitmap => match decode_bitmap(&blob).await {
            Ok(picture) => (picture, Method::Proven),
            Err(_) => (decode_element(&blob).await?, Method::Element),
        },
    };
    Ok((picture.held(longest)?, method))
}

async fn decode_bitmap(blob: &Blob) -> Result<Picture, JsValue> {
    let promise = window().create_image_bitmap_with_blob(blob)?;
    let bitmap: ImageBitmap = JsFuture::from(promise).await?.unchecked_into();
    let size = Size::new(bitmap.width(), bitmap.height());
    Ok(picture(bitmap.clone().into(), size, Keep::Bitmap(bitmap)))
}

async fn decode_element(blob: &Blob) -> Result<Picture, JsValue> {
    let url = ObjectUrl(Url::create_object_url_with_blob(blob)?);
    let image = HtmlImageElement::new()?;
    let loaded = Promise::new(&mut |resolve, reject| {
        image.set_onload(Some(&resolve));
        image.set_onerror(Some(&reject));
    });
    image.set_src(&url.0);
    JsFuture::from(loaded).await?;
    image.set_onload(None);
    image.set_onerror(None);
    // A loaded image is not decoded yet: without this the first draw would decode it, in the middle
    // of a fade.
    if property(&image, "decode").is_some() {
        JsFuture::from(image.decode()).await?;
    }
    let size = Size::new(image.natural_width(), image.natural_height());
    Ok(picture(image.into(), size, Keep::Element(url)))
}

fn picture(source: JsValue, size: Size, keep: Keep) -> Picture {
    const MIDDLE: u16 = Focus::MAX / 2;
    Picture {
        source,
        size,
        focus: Focus {
            x: MIDDLE,
            y: MIDDLE,
        },
        photos: Vec::new(),
        texture: None,
        _keep: keep,
    }
}
