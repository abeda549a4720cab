//! A coach's Markdown as HTML that is safe on a public page.
//!
//! Two walls: Markdown may hold HTML, so what the parser gives goes through an allow-list. Pictures are left out
//! altogether: one from elsewhere would tell its server who reads the page (promise P13).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// Everything a description may be made of. No attribute but a link's address survives.
const TAGS: [&str; 22] = [
    "p",
    "br",
    "hr",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "strong",
    "em",
    "del",
    "code",
    "pre",
    "blockquote",
    "ul",
    "ol",
    "li",
    "a",
    "table",
    "thead",
    "tbody",
    "tr",
];
const CELLS: [&str; 2] = ["th", "td"];

static ALLOW_LIST: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut list = ammonia::Builder::empty();
    list.tags(TAGS.into_iter().chain(CELLS).collect())
        .clean_content_tags(HashSet::from(["script", "style"]))
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"]))]))
        .url_schemes(HashSet::from(["https", "mailto"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(Some("nofollow noopener noreferrer"));
    list
});

/// Texts whose HTML is remembered. Public pages show the same few again and again, and the two walls cost more than the
/// rest of a page.
const REMEMBERED: usize = 512;

static MADE: LazyLock<Mutex<HashMap<String, Arc<str>>>> = LazyLock::new(Mutex::default);

/// Sanitised HTML of a Markdown text. Headings begin at the second level: the page's title is the first.
#[must_use]
pub fn to_html(markdown: &str) -> Arc<str> {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(html) = made.get(markdown) {
        return html.clone();
    }
    drop(made);
    let html: Arc<str> = sanitised(markdown).into();
    made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if made.len() >= REMEMBERED {
        made.clear();
    }
    made.insert(markdown.to_owned(), html.clone());
    html
}

/// Forgets every text, because one of them may be somebody's who was erased.
pub(crate) fn forget() {
    MADE.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

fn sanitised(markdown: &str) -> String {
    let options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES;
    let events = Parser::new_ext(markdown, options).map(|event| match event {
        Event::Start(Tag::Heading { level, .. }) => {
            Event::Start(Tag::Heading { level: lowered(level), id: None, classes: Vec::new(), attrs: Vec::new() })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lowered(level))),
        other => other,
    });
    let mut unsafe_html = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut unsafe_html, events);
    ALLOW_LIST.clean(&unsafe_html).to_string()
}

const fn lowered(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        HeadingLevel::H2 => HeadingLevel::H3,
        HeadingLevel::H3 => HeadingLevel::H4,
        HeadingLevel::H4 => HeadingLevel::H5,
        HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_markdown_reads_well() {
        let html =
            to_html("# Five mistakes\n\nYou **will** learn:\n\n- one\n- two\n\n[More](https://example.com/a?b=1&c=2)");
        assert!(html.contains("<h2>Five mistakes</h2>"), "{html}");
        assert!(html.contains("<strong>will</strong>"));
        assert!(html.contains("<li>one</li>"));
        assert!(html.contains("href=\"https://example.com/a?b=1&amp;c=2\""));
        assert!(html.contains("rel=\"nofollow noopener noreferrer\""));
        assert!(to_html("| a | b |\n|---|---|\n| 1 | 2 |").contains("<td>1</td>"));
        assert!(to_html("[Write](mailto:maya@example.com)").contains("mailto:maya@example.com"));
    }

    #[test]
    fn nothing_hostile_survives() {
        let hostile = [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "![x](https://tracker.example/pixel.gif)",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt&#58;alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "[x](vbscript:alert(1))",
            "[x](//evil.example)",
            "[x](/dashboard)",
            "<a href=\"https://ok.example\" onclick=\"alert(1)\" style=\"position:fixed\" target=\"_top\">x</a>",
            "<iframe src=\"https://evil.example\"></iframe>",
            "<svg><script>alert(1)</script></svg>",
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
            "<form action=\"https://evil.example\"><input name=\"email\"></form>",
            "<style>@import 'https://evil.example'</style>",
            "<base href=\"https://evil.example\">",
            "<p id=\"room\" class=\"x\" data-x=\"y\">x</p>",
            "<object data=\"x\"></object><embed src=\"x\"><link rel=stylesheet href=x><meta http-equiv=refresh>",
            "<video src=\"https://tracker.example\" autoplay></video>",
        ];
        for text in hostile {
            let html = to_html(text).to_lowercase();
            for forbidden in [
                "<script",
                "<img",
                "<iframe",
                "<svg",
                "<math",
                "<form",
                "<input",
                "<style",
                "<base",
                "<object",
                "<embed",
                "<link",
                "<meta",
                "<video",
                "onclick",
                "style=",
                "target=",
                "href=\"javascript",
                "href=\"data",
                "href=\"vbscript",
                "href=\"/",
                "id=",
                "class=",
                "data-x",
            ] {
                assert!(!html.contains(forbidden), "{forbidden} from {text}: {html}");
            }
            // Whatever is left of an attack is text: a tag with a handler would have kept its name.
            assert!(!html.contains("<x"), "{html}");
        }
    }

    #[test]
    fn every_kept_link_leaves_without_a_trace() {
        let html = to_html("<a href=\"https://a.example\" rel=\"opener\">a</a> [b](https://b.example)");
        assert_eq!(html.matches("<a ").count(), 2);
        assert_eq!(html.matches("rel=\"nofollow noopener noreferrer\"").count(), 2, "{html}");
    }
}
