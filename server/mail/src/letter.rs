//! A letter: what every mail of ours is made of. One subject, short paragraphs, at most one button.

use askama::Template;
use serde::{Deserialize, Serialize};

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
struct Mjml<'a> {
    letter: &'a Letter,
}

/// A letter could not be given its HTML shape.
#[derive(Debug, thiserror::Error)]
#[error("render the letter: {0}")]
pub struct RenderError(String);

impl RenderError {
    pub(crate) fn too_large() -> Self {
        Self("it is longer than mail programs show".to_owned())
    }
}

/// MJML from a template as HTML.
pub(crate) fn to_html(template: &impl Template) -> Result<String, RenderError> {
    let failed = |error: &dyn std::fmt::Display| RenderError(error.to_string());
    let mjml = template.render().map_err(|error| failed(&error))?;
    let parsed = mrml::parse(mjml).map_err(|error| failed(&error))?;
    let options = mrml::prelude::render::RenderOptions::default();
    parsed.element.render(&options).map_err(|error| failed(&error))
}

impl Letter {
    /// Renders the letter.
    ///
    /// # Errors
    /// When the template yields what is not MJML, which a test of every letter would show first.
    pub fn render(&self) -> Result<Rendered, RenderError> {
        let html = to_html(&Mjml { letter: self })?;
        Ok(Rendered { subject: one_line(&self.subject), text: self.text(), html })
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
