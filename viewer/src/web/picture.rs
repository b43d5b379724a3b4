//! Encoded bytes to something that a canvas can draw, off the critical path: `createImageBitmap`
//! where the engine has it, otherwise an `<img>` element with an object URL.
//!
//! Never when a picture is shown. Bitmaps are closed and object URLs revoked on drop: both hold
//! memory outside of any garbage collector's sight.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, CanvasRenderingContext2d, HtmlImageElement, ImageBitmap, Url,
};

use super::page::{property, window};
use crate::fit::{Rect, Size};

/// How pictures are decoded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// `createImageBitmap`, in a thread of the engine.
    Bitmap,
    /// `HTMLImageElement.decode()`, or its load event where that is missing too.
    Element,
}

impl Method {
    /// The best one that the engine has.
    pub(super) fn detect() -> Self {
        match property(&window(), "createImageBitmap") {
            Some(_) => Self::Bitmap,
            None => Self::Element,
        }
    }

    /// For the statistics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bitmap => "bitmap",
            Self::Element => "img element",
        }
    }
}

/// A decoded picture.
pub(super) struct Picture {
    pixels: Pixels,
    size: Size,
}

enum Pixels {
    Bitmap(ImageBitmap),
    Element {
        image: HtmlImageElement,
        _url: ObjectUrl,
    },
}

impl Picture {
    /// Its size in pixels.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Draws it into `rect` with the context's present opacity.
    pub(super) fn draw(&self, context: &CanvasRenderingContext2d, rect: Rect) {
        let Rect {
            x,
            y,
            width,
            height,
        } = rect;
        // Drawing fails for a picture without pixels, and those were refused when decoded.
        let _ = match &self.pixels {
            Pixels::Bitmap(bitmap) => {
                context.draw_image_with_image_bitmap_and_dw_and_dh(bitmap, x, y, width, height)
            }
            Pixels::Element { image, .. } => {
                context.draw_image_with_html_image_element_and_dw_and_dh(image, x, y, width, height)
            }
        };
    }
}

impl Drop for Pixels {
    fn drop(&mut self) {
        if let Self::Bitmap(bitmap) = self {
            bitmap.close();
        }
    }
}

struct ObjectUrl(String);

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        // It fails for what is no string, which can't be.
        let _ = Url::revoke_object_url(&self.0);
    }
}

/// Decodes a picture; also says which method did it. Some engines have `createImageBitmap` and
/// refuse blobs: then the element gets its chance.
///
/// # Errors
///
/// The engine's own error: it is no picture that it knows.
pub(super) async fn decode(
    body: Vec<u8>,
    content_type: &str,
    method: Method,
) -> Result<(Picture, Method), JsValue> {
    let bytes = Uint8Array::from(body.as_slice());
    drop(body);
    let options = BlobPropertyBag::new();
    options.set_type(content_type);
    let blob = Blob::new_with_buffer_source_sequence_and_options(&Array::of1(&bytes), &options)?;
    if method == Method::Bitmap
        && let Ok(picture) = decode_bitmap(&blob).await
    {
        return Ok((picture, Method::Bitmap));
    }
    decode_element(&blob)
        .await
        .map(|picture| (picture, Method::Element))
}

async fn decode_bitmap(blob: &Blob) -> Result<Picture, JsValue> {
    let promise = window().create_image_bitmap_with_blob(blob)?;
    let bitmap: ImageBitmap = JsFuture::from(promise).await?.unchecked_into();
    let size = Size::new(bitmap.width(), bitmap.height());
    Ok(Picture {
        pixels: Pixels::Bitmap(bitmap),
        size,
    })
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
    // Loaded is not decoded: without this the first draw would decode, in the middle of a fade.
    if property(&image, "decode").is_some() {
        JsFuture::from(image.decode()).await?;
    }
    let size = Size::new(image.natural_width(), image.natural_height());
    Ok(Picture {
        pixels: Pixels::Element { image, _url: url },
        size,
    })
}
