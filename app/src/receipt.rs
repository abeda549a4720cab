//! The page on which anybody checks the receipt of an erasure: a form and an answer, no script, no network.

use leptos::prelude::*;

use crate::document::plain_page;
use crate::forms::area_text;

/// What came of checking, in words.
pub struct Checked {
    /// Whether it can be believed.
    pub is_good: bool,
    /// One sentence.
    pub verdict: String,
    /// What the receipt says, as label and text.
    pub facts: Vec<(String, String)>,
}

/// The form, with what was typed and what came of it.
#[must_use]
pub fn receipt_page(css: &str, typed: &str, address: &str, checked: Option<&Checked>) -> String {
    let answer = checked.map(|checked| {
        let facts: Vec<_> = checked
            .facts
            .iter()
            .map(|(label, text)| view! { <dt>{label.clone()}</dt><dd>{text.clone()}</dd> })
            .collect();
        let class = if checked.is_good { "notice" } else { "notice notice-error" };
        let facts = (!facts.is_empty()).then(|| view! { <dl>{facts}</dl> });
        view! {
            <section aria-label="Result">
                <p class=class role="status">{checked.verdict.clone()}</p>
                {facts}
            </section>
        }
    });
    let main = view! {
        <main class="message" id="content">
            <h1>"Check a receipt"</h1>
            <p>
                "When we delete somebody's data, they get a signed receipt. Paste one here to see whether it is ours and "
                "unchanged. With the address it was mailed to, you also see whether it is about that address. Nothing you "
                "paste is kept."
            </p>
            {answer}
            <form method="post" action="/privacy/receipt">
                <p>
                    <label for="receipt">"Receipt"</label>
                    <textarea id="receipt" name="receipt" rows="10" required spellcheck="false" inner_html=area_text(typed)></textarea>
                </p>
                <p>
                    <label for="address">"E-mail address (optional)"</label>
                    <input id="address" name="address" type="text" inputmode="email" autocomplete="off" value=address.to_owned()/>
                </p>
                <p><button class="button" type="submit">"Check"</button></p>
            </form>
        </main>
    };
    plain_page(css, "Check a receipt", main)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_stays_and_is_only_text() {
        let checked = Checked {
            is_good: false,
            verdict: "This is not a receipt of ours.".to_owned(),
            facts: vec![("Request".to_owned(), "<b>1</b>".to_owned())],
        };
        let html = receipt_page("/viewer.css", "</textarea><script>", "a@example.com", Some(&checked));
        assert!(!html.contains("<script") && !html.contains("<b>1</b>"), "{html}");
        assert!(html.contains("This is not a receipt of ours.") && html.contains("value=\"a@example.com\""));
    }
}
