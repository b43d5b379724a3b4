//! What lies over the picture: the statistics panel and the toast. Never the figures themselves.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement};

use super::handles::Alarm;
use crate::stats::Row;

/// The statistics panel.
pub(super) struct Panel {
    document: Document,
    element: HtmlElement,
    /// The cells of the figures, made with the first rows.
    values: Vec<Element>,
}

impl Panel {
    /// The panel in `element`, as hidden as the page has it.
    pub(super) fn new(document: &Document, element: HtmlElement) -> Self {
        Self {
            document: document.clone(),
            element,
            values: Vec::new(),
        }
    }

    /// Whether it is to be seen.
    pub(super) fn is_shown(&self) -> bool {
        !self.element.hidden()
    }

    /// Shows or hides it.
    pub(super) fn show(&self, shown: bool) {
        self.element.set_hidden(!shown);
    }

    /// Writes the rows. They are always the same ones, so cells are made once; text is never
    /// read as HTML.
    ///
    /// # Errors
    ///
    /// The engine makes no elements.
    pub(super) fn write(&mut self, rows: &[Row]) -> Result<(), JsValue> {
        for (index, row) in rows.iter().enumerate() {
            if self.values.len() <= index {
                let line = self.document.create_element("tr")?;
                let label = self.document.create_element("th")?;
                label.set_text_content(Some(row.label));
                let value = self.document.create_element("td")?;
                line.append_child(&label)?;
                line.append_child(&value)?;
                self.element.append_child(&line)?;
                self.values.push(value);
            }
            let cell = &self.values[index];
            if cell.text_content().as_deref() != Some(&row.value) {
                cell.set_text_content(Some(&row.value));
            }
        }
        Ok(())
    }
}

const TOAST_MILLIS: f64 = 1600.0;

/// A word or two that appears and goes by itself.
pub(super) struct Toast {
    element: HtmlElement,
    hide: Alarm,
}

impl Toast {
    /// The toast in `element`.
    pub(super) fn new(element: HtmlElement) -> Self {
        let shown = element.clone();
        let hide = Alarm::new(move || {
            let _ = shown.class_list().remove_1("on");
        });
        Self { element, hide }
    }

    /// Shows `text` for a moment, in place of what is there.
    pub(super) fn show(&self, text: &str) {
        self.element.set_text_content(Some(text));
        let _ = self.element.class_list().add_1("on");
        self.hide.set(TOAST_MILLIS);
    }
}
