//! A letter: what every mail of ours is made of. One subject, short paragraphs, at most one button.

use askama::Template;
use serde::{Deserialize, Serialize};

use crate::frame::{escaped, frame, hole};

/// A link to press.
#[derive(Clone, Debug)]
pub struct Button {
    /// What pressing it does.
    pub label: String,
    /// Absolute address.
    pub url: String,
}

/// What a mail says, before it has a shape.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Subject line.
    pub subject: String,
    /// `#rrggbb` for the button.
    pub accent: String,
    /// Paragraphs above the button, plain text.
    pub before: Vec<String>,
    /// The one thing to do.
    pub button: Option<Button>,
    /// Paragraphs below the button, plain text.
    pub after: Vec<String>,
    /// Why this mail came, in the small print.
    pub footer: Vec<String>,
}

/// A letter in both its shapes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rendered {
    /// Subject line, one line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

#[derive(Template)]
#[template(path = "letter.mjml", escape = "html")]
struct Mjml {
    subject: String,
    accent: String,
    before: Vec<String>,
    button: Option<Button>,
    after: Vec<String>,
    footer: Vec<String>,
}

/// A letter could not be given its HTML shape.
#[derive(Debug, thiserror::Error)]
#[error("render the letter: {0}")]
pub struct RenderError(String);

impl RenderError {
    pub(crate) fn new(why: impl ToString) -> Self {
        Self(why.to_string())
    }

    pub(crate) fn too_large() -> Self {
        Self("it is longer than mail programs show".to_owned())
    }
}

/// Takes a number for each value a letter holds, in its order.
#[derive(Default)]
pub(crate) struct Holes(usize);

impl Holes {
    pub(crate) fn next(&mut self) -> String {
        self.0 += 1;
        hole(self.0 - 1)
    }

    pub(crate) fn many(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.next()).collect()
    }
}

impl Letter {
    /// Renders the letter.
    ///
    /// # Errors
    /// When the template yields what is not MJML, which a test of every letter would show first.
    pub fn render(&self) -> Result<Rendered, RenderError> {
        let Self { subject, accent, before, button, after, footer } = self;
        let shape = format!("letter {accent} {} {} {} {}", before.len(), button.is_some(), after.len(), footer.len());
        let frame = frame(shape, || self.with_holes())?;
        let button = button.iter().flat_map(|button| [&button.label, &button.url]);
        let values = std::iter::once(subject).chain(before).chain(button).chain(after).chain(footer);
        let html = frame.filled(&values.map(|value| escaped(value)).collect::<Vec<_>>())?;
        Ok(Rendered { subject: one_line(&self.subject), text: self.text(), html })
    }

    /// The shape of this letter. Values are numbered in the order in which [`Letter::render`] gives them.
    fn with_holes(&self) -> Mjml {
        let mut holes = Holes::default();
        Mjml {
            subject: holes.next(),
            accent: self.accent.clone(),
            before: holes.many(self.before.len()),
            button: self.button.as_ref().map(|_| Button { label: holes.next(), url: holes.next() }),
            after: holes.many(self.after.len()),
            footer: holes.many(self.footer.len()),
        }
    }

    fn text(&self) -> String {
        let mut parts = self.before.clone();
        if let Some(button) = &self.button {
            parts.push(format!("{}:\n{}", button.label, button.url));
        }
        parts.extend(self.after.iter().cloned());
        if !self.footer.is_empty() {
            parts.push(format!("-- \n{}", self.footer.join("\n")));
        }
        parts.join("\n\n") + "\n"
    }
}

/// A header value must never bring its own line break.
pub(crate) fn one_line(text: &str) -> String {
    text.split(char::is_control).map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            subject: "Your link\r\nBcc: everyone@example.com".into(),
            accent: "#b4532a".into(),
            before: vec!["Hello <b>Tom</b> & co,".into()],
            button: Some(Button { label: "Watch".into(), url: "https://example.com/r/abc?x=1&y=2".into() }),
            after: vec!["See you.".into()],
            footer: vec!["You registered for this.".into()],
        }
    }

    #[test]
    fn a_subject_cannot_bring_a_header() {
        let rendered = letter().render().expect("renders");
        assert_eq!(rendered.subject, "Your link Bcc: everyone@example.com");
    }

    #[test]
    fn what_people_typed_stays_text() {
        let rendered = letter().render().expect("renders");
        assert!(
            rendered.html.contains("Hello &lt;b&gt;Tom") || rendered.html.contains("Hello &#60;b&#62;Tom"),
            "{}",
            rendered.html
        );
        assert!(!rendered.html.contains("<script"));
        assert!(rendered.html.contains("https://example.com/r/abc?x=1&"));
        assert!(rendered.text.contains("https://example.com/r/abc?x=1&y=2"));
        assert!(rendered.text.contains("Hello <b>Tom</b> & co,"));
    }
}
