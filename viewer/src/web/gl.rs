//! Drawing with WebGL: pictures lie on the graphics processor before their moment, and go over into
//! one another in linear light, as lamps that are dimmed do.
//!
//! Never which pictures and where: rectangles come from outside. Callers must be able to do without
//! WebGL, because contexts get lost.

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{
    HtmlCanvasElement, WebGlProgram, WebGlRenderingContext as Gl, WebGlTexture,
    WebGlUniformLocation,
};

use crate::fit::{Rect, Size};

/// The number of pictures that the player blends at a time.
const N_LAYERS: usize = 3;

/// The vertex shader, for one triangle that covers the screen.
const VERTEX: &str = "attribute vec2 a;varying vec2 v;\
void main(){v=vec2(a.x*.5+.5,.5-a.y*.5);gl_Position=vec4(a,0.,1.);}";

/// The fragment shader. `m` maps the screen to each picture, `t` are the opacities of the second
/// and the third. Squares stand in for sRGB's curve: nobody sees the difference while something
/// moves, and they cost nothing. A first picture alone is drawn as it is, so that a standing
/// picture keeps its exact values.
const FRAGMENT: &str = "#ifdef GL_FRAGMENT_PRECISION_HIGH\nprecision highp float;\n#else\n\
precision mediump float;\n#endif\n\
varying vec2 v;uniform vec4 m[3];uniform vec2 t;uniform sampler2D s[3];\
vec3 l(sampler2D s,vec4 m){vec2 q=v*m.zw+m.xy;vec2 i=step(vec2(0.),q)*step(q,vec2(1.));\
return texture2D(s,q).rgb*(i.x*i.y);}\
void main(){vec3 c=l(s[0],m[0]);if(t.x>0.){vec3 b=l(s[1],m[1]);c=mix(c*c,b*b,t.x);\
if(t.y>0.){b=l(s[2],m[2]);c=mix(c,b*b,t.y);}c=sqrt(c);}gl_FragColor=vec4(c,1.);}";

/// A picture on the graphics processor; given back on drop.
pub(super) struct Texture {
    gl: Gl,
    texture: WebGlTexture,
}

impl Drop for Texture {
    fn drop(&mut self) {
        self.gl.delete_texture(Some(&self.texture));
    }
}

/// A WebGL context with the one program that it runs.
pub(super) struct Painter {
    gl: Gl,
    _program: WebGlProgram,
    map: Option<WebGlUniformLocation>,
    opacities: Option<WebGlUniformLocation>,
    limit: u32,
}

#[wasm_bindgen]
extern "C" {
    /// web-sys has one `texImage2D` for each kind of source, each with its own glue.
    type Upload;
    #[wasm_bindgen(method, catch, js_name = texImage2D)]
    fn tex_image_2d(
        this: &Upload,
        target: u32,
        level: i32,
        internal: u32,
        format: u32,
        kind: u32,
        source: &JsValue,
    ) -> Result<(), JsValue>;
}

impl Painter {
    /// Takes a canvas that has no context yet. Without `at_any_price` only if a graphics processor
    /// does the work: WebGL in software is slower than a canvas in software.
    ///
    /// # Errors
    ///
    /// The engine gives no such context, or its compiler does not take the program.
    pub(super) fn new(canvas: &HtmlCanvasElement, at_any_price: bool) -> Result<Self, JsValue> {
        let options = Object::new();
        for (name, value) in [
            ("alpha", false),
            ("depth", false),
            ("antialias", false),
            // A picture that stands is drawn once, and must still be there when the page is copied.
            ("preserveDrawingBuffer", true),
            ("failIfMajorPerformanceCaveat", !at_any_price),
        ] {
            Reflect::set(&options, &name.into(), &value.into())?;
        }
        let gl: Gl = canvas
            .get_context_with_context_options("webgl", &options)?
            .ok_or("no WebGL")?
            .unchecked_into();
        let program = gl.create_program().ok_or("no program")?;
        for (kind, source) in [(Gl::VERTEX_SHADER, VERTEX), (Gl::FRAGMENT_SHADER, FRAGMENT)] {
            let shader = gl.create_shader(kind).ok_or("no shader")?;
            gl.shader_source(&shader, source);
            gl.compile_shader(&shader);
            gl.attach_shader(&program, &shader);
        }
        gl.bind_attrib_location(&program, 0, "a");
        gl.link_program(&program);
        if gl
            .get_program_parameter(&program, Gl::LINK_STATUS)
            .is_falsy()
        {
            return Err("the shaders were refused".into());
        }
        gl.use_program(Some(&program));
        gl.bind_buffer(Gl::ARRAY_BUFFER, gl.create_buffer().as_ref());
        // (−1, −1), (3, −1), (−1, 3) as signed bytes.
        let corners = [255, 255, 3, 255, 255, 3];
        gl.buffer_data_with_u8_array(Gl::ARRAY_BUFFER, &corners, Gl::STATIC_DRAW);
        gl.enable_vertex_attrib_array(0);
        gl.vertex_attrib_pointer_with_i32(0, 2, Gl::BYTE, false, 2, 0);
        let place = |name| gl.get_uniform_location(&program, name);
        gl.uniform1iv_with_i32_array(place("s").as_ref(), &[0, 1, 2]);
        // A context that is lost already knows no limit.
        let limit = gl.get_parameter(Gl::MAX_TEXTURE_SIZE)?.as_f64();
        let limit = limit.filter(|limit| *limit >= 64.0).ok_or("no textures")?;
        #[expect(clippy::cast_sign_loss, reason = "64 and more")]
        let limit = limit as u32;
        Ok(Self {
            map: place("m"),
            opacities: place("t"),
            limit,
            _program: program,
            gl,
        })
    }

    /// The longest side of a texture.
    pub(super) fn limit(&self) -> u32 {
        self.limit
    }

    /// Brings a picture to the graphics processor.
    ///
    /// # Errors
    ///
    /// The context is lost.
    pub(super) fn upload(&self, source: &JsValue) -> Result<Texture, JsValue> {
        let gl = &self.gl;
        let texture = gl.create_texture().ok_or("no texture")?;
        let texture = Texture {
            gl: gl.clone(),
            texture,
        };
        gl.bind_texture(Gl::TEXTURE_2D, Some(&texture.texture));
        for (name, value) in [
            (Gl::TEXTURE_WRAP_S, Gl::CLAMP_TO_EDGE),
            (Gl::TEXTURE_WRAP_T, Gl::CLAMP_TO_EDGE),
            (Gl::TEXTURE_MIN_FILTER, Gl::LINEAR),
        ] {
            gl.tex_parameteri(Gl::TEXTURE_2D, name, value.cast_signed());
        }
        let upload: &Upload = gl.unchecked_ref();
        upload.tex_image_2d(
            Gl::TEXTURE_2D,
            0,
            Gl::RGB,
            Gl::RGB,
            Gl::UNSIGNED_BYTE,
            source,
        )?;
        if gl.is_context_lost() {
            return Err("the context is lost".into());
        }
        Ok(texture)
    }

    /// Adapts to another size of the canvas.
    pub(super) fn resized(&self, size: Size) {
        let side = |length: u32| i32::try_from(length).unwrap_or(i32::MAX);
        self.gl.viewport(0, 0, side(size.width), side(size.height));
    }

    /// Restricts drawing to a part of the canvas, which lies on whole pixels.
    pub(super) fn only(&self, part: Rect, canvas: Size) {
        let pixel = |length: f64| length as i32;
        let below = f64::from(canvas.height) - part.y - part.height;
        self.gl.enable(Gl::SCISSOR_TEST);
        self.gl.scissor(
            pixel(part.x),
            pixel(below),
            pixel(part.width),
            pixel(part.height),
        );
    }

    /// Lets the whole canvas be drawn to again.
    pub(super) fn everywhere(&self) {
        self.gl.disable(Gl::SCISSOR_TEST);
    }

    /// Draws pictures over each other, lowest first, each with its place and its opacity.
    pub(super) fn draw<'a>(
        &self,
        canvas: Size,
        layers: impl Iterator<Item = (&'a Texture, Rect, f64)>,
    ) {
        let gl = &self.gl;
        let mut map = [0.0_f32; 4 * N_LAYERS];
        let mut opacities = [0.0_f32; N_LAYERS];
        let (width, height) = (f64::from(canvas.width), f64::from(canvas.height));
        for (at, (texture, rect, alpha)) in (0..N_LAYERS).zip(layers) {
            gl.active_texture(Gl::TEXTURE0 + at as u32);
            gl.bind_texture(Gl::TEXTURE_2D, Some(&texture.texture));
            map[4 * at] = (-rect.x / rect.width) as f32;
            map[4 * at + 1] = (-rect.y / rect.height) as f32;
            map[4 * at + 2] = (width / rect.width) as f32;
            map[4 * at + 3] = (height / rect.height) as f32;
            opacities[at] = alpha as f32;
        }
        gl.active_texture(Gl::TEXTURE0);
        gl.uniform4fv_with_f32_array(self.map.as_ref(), &map);
        gl.uniform2f(self.opacities.as_ref(), opacities[1], opacities[2]);
        gl.draw_arrays(Gl::TRIANGLES, 0, 3);
    }

    /// Waits until everything that was asked for is drawn.
    pub(super) fn settle(&self) {
        let mut pixel = [0; 4];
        // Chromium's `finish` does not wait; reading a pixel does.
        let _ = self.gl.read_pixels_with_opt_u8_array(
            0,
            0,
            1,
            1,
            Gl::RGBA,
            Gl::UNSIGNED_BYTE,
            Some(&mut pixel),
        );
    }
}
