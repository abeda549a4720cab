//! A mail in a coach's own words: Markdown in, sound HTML and a plain-text twin out.
//!
//! HTML in the Markdown is text, pictures are left out (one from elsewhere tells its server who reads), and only https,
//! http and mailto addresses are links. A paragraph that is one link and nothing else is a button.

use askama::Template;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

use crate::frame::{escaped, frame};
use crate::letter::{Holes, RenderError, Rendered, one_line};

/// Gmail cuts a mail off beyond this.
pub const MOST_HTML_BYTES: usize = 102 * 1024;
/// Where lines of the plain text are broken.
const COLUMNS: usize = 78;

/// A mail in a coach's own words, filled in for one person.
#[derive(Clone, Debug)]
pub struct CoachLetter {
    /// Subject line.
    pub subject: String,
    /// Markdown.
    pub body: String,
    /// `#rrggbb` for buttons.
    pub accent: String,
    /// Who writes and why this mail came, plain text.
    pub footer: Vec<String>,
    /// Where its reader ends such mail.
    pub unsubscribe_url: String,
    /// Where its reader sees what is held.
    pub privacy_url: String,
}

/// A part of the body.
enum Block {
    /// Sound HTML.
    Html(String),
    /// A link by itself.
    Button { label: String, url: String },
}

impl Block {
    const fn is_button(&self) -> bool {
        matches!(self, Self::Button { .. })
    }

    fn with_holes(&self, holes: &mut Holes) -> Self {
        match self {
            Self::Html(_) => Self::Html(holes.next()),
            Self::Button { .. } => Self::Button { label: holes.next(), url: holes.next() },
        }
    }
}

#[derive(Template)]
#[template(path = "coach_letter.mjml", escape = "html")]
struct Mjml {
    subject: String,
    accent: String,
    ink: &'static str,
    blocks: Vec<Block>,
    footer: Vec<String>,
    unsubscribe_url: String,
    privacy_url: String,
}

fn is_link(url: &str) -> bool {
    ["https://", "http://", "mailto:"].iter().any(|scheme| url.to_ascii_lowercase().starts_with(scheme))
}

/// Black or white, whichever reads better on a colour (WCAG 2.2, relative luminance).
fn ink_on(accent: &str) -> &'static str {
    let channel = |from: usize| {
        let value = accent.get(from..from + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok()).unwrap_or(0);
        let share = f64::from(value) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
    if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) { "#1a1613" } else { "#ffffff" }
}

/// The events of a body without what a mail must not hold.
fn events(markdown: &str) -> Vec<Event<'_>> {
    let mut sound = Vec::new();
    let mut dropped_links = 0_usize;
    let mut in_picture = 0_usize;
    for event in Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Image { .. }) => in_picture += 1,
            Event::End(TagEnd::Image) => in_picture = in_picture.saturating_sub(1),
            Event::Start(Tag::Link { ref dest_url, .. }) if !is_link(dest_url) => dropped_links += 1,
            Event::End(TagEnd::Link) if dropped_links > 0 => dropped_links -= 1,
            Event::Html(text) | Event::InlineHtml(text) => sound.push(Event::Text(text)),
            Event::Start(Tag::HtmlBlock) => sound.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => sound.push(Event::End(TagEnd::Paragraph)),
            event => sound.push(event),
        }
    }
    sound
}

/// The words and address of a paragraph that is one link.
fn button_of(paragraph: &[Event<'_>]) -> Option<(String, String)> {
    let [
        Event::Start(Tag::Paragraph),
        Event::Start(Tag::Link { dest_url, .. }),
        words @ ..,
        Event::End(TagEnd::Link),
        Event::End(TagEnd::Paragraph),
    ] = paragraph
    else {
        return None;
    };
    let is_one = !words.iter().any(|event| matches!(event, Event::Start(Tag::Link { .. })));
    let label = text_of(words);
    (is_one && !label.is_empty() && label != dest_url.as_ref()).then(|| (label, dest_url.to_string()))
}

fn text_of(events: &[Event<'_>]) -> String {
    let words = events.iter().filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.to_string()),
        Event::SoftBreak | Event::HardBreak => Some(" ".to_owned()),
        _ => None,
    });
    words.collect()
}

/// Top-level blocks, each with its events.
fn blocks_of<'a>(events: &'a [Event<'a>]) -> Vec<&'a [Event<'a>]> {
    let mut blocks = Vec::new();
    let (mut depth, mut from) = (0_usize, 0);
    for (place, event) in events.iter().enumerate() {
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            blocks.push(&events[from..=place]);
            from = place + 1;
        }
    }
    blocks
}

fn html_of(block: &[Event<'_>]) -> String {
    let mut out = String::new();
    html::push_html(&mut out, block.iter().cloned());
    out
}

/// Breaks a line at spaces; a word longer than a line, such as an address, stays whole.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(std::mem::take(&mut line));
        }
        if line.is_empty() && !lines.is_empty() {
            line.push_str(indent);
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.join("\n")
}

/// A block in plain text.
fn plain(block: &[Event<'_>]) -> String {
    if let Some((label, url)) = button_of(block) {
        return format!("{label}:\n{url}");
    }
    let mut out = String::new();
    let mut line = String::new();
    let mut starts: Vec<Option<u64>> = Vec::new();
    let mut link: Option<(usize, String)> = None;
    let flush = |line: &mut String, out: &mut String| {
        let indent = if line.starts_with("- ") { "  " } else { "" };
        if !line.trim().is_empty() {
            let whole: Vec<String> = line.split('\n').map(|one| wrapped(one, indent)).collect();
            out.push_str(&whole.join("\n"));
            out.push('\n');
        }
        line.clear();
    };
    for event in block {
        match event {
            Event::Start(Tag::List(first)) => {
                flush(&mut line, &mut out);
                starts.push(*first);
            }
            Event::End(TagEnd::List(_)) => {
                starts.pop();
            }
            Event::Start(Tag::Item) => match starts.last_mut() {
                Some(Some(number)) => {
                    line.push_str(&format!("{number}. "));
                    *number += 1;
                }
                _ => line.push_str("- "),
            },
            Event::Start(Tag::BlockQuote(_)) => line.push_str("> "),
            Event::End(
                TagEnd::Item | TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::BlockQuote(_) | TagEnd::CodeBlock,
            ) => {
                flush(&mut line, &mut out);
            }
            Event::Start(Tag::Link { dest_url, .. }) => link = Some((line.len(), dest_url.to_string())),
            Event::End(TagEnd::Link) => {
                if let Some((from, url)) = link.take() {
                    // An address that is its own words is said once.
                    if line.get(from..) != Some(url.as_str()) {
                        line.push_str(&format!(": {url}"));
                    }
                }
            }
            Event::Text(text) | Event::Code(text) => line.push_str(text),
            Event::SoftBreak => line.push(' '),
            Event::HardBreak => line.push('\n'),
            Event::Rule => out.push_str("----\n"),
            _ => {}
        }
    }
    flush(&mut line, &mut out);
    out.trim_end().to_owned()
}

impl CoachLetter {
    fn html(&self, subject: &str, accent: &str, blocks: Vec<Block>) -> Result<String, RenderError> {
        let pattern: String = blocks.iter().map(|block| if block.is_button() { 'b' } else { 'h' }).collect();
        let frame = frame(format!("coach {accent} {pattern} {}", self.footer.len()), || {
            let mut holes = Holes::default();
            Mjml {
                subject: holes.next(),
                accent: accent.to_owned(),
                ink: ink_on(accent),
                blocks: blocks.iter().map(|block| block.with_holes(&mut holes)).collect(),
                footer: holes.many(self.footer.len()),
                unsubscribe_url: holes.next(),
                privacy_url: holes.next(),
            }
        })?;
        let mut values = vec![escaped(subject)];
        for block in blocks {
            match block {
                Block::Html(html) => values.push(html),
                Block::Button { label, url } => values.extend([escaped(&label), escaped(&url)]),
            }
        }
        values.extend(self.footer.iter().map(|line| escaped(line)));
        values.extend([escaped(&self.unsubscribe_url), escaped(&self.privacy_url)]);
        frame.filled(&values)
    }

    /// Renders the letter.
    ///
    /// # Errors
    /// When it is larger than a mail program shows, or the template yields what is not MJML.
    pub fn render(&self) -> Result<Rendered, RenderError> {
        let subject = one_line(&self.subject);
        let is_colour = self.accent.len() == 7 && self.accent[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
        let accent = if is_colour { self.accent.as_str() } else { "#b4532a" };
        let events = events(&self.body);
        let parts = blocks_of(&events);
        let blocks: Vec<Block> = parts
            .iter()
            .map(|block| match button_of(block) {
                Some((label, url)) => Block::Button { label, url },
                None => Block::Html(html_of(block)),
            })
            .collect();
        let html = self.html(&subject, accent, blocks)?;
        if html.len() > MOST_HTML_BYTES {
            return Err(RenderError::too_large());
        }
        let mut text: Vec<String> = parts.iter().map(|block| plain(block)).filter(|text| !text.is_empty()).collect();
        let mut footer: Vec<String> = self.footer.iter().map(|line| wrapped(line, "")).collect();
        footer.push(format!("No more of these mails: {}", self.unsubscribe_url));
        footer.push(format!("What is held about you: {}", self.privacy_url));
        text.push(format!("-- \n{}", footer.join("\n")));
        Ok(Rendered { subject, text: text.join("\n\n") + "\n", html })
    }
}

/// The headers by which a mail program ends such mail with one press (RFC 8058).
#[must_use]
pub fn one_click(url: &str) -> [(String, String); 2] {
    [
        ("List-Unsubscribe".to_owned(), format!("<{url}>")),
        ("List-Unsubscribe-Post".to_owned(), "List-Unsubscribe=One-Click".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(body: &str) -> CoachLetter {
        CoachLetter {
            subject: "Your place".to_owned(),
            body: body.to_owned(),
            accent: "#b4532a".to_owned(),
            footer: vec!["Maya writes to you because this address was registered.".to_owned()],
            unsubscribe_url: "https://example.com/u/abc".to_owned(),
            privacy_url: "https://example.com/my-data".to_owned(),
        }
    }

    fn rendered(body: &str) -> Rendered {
        letter(body).render().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn nothing_a_coach_types_runs_or_tells_anybody_who_reads() {
        let hostile = "Hello <script>alert(1)</script> <img src=x onerror=y> & co\n\n<div onclick=\"x\">raw</div>\n\n\
                       ![pixel](https://spy.example/p.gif) [bad](javascript:alert(1)) [data](data:text/html,x)";
        let html = rendered(hostile).html;
        for never in
            ["<script", "<img", "<div onclick", "spy.example", "href=\"javascript", "href=\"data", "fonts.googleapis"]
        {
            assert!(!html.contains(never), "{never}: {html}");
        }
        assert!(html.contains("&lt;script&gt;"), "what was typed is read as text");
    }

    #[test]
    fn a_link_by_itself_is_a_button_with_its_address_below() {
        let mail =
            rendered("Hello,\n\n[Open your page](https://example.com/r/abc)\n\nSee [this](https://example.com/x).");
        assert!(mail.html.contains("Open your page") && mail.html.matches("https://example.com/r/abc").count() >= 2);
        assert!(mail.text.contains("Open your page:\nhttps://example.com/r/abc"), "{}", mail.text);
        assert!(mail.text.contains("See this: https://example.com/x."), "{}", mail.text);
    }

    #[test]
    fn the_text_twin_reads_well() {
        let mail = rendered(
            "# Hello\n\nOne\ntwo\n\n- first\n- second\n\n1. a\n2. b\n\n> said\n\n---\n\n**bold** <https://example.com/y>",
        );
        let expected = "Hello\n\nOne two\n\n- first\n- second\n\n1. a\n2. b\n\n> said\n\n----\n\nbold https://example.com/y\n\n-- \n";
        assert!(mail.text.starts_with(expected), "{}", mail.text);
        let long = rendered(&format!("{} https://example.com/{}", "word ".repeat(40), "x".repeat(120)));
        assert!(long.text.contains(&"x".repeat(120)), "an address is never broken");
        assert!(long.text.lines().all(|line| line.chars().count() <= COLUMNS || line.contains("example.com")));
    }

    #[test]
    fn it_reads_in_the_dark_and_on_every_accent() {
        let html = rendered("Hello").html;
        assert!(html.contains("color-scheme") && html.contains("prefers-color-scheme: dark"));
        assert!(html.contains("https://example.com/u/abc") && html.contains("https://example.com/my-data"));
        assert_eq!((ink_on("#ffffff"), ink_on("#000000"), ink_on("#ffd700")), ("#1a1613", "#ffffff", "#1a1613"));
    }

    #[test]
    fn what_a_mail_program_would_cut_off_is_not_sent() {
        assert!(letter(&"word ".repeat(30_000)).render().is_err());
    }
}
