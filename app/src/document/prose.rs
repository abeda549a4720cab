//! Pages to read: the policy and its evidence. Headings, sentences, lists and tables, no script, and a shape that
//! prints well.

use leptos::prelude::*;

use crate::registration::SIGNAL_HONOURED;
use leptos::tachys::view::RenderHtml;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// Words.
    Text(String),
    /// Words that matter.
    Strong(String),
    /// A link.
    Link {
        /// Where to.
        href: String,
        /// Its words.
        text: String,
    },
    /// A small link behind a sentence, such as the id of a promise.
    Mark {
        /// Where to.
        href: String,
        /// Its words.
        text: String,
    },
    /// A state, coloured and in words.
    State {
        /// In words.
        text: String,
        /// Whether it is good.
        is_good: bool,
    },
}

impl Run {
    /// Words.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A link.
    #[must_use]
    pub fn link(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Link { href: href.into(), text: text.into() }
    }
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What a link can lead to.
    pub id: Option<String>,
    /// Its cells; the first one names the row.
    pub cells: Vec<Vec<Run>>,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading of the second level.
    Heading {
        /// What a link can lead to.
        id: Option<String>,
        /// Its words.
        text: String,
    },
    /// A paragraph.
    Paragraph(Vec<Run>),
    /// A list.
    List(Vec<Vec<Run>>),
    /// A table.
    Table {
        /// What it shows.
        caption: String,
        /// Names of its columns.
        head: Vec<String>,
        /// Its rows.
        rows: Vec<Row>,
    },
    /// Labels and what belongs to each.
    Facts(Vec<(String, Vec<Run>)>),
    /// A sentence that is new.
    Added(String),
    /// A sentence that went.
    Removed(String),
}

impl Block {
    /// A heading.
    #[must_use]
    pub fn heading(text: impl Into<String>) -> Self {
        Self::Heading { id: None, text: text.into() }
    }

    /// A paragraph of words.
    #[must_use]
    pub fn words(text: impl Into<String>) -> Self {
        Self::Paragraph(vec![Run::text(text)])
    }
}

/// A page to read.
pub struct Prose {
    /// Its title.
    pub title: String,
    /// Its own path, for the list of pages around it.
    pub path: &'static str,
    /// Said right below the title, such as a date.
    pub dateline: Option<String>,
    /// The short version, in sentences.
    pub short: Vec<String>,
    /// The rest.
    pub blocks: Vec<Block>,
}

/// What every page around the policy is told.
pub struct Around<'a> {
    /// Address of the style sheet.
    pub css: &'a str,
    /// Whether the browser sends the Global Privacy Control signal.
    pub has_signal: bool,
    /// Where questions go.
    pub contact: &'a str,
}

/// The pages about privacy, by path.
const PAGES: [(&str, &str); 10] = [
    ("/privacy", "Privacy policy"),
    ("/privacy/promises", "Promises and their tests"),
    ("/privacy/data-map", "Data map"),
    ("/privacy/subprocessors", "Recipients"),
    ("/privacy/records", "Records of processing"),
    ("/privacy/versions", "Versions"),
    ("/my-data", "See, correct or erase your data"),
    ("/privacy/complain", "Complain"),
    ("/privacy/report-child", "Report a child’s registration"),
    ("/privacy/receipt", "Check a receipt"),
];

fn run(run: Run) -> AnyView {
    match run {
        Run::Text(text) => text.into_any(),
        Run::Strong(text) => view! { <strong>{text}</strong> }.into_any(),
        Run::Link { href, text } => view! { <a href=href>{text}</a> }.into_any(),
        Run::Mark { href, text } => view! { " "<a class="mark" href=href>{text}</a> }.into_any(),
        Run::State { text, is_good } => {
            view! { <span class=if is_good { "state state-good" } else { "state state-bad" }>{text}</span> }.into_any()
        }
    }
}

fn line(runs: Vec<Run>) -> Vec<AnyView> {
    runs.into_iter().map(run).collect()
}

fn table_row(row: Row) -> AnyView {
    let mut cells = row.cells.into_iter();
    let name = cells.next().map(|cell| view! { <th scope="row">{line(cell)}</th> });
    let rest: Vec<_> = cells.map(|cell| view! { <td>{line(cell)}</td> }).collect();
    view! { <tr id=row.id>{name}{rest}</tr> }.into_any()
}

fn block(block: Block) -> AnyView {
    match block {
        Block::Heading { id, text } => view! { <h2 id=id>{text}</h2> }.into_any(),
        Block::Paragraph(runs) => view! { <p>{line(runs)}</p> }.into_any(),
        Block::List(items) => {
            let items: Vec<_> = items.into_iter().map(|item| view! { <li>{line(item)}</li> }).collect();
            view! { <ul>{items}</ul> }.into_any()
        }
        Block::Table { caption, head, rows } => {
            let head: Vec<_> = head.into_iter().map(|name| view! { <th scope="col">{name}</th> }).collect();
            let rows: Vec<_> = rows.into_iter().map(table_row).collect();
            let label = caption.clone();
            // It scrolls by itself on a narrow screen, so the keyboard has to reach it.
            view! {
                <div class="table" role="region" aria-label=label tabindex="0">
                    <table>
                        <caption>{caption}</caption>
                        <thead><tr>{head}</tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
            .into_any()
        }
        Block::Facts(facts) => {
            let facts: Vec<_> =
                facts.into_iter().map(|(label, text)| view! { <dt>{label}</dt><dd>{line(text)}</dd> }).collect();
            view! { <dl>{facts}</dl> }.into_any()
        }
        Block::Added(text) => {
            view! { <p class="changed"><span class="quiet">"New: "</span><ins>{text}</ins></p> }.into_any()
        }
        Block::Removed(text) => {
            view! { <p class="changed"><span class="quiet">"Gone: "</span><del>{text}</del></p> }.into_any()
        }
    }
}

/// A page to read, whole.
#[must_use]
pub fn prose_page(around: &Around<'_>, page: Prose) -> String {
    let Prose { title, path, dateline, short, blocks } = page;
    let heading = title.clone();
    let dateline = dateline.map(|text| view! { <p class="quiet">{text}</p> });
    let short = (!short.is_empty()).then(|| {
        let sentences: Vec<_> = short.into_iter().map(|sentence| view! { <li>{sentence}</li> }).collect();
        view! {
            <section class="short" id="tldr" aria-labelledby="tldr-title">
                <h2 id="tldr-title">"In short"</h2>
                <ul>{sentences}</ul>
            </section>
        }
    });
    let blocks: Vec<_> = blocks.into_iter().map(block).collect();
    let main = view! {
        <main class="prose document" id="content">
            <h1>{heading}</h1>
            {dateline}
            {short}
            {blocks}
        </main>
    };
    framed(around, &title, path, main)
}

/// The frame of every page around the policy: who we are, the page, the other pages, where questions go.
pub(super) fn framed(around: &Around<'_>, title: &str, path: &str, main: impl IntoView + 'static) -> String {
    let pages: Vec<_> = PAGES
        .into_iter()
        .map(|(href, label)| {
            let current = (href == path).then_some("page");
            view! { <li><a href=href aria-current=current>{label}</a></li> }
        })
        .collect();
    let signal = around.has_signal.then(|| view! { <p id="gpc-honoured">{SIGNAL_HONOURED}</p> });
    let mail = format!("mailto:{}", around.contact);
    let document = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{format!("{title} · My Mini Webinar")}</title>
                <link rel="stylesheet" href=around.css.to_owned()/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
            </head>
            <body class="paper">
                <a class="skip" href="#content">"Skip to the content"</a>
                <header class="document-header"><a class="wordmark" href="/">"My Mini Webinar"</a></header>
                {main}
                <footer class="document-footer">
                    <nav aria-label="About privacy"><ul>{pages}<li><a href="/terms">"Terms"</a></li></ul></nav>
                    {signal}
                    <p>"Questions: "<a href=mail>{around.contact.to_owned()}</a>". One of the two founders reads every letter."</p>
                </footer>
            </body>
        </html>
    };
    format!("<!DOCTYPE html>{}", document.to_html())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(has_signal: bool) -> String {
        let around = Around { css: "/document.css", has_signal, contact: "privacy@example.org" };
        let blocks = vec![
            Block::Heading { id: Some("class-email".to_owned()), text: "<i>Data</i>".to_owned() },
            Block::Paragraph(vec![
                Run::text("We keep it."),
                Run::Mark { href: "/privacy/promises#P03".to_owned(), text: "P03".to_owned() },
            ]),
            Block::Table {
                caption: "Kinds".to_owned(),
                head: vec!["Kind".to_owned(), "How long".to_owned()],
                rows: vec![Row { id: None, cells: vec![vec![Run::text("Name")], vec![Run::text("a year")]] }],
            },
        ];
        let short = vec!["Little is kept.".to_owned()];
        prose_page(&around, Prose { title: "Policy".to_owned(), path: "/privacy", dateline: None, short, blocks })
    }

    #[test]
    fn a_page_is_whole_without_script_and_text_stays_text() {
        let html = page(false);
        assert!(!html.contains("<script") && !html.contains("<i>Data</i>") && !html.contains("style="), "{html}");
        assert_eq!(html.matches("id=\"tldr\"").count(), 1);
        assert!(html.contains("<a href=\"/privacy\" aria-current=\"page\">"), "{html}");
        assert!(html.contains("scope=\"row\"") && html.contains("scope=\"col\""), "{html}");
        assert!(html.contains("href=\"/privacy/promises#P03\""), "{html}");
    }

    #[test]
    fn the_signal_is_answered_only_when_it_is_sent() {
        assert!(page(true).contains("id=\"gpc-honoured\"") && !page(false).contains("gpc-honoured"));
    }
}
