//! The viewers' portal: pages on which somebody without an account sees what is held about them, and says what is to
//! become of it. Whole documents; everything on them is a plain form, and all they store is one cookie for half an hour.
//!
//! One page has a script, of a few lines: what the mail's button carries behind `#` can be read by nothing else.

mod card;
mod correct;
mod door;
mod erase;

use domain::my_data::MyData;
use domain::rights::authority;
use leptos::prelude::*;

use crate::document::plain_page;

pub use correct::{Correcting, correct_page};
pub use door::{ask_page, prove_page, sent_page};
pub use erase::erase_page;

/// Where it all is.
const PAGE: &str = "/my-data";

/// A page of the portal, with the ways that are left at its end (promise P34).
fn page(css: &str, title: &str, contact: &str, main: impl IntoView + 'static) -> String {
    let leads = authority("FR");
    let mail = format!("mailto:{contact}");
    let body = view! {
        <main class="message my-data" id="content">{main}</main>
        <footer class="viewer-footer remedies">
            <p>
                "Not content with an answer? Write to "<a href=mail>{contact.to_owned()}</a>", use our "
                <a href="/privacy/complain">"complaint form"</a>", or complain to the "
                <a href=leads.url rel="noreferrer">{leads.name}</a>" or the authority where you live."
            </p>
            <p><a href="/privacy">"Privacy"</a>" · "<a href="/privacy/receipt">"Check a receipt"</a></p>
        </footer>
    };
    plain_page(css, title, body)
}

/// A sentence about what was just done or refused.
fn notice(text: Option<&str>, is_good: bool) -> Option<AnyView> {
    let class = if is_good { "notice" } else { "form-error" };
    let role = if is_good { "status" } else { "alert" };
    text.map(|text| view! { <p class=class role=role>{text.to_owned()}</p> }.into_any())
}

/// The answer when something cannot be done.
#[must_use]
pub fn refusal_page(css: &str, contact: &str, title: &str, message: &str) -> String {
    let main = view! {
        <h1>{title.to_owned()}</h1>
        <p>{message.to_owned()}</p>
        <p><a class="button" href=PAGE>"Back to your data"</a></p>
    };
    page(css, title, contact, main)
}

/// What was done, by the word the address carries after it.
#[must_use]
pub fn done_in_words(word: &str) -> Option<&'static str> {
    Some(match word {
        "restrict" => "Done: your data is kept and not used. Mail that was planned waits.",
        "lift" => "Done: that restriction has ended. Corrections that waited for it were applied.",
        "object" => {
            "Done: your objection is noted. What it is about has ended, for good or until the coach has answered."
        }
        "unsubscribe" => "Done: you get no mail any more that is not about your own registrations.",
        "withdraw" => "Done: your agreement is taken back. The links it opened have ended.",
        "erase" => {
            "Done: it is being erased, and nothing can use it any more. Your receipt comes by mail, within a day."
        }
        "correct" => "Done: it is corrected, and the coach was told.",
        "correct-waits" => "Noted: it is corrected as soon as your data is used again.",
        "correct-same" => "Nothing was different, so nothing was changed.",
        "archive" => "Your archive is being written. A mail says when it is there; it can be fetched for seven days.",
        "archive-ended" => "Done: that archive is gone.",
        "nothing" => "There was nothing to change.",
        "address" => {
            "Done: the new address is in place. What this coach holds is now found under it, and no more under this one."
        }
        _ => return None,
    })
}

/// Everything held about an address.
///
/// `done` says what was just done, `asked` what an agent asks for in the person's name.
#[must_use]
pub fn my_data_page(css: &str, data: &MyData, done: Option<&str>, asked: Option<&str>) -> String {
    let count = data.cards.len();
    let summary = match count {
        0 => "No coach holds anything about this address at the moment.".to_owned(),
        1 => "One coach holds something about this address.".to_owned(),
        count => format!("{count} coaches hold something about this address."),
    };
    let asked = asked.map(|asked| {
        let text = format!(
            "Somebody who says they act for you asks {asked}. Nothing was done: if you want it, choose it below. If you do \
             not, just close this page."
        );
        view! { <p class="notice look" role="status">{text}</p> }
    });
    let everywhere = (count > 1).then(card::everywhere);
    let cards: Vec<_> = data.cards.iter().map(card::card).collect();
    let main = view! {
        <h1>"Your data"</h1>
        <p>
            "You proved "<strong class="break-anywhere" dir="ltr">{data.address.clone()}</strong>". "{summary}
            " What you see is what is stored, and what you ask for is done for this address alone."
        </p>
        <div class="my-data-session">
            <p class="quiet">"This page closes by itself at "{data.until.utc_text()}"."</p>
            <form method="post" action="/my-data/leave"><button class="button" type="submit">"Close it now"</button></form>
        </div>
        {notice(done.and_then(done_in_words), true)}
        {asked}
        {everywhere}
        {cards}
        {card::erased(&data.erased)}
        <p class="quiet">
            "Do you have an account as a coach? What is held about that is in your dashboard."
        </p>
    };
    page(css, "Your data", &data.contact, main)
}

#[cfg(test)]
mod tests;
