//! The page behind "No more of these mails". Opening it changes nothing; its button does, and so does taking it back.

use domain::webinar::MailChoice;
use leptos::prelude::*;

use super::document::{Around, Page, render};
use super::viewer_footer;

/// The page.
#[must_use]
pub fn mail_choice_page(choice: &MailChoice, around: Around<'_>) -> String {
    Owner::new().with(|| {
        let page = Page {
            title: "Mail".to_owned(),
            summary: None,
            accent: "",
            may_be_indexed: false,
            height_reporter: None,
            scripts: None,
            own_script: None,
            again_after_seconds: None,
        };
        render(page, around, body(choice, around))
    })
}

fn body(choice: &MailChoice, around: Around<'_>) -> AnyView {
    let MailChoice { presenter, title, is_ended } = choice;
    let (heading, text, wish, label) = match is_ended {
        false => (
            "No more mail?",
            format!("You get reminders and follow-ups from {presenter}, because you registered for “{title}”."),
            "end",
            "End these mails",
        ),
        true => (
            "You get no more of these mails",
            format!(
                "Reminders and follow-ups from {presenter} have ended. What belongs to a registration you make yourself, such \
                 as its confirmation, still comes."
            ),
            "again",
            "Get them again",
        ),
    };
    view! {
        <main class="message" id="content">
            <h1>{heading}</h1>
            <p dir="auto">{text}</p>
            <form method="post">
                <input type="hidden" name="wish" value=wish/>
                <button class="button primary" type="submit">{label}</button>
            </form>
            <p class="quiet"><a href="/my-data">"See everything that is held about you"</a></p>
        </main>
        {viewer_footer(around)}
    }
    .into_any()
}
