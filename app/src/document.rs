//! Small documents the server sends whole, without routing.

use leptos::prelude::*;
use leptos::tachys::view::RenderHtml;

pub(crate) fn plain_page(css: &str, title: &str, main: impl IntoView + 'static) -> String {
    let document = view! {
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="robots" content="noindex"/>
                <title>{title.to_owned()}</title>
                <link rel="stylesheet" href=css.to_owned()/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
            </head>
            <body class="viewer"><div class="viewer-page message-page" id="page">{main}</div></body>
        </html>
    };
    format!("<!DOCTYPE html>{}", document.to_html())
}

/// One sentence for somebody who cannot go on, with the way that is left.
#[must_use]
pub fn message_page(css: &str, title: &str, message: &str, link: Option<(&str, &str)>) -> String {
    let link = link.map(|(href, label)| view! { <p><a class="button" href=href.to_owned()>{label.to_owned()}</a></p> });
    let main = view! { <main class="message" id="content"><h1>{title.to_owned()}</h1><p>{message.to_owned()}</p>{link}</main> };
    plain_page(css, title, main)
}

/// The dev mailbox for people: when, to whom, about what, and the text.
#[must_use]
pub fn mailbox_page(css: &str, mails: &[(String, String, String, String)]) -> String {
    let mails: Vec<_> = mails
        .iter()
        .map(|(at, to, subject, text)| {
            view! {
                <details>
                    <summary><strong>{subject.clone()}</strong>" · "{to.clone()}" · "{at.clone()}</summary>
                    <pre class="letter" inner_html=linked(text)></pre>
                </details>
            }
        })
        .collect();
    let empty =
        mails.is_empty().then(|| view! { <p>"No mail was sent yet. Register for a webinar, and it appears here."</p> });
    let main = view! { <main class="mailbox" id="content"><h1>"Dev mailbox"</h1>{empty}{mails}</main> };
    plain_page(css, "Dev mailbox", main)
}

/// A plain text as HTML in which addresses can be clicked.
fn linked(text: &str) -> String {
    let escape =
        |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let word = |word: &str| {
        let escaped = escape(word);
        if word.starts_with("http://") || word.starts_with("https://") {
            format!("<a href=\"{escaped}\">{escaped}</a>")
        } else {
            escaped
        }
    };
    text.split_inclusive(char::is_whitespace)
        .map(|piece| {
            let bare = piece.trim_end();
            format!("{}{}", word(bare), &piece[bare.len()..])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_can_be_clicked_and_breaks_nothing() {
        let html = linked("Hello <b>\nhttps://x.example/confirm?t=a&b=\"1\" bye");
        assert_eq!(
            html,
            "Hello &lt;b&gt;\n<a href=\"https://x.example/confirm?t=a&amp;b=&quot;1&quot;\">https://x.example/confirm?t=a&amp;b=&quot;1&quot;</a> bye"
        );
    }
}
