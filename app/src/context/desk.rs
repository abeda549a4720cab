//! Pages of the studio that need no script: my data, closing the account, viewers' requests, the operators' console.
//! The server renders them whole and every form is posted, so they work in every account state and weigh nothing.

mod closing;
mod fields;
mod my_data;
mod operators;
mod requests;

use domain::{Moment, Refusal};
use leptos::prelude::*;
use leptos::tachys::view::RenderHtml;

pub use closing::close_page;
pub use my_data::my_data_page;
pub use operators::{
    audit_page, children_page, disclosures_page, incidents_page, opened_page, overview_page, reviews_page,
};
pub use requests::{Handling, requests_page, wordings_page};

/// Names of fields whose value never travels back.
const SECRET_FIELDS: [&str; 3] = ["password", "code", "token"];

/// Who sits at the desk.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// Address of the style sheet.
    pub css: String,
    /// Her name.
    pub name: String,
    /// The zone her times are shown in.
    pub zone: String,
    /// Whether she has an operator's seat.
    pub has_seat: bool,
    /// What is said while her account is not in use.
    pub closed: Option<String>,
}

/// What a posted form led to.
#[derive(Clone, Debug, Default)]
pub struct Feedback {
    /// Which form.
    pub form: String,
    /// Why it was not done.
    pub refusal: Option<Refusal>,
    /// What was typed, without secrets.
    pub typed: Vec<(String, String)>,
    /// The sentence that says it was done.
    pub done: Option<&'static str>,
}

impl Feedback {
    /// A form was refused.
    #[must_use]
    pub fn refused(form: &str, refusal: Refusal, typed: &[(String, String)]) -> Self {
        let typed = typed.iter().filter(|(name, _)| !SECRET_FIELDS.contains(&name.as_str())).cloned().collect();
        Self { form: form.to_owned(), refusal: Some(refusal), typed, done: None }
    }

    /// A form was done.
    #[must_use]
    pub fn done(sentence: Option<&'static str>) -> Self {
        Self { done: sentence, ..Self::default() }
    }

    fn problem_with(&self, form: &str, name: &str) -> Option<String> {
        let refusal = self.refusal.as_ref().filter(|_| self.form == form)?;
        (refusal.field.as_deref() == Some(name)).then(|| refusal.message.clone())
    }

    fn typed(&self, form: &str, name: &str) -> Option<String> {
        let typed = || self.typed.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
        (self.form == form).then(typed).flatten()
    }

    fn ticked(&self, form: &str, name: &str, value: &str) -> bool {
        self.form == form && self.typed.iter().any(|(field, ticked)| field == name && ticked == value)
    }
}

impl Desk {
    /// A moment in her zone, with the zone shown.
    fn time(&self, at: Moment) -> impl IntoView + use<> {
        view! { <time datetime=at.rfc3339()>{backend::accounts::zoned_text(at, &self.zone)}</time> }
    }

    /// The document around a page. `current` is the path the page belongs to.
    fn page(&self, title: &str, current: &str, feedback: &Feedback, main: impl IntoView + 'static) -> String {
        let link = |href: &'static str, label: &'static str| {
            view! { <a href=href aria-current=(href == current).then_some("page")>{label}</a> }
        };
        let seat = self.has_seat.then(|| link("/operators", "Operators"));
        let closed = self.closed.clone().map(|sentence| view! { <p class="look closed">{sentence}</p> });
        let said = match (&feedback.refusal, feedback.done) {
            (Some(refusal), _) => {
                Some(view! { <p class="problem general" role="alert">{refusal.message.clone()}</p> }.into_any())
            }
            (None, Some(done)) => Some(view! { <p class="done" role="status">{done}</p> }.into_any()),
            (None, None) => None,
        };
        let document = view! {
            <html lang="en">
                <head>
                    <meta charset="utf-8"/>
                    <meta name="viewport" content="width=device-width, initial-scale=1"/>
                    <meta name="color-scheme" content="light dark"/>
                    <meta name="robots" content="noindex"/>
                    <title>{format!("{title} · My Mini Webinar")}</title>
                    <link rel="stylesheet" href=self.css.clone()/>
                    <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                </head>
                <body class="studio">
                    <a class="skip" href="#content">"Skip to the content"</a>
                    <header class="studio-header">
                        <a class="wordmark" href="/dashboard">"My Mini Webinar"</a>
                        <nav aria-label="Studio">
                            {link("/dashboard", "Home")}
                            {link("/dashboard/webinars", "Webinars")}
                            {link("/dashboard/requests", "Requests")}
                            {link("/dashboard/my-data", "My data")}
                            {seat}
                            <a href="/dashboard/account"><span class="own-name" dir="auto">{self.name.clone()}</span></a>
                        </nav>
                    </header>
                    <main class="account desk" id="content">
                        <h1>{title.to_owned()}</h1>
                        {closed}
                        {said}
                        {main}
                    </main>
                </body>
            </html>
        };
        format!("<!DOCTYPE html>{}", document.to_html())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_comes_back_without_secrets_and_is_only_text() {
        let typed = [("reason", "<b>"), ("password", "hush"), ("token", "t")];
        let typed: Vec<_> = typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let feedback = Feedback::refused("look", Refusal::field("reason", "No <i>."), &typed);
        assert_eq!(feedback.typed, [("reason".to_owned(), "<b>".to_owned())]);
        assert_eq!(feedback.problem_with("look", "reason").as_deref(), Some("No <i>."));
        assert_eq!(feedback.problem_with("other", "reason"), None);
        let html = Desk::default().page("A page", "/operators", &feedback, view! { <p>"Text"</p> });
        assert!(html.contains("No &lt;i&gt;.") && !html.contains("<script"), "{html}");
    }
}
