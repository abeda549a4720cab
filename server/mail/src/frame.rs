//! What every mail of one shape has in common, made from MJML once and filled in for each person.
//!
//! MJML is a long way from a template to tables a mail program shows, and a way of a millisecond: too long to go for
//! each of ten thousand people. So the way is gone with holes in place of what differs, and what differs is written into
//! them. A hole is a word no template of ours holds, in letters that mean the same in text and in an address.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use askama::Template;

use crate::letter::RenderError;

const OPENS: &str = "~hole-";
const CLOSES: char = '~';
/// Shapes kept; there are as many as coaches have accents and mails have patterns of paragraphs.
const MOST_FRAMES: usize = 512;

/// Stands for the value of this number.
pub(crate) fn hole(number: usize) -> String {
    format!("{OPENS}{number}{CLOSES}")
}

/// A mail's HTML with holes.
pub(crate) struct Frame {
    before: String,
    /// The number of each hole, and what follows it.
    holes: Vec<(usize, String)>,
}

impl Frame {
    fn of(template: &impl Template) -> Result<Self, RenderError> {
        let html = to_html(template)?;
        let mut parts = html.split(OPENS);
        let before = parts.next().unwrap_or_default().to_owned();
        let holes = parts.map(|part| {
            let (number, rest) = part.split_once(CLOSES).ok_or_else(|| RenderError::new("a hole is open"))?;
            let number = number.parse().map_err(|_| RenderError::new("a hole has no number"))?;
            Ok((number, rest.to_owned()))
        });
        Ok(Self { holes: holes.collect::<Result<_, RenderError>>()?, before })
    }

    /// The whole mail. Values are HTML already, see [`escaped`].
    pub(crate) fn filled(&self, values: &[String]) -> Result<String, RenderError> {
        let size = self.before.len() + values.iter().map(String::len).sum::<usize>();
        let mut html = String::with_capacity(size + self.holes.iter().map(|(_, rest)| rest.len()).sum::<usize>());
        html.push_str(&self.before);
        for (number, rest) in &self.holes {
            html.push_str(values.get(*number).ok_or_else(|| RenderError::new("a hole has no value"))?);
            html.push_str(rest);
        }
        Ok(html)
    }
}

/// The frame of a shape, made by the first who asks for it.
pub(crate) fn frame<T: Template>(shape: String, template: impl FnOnce() -> T) -> Result<Arc<Frame>, RenderError> {
    static FRAMES: LazyLock<Mutex<HashMap<String, Arc<Frame>>>> = LazyLock::new(Mutex::default);
    let frames = || FRAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = frames().get(&shape) {
        return Ok(Arc::clone(known));
    }
    let made = Arc::new(Frame::of(&template())?);
    let mut known = frames();
    if known.len() >= MOST_FRAMES {
        known.clear();
    }
    known.insert(shape, Arc::clone(&made));
    Ok(made)
}

/// Text as HTML, for between tags and inside the quotes of an attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&#38;"),
            '<' => out.push_str("&#60;"),
            '>' => out.push_str("&#62;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

fn to_html(template: &impl Template) -> Result<String, RenderError> {
    let mjml = template.render().map_err(RenderError::new)?;
    let parsed = mrml::parse(mjml).map_err(RenderError::new)?;
    parsed.element.render(&mrml::prelude::render::RenderOptions::default()).map_err(RenderError::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Template)]
    #[template(
        source = "<mjml><mj-body><mj-section><mj-column><mj-text>{{ text }}</mj-text><mj-button href=\"{{ url }}\">{{ text }}</mj-button></mj-column></mj-section></mj-body></mjml>",
        ext = "html"
    )]
    struct Shape {
        text: String,
        url: String,
    }

    #[test]
    fn a_filled_frame_is_what_mjml_would_have_made() {
        let (text, url) = ("Grüße & <b>more</b> \u{1f600}", "https://example.com/?a=1&b=\"2\"");
        let whole = to_html(&Shape { text: text.to_owned(), url: url.to_owned() }).expect("renders");
        let frame = Frame::of(&Shape { text: hole(0), url: hole(1) }).expect("renders");
        assert_eq!(frame.holes.len(), 3, "the words twice, the address once");
        assert_eq!(frame.filled(&[escaped(text), escaped(url)]).expect("filled"), whole);
        assert!(frame.filled(&[escaped(text)]).is_err(), "nothing is left open");
    }

    #[test]
    fn a_value_that_looks_like_a_hole_is_a_value() {
        let frame = Frame::of(&Shape { text: hole(0), url: hole(1) }).expect("renders");
        let html = frame.filled(&[hole(1), "https://example.com".to_owned()]).expect("filled");
        assert_eq!(html.matches("https://example.com").count(), 1);
    }
}
