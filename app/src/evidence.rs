//! Public evidence without a script: how often authorities asked, and where one erasure stands.

use leptos::prelude::*;

use crate::document::plain_page;

/// A year of requests of authorities: the year, how many, how many answered, about how many people.
pub type Year = (String, u32, u32, i64);

/// The count (promise P25).
#[must_use]
pub fn disclosure_count_page(css: &str, years: &[Year]) -> String {
    let rows: Vec<_> = years
        .iter()
        .map(|(year, requests, answered, people)| {
            view! { <tr><th scope="row">{year.clone()}</th><td>{requests.to_string()}</td><td>{answered.to_string()}</td><td>{people.to_string()}</td></tr> }
        })
        .collect();
    let table = if rows.is_empty() {
        view! { <p id="no-disclosures"><strong>"No authority has asked us for anybody's data so far."</strong></p> }
            .into_any()
    } else {
        view! {
            <table>
                <thead><tr><th scope="col">"Year"</th><th scope="col">"Requests"</th><th scope="col">"Answered"</th><th scope="col">"People"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    let main = view! {
        <main class="message" id="content">
            <h1>"Requests of authorities"</h1>
            <p>"We hand data to an authority only when the law requires it, only what its order names, and only when both of us two operators have agreed. This is how often."</p>
            {table}
        </main>
    };
    plain_page(css, "Requests of authorities", main)
}

/// Where one erasure stands.
pub struct Progress {
    /// The request's id, as its receipt names it.
    pub request: String,
    /// One word for it.
    pub state: &'static str,
    /// Whether there is nothing more to do.
    pub is_over: bool,
    /// By when it is done.
    pub due: String,
    /// Steps: what, and whether it is done.
    pub steps: Vec<(String, bool)>,
    /// The receipt, as it is kept: without what proves whose it is.
    pub receipt: Option<String>,
}

/// The page; it names nobody.
#[must_use]
pub fn erasure_page(css: &str, progress: &Progress) -> String {
    let done = progress.steps.iter().filter(|(_, is_done)| *is_done).count();
    let all = progress.steps.len();
    let steps: Vec<_> = progress
        .steps
        .iter()
        .map(|(what, is_done)| {
            let mark = if *is_done { "done: " } else { "to do: " };
            view! { <li>{mark}{what.clone()}</li> }
        })
        .collect();
    let bar = (all > 0).then(|| {
        view! {
            <p><label for="steps">{format!("{done} of {all} steps")}</label><br/><progress id="steps" max=all.to_string() value=done.to_string()></progress></p>
            <details><summary>"The steps"</summary><ul>{steps}</ul></details>
        }
    });
    let receipt = progress.receipt.clone().map(|receipt| {
        view! {
            <section id="receipt">
                <h2>"The receipt"</h2>
                <p>"The copy that was mailed can prove whom it is about; this one cannot. Both can be checked on "<a href="/privacy/receipt">"our page"</a>"."</p>
                <pre class="letter" tabindex="0">{receipt}</pre>
            </section>
        }
    });
    let again = (!progress.is_over).then(|| {
        view! { <p>"By "{progress.due.clone()}" at the latest. You can close this page; the receipt comes by mail."</p><p><a class="button" href=format!("/privacy/erasures/{}", progress.request)>"Look again"</a></p> }
    });
    let main = view! {
        <main class="message" id="content">
            <h1>"A deletion"</h1>
            <p role="status">"This deletion is "<strong>{progress.state}</strong>"."</p>
            {bar}
            {again}
            {receipt}
        </main>
    };
    plain_page(css, "A deletion", main)
}
