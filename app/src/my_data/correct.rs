//! Correcting: name and answers in one form, the address in another, because a new one has to be proven.

use domain::Refusal;
use domain::my_data::Card;
use leptos::prelude::*;

use super::{notice, page};

/// What the page is told beside the card.
#[derive(Clone, Copy, Debug, Default)]
pub struct Correcting<'a> {
    /// What was refused.
    pub refusal: Option<&'a Refusal>,
    /// What was typed, by field, when it was refused.
    pub typed: &'a [(String, String)],
    /// The new address a code was just mailed to.
    pub new_email: Option<&'a str>,
}

fn field(id: String, name: &str, label: &str, value: &str, is_required: bool, refusal: Option<&Refusal>) -> AnyView {
    let refusal = refusal.filter(|refusal| refusal.field.as_deref() == Some(name));
    let error = format!("{id}-error");
    let message = refusal.map(|refusal| {
        view! { <p class="field-error" id=error.clone() role="alert">{refusal.message.clone()}</p> }
    });
    let optional = (!is_required).then(|| view! { <span class="quiet">" (may be empty)"</span> });
    view! {
        <div class="field">
            <label for=id.clone()>{label.to_owned()}{optional}</label>
            <input
                id=id
                name=name.to_owned()
                type="text"
                dir="auto"
                autocomplete="off"
                value=value.to_owned()
                aria-invalid=refusal.map(|_| "true")
                aria-describedby=refusal.map(|_| error.clone())
            />
            {message}
        </div>
    }
    .into_any()
}

/// The page on which what one coach holds is corrected. `answer_name` says how an answer's field is called.
#[must_use]
pub fn correct_page(
    css: &str,
    contact: &str,
    card: &Card,
    state: Correcting<'_>,
    answer_name: impl Fn(domain::ids::RegistrationId, domain::webinar::RegistrationField) -> String,
) -> String {
    let Correcting { refusal, typed, new_email } = state;
    let value = |name: &str, known: &str| {
        typed.iter().find(|(field, _)| field == name).map_or_else(|| known.to_owned(), |(_, text)| text.clone())
    };
    let mut names = vec!["name".to_owned(), "email".to_owned(), "code".to_owned()];
    let mut bookings = Vec::new();
    for (index, booking) in card.bookings.iter().enumerate() {
        let fields: Vec<_> = booking
            .answers
            .iter()
            .map(|(asked, is_required, known)| {
                let name = answer_name(booking.id, *asked);
                names.push(name.clone());
                let id = format!("answer-{index}-{}", asked.as_str());
                field(id, &name, asked.label(), &value(&name, known), *is_required, refusal)
            })
            .collect();
        if !fields.is_empty() {
            bookings.push(view! { <h3 dir="auto">{booking.title.clone()}</h3>{fields} });
        }
    }
    let is_on_form = |refusal: &&Refusal| !refusal.field.as_ref().is_some_and(|field| names.contains(field));
    let general = refusal.filter(is_on_form).map(|refusal| refusal.message.as_str());
    let rests = (card.state == domain::rights::SubjectState::Restricted).then(|| {
        view! { <p class="notice look">"Your data rests, so a correction waits and is applied when the restriction ends."</p> }
    });
    let coach = card.coach.to_string();
    let main = view! {
        <h1>"Correct something"</h1>
        <p>"What "<span dir="auto">{card.coach_name.clone()}</span>" holds about you. She is told that something was corrected."</p>
        {rests}
        {notice(general, false)}
        <form class="registration-form" method="post" action="/my-data/correct" novalidate>
            <input type="hidden" name="coach" value=coach.clone()/>
            {field("name".to_owned(), "name", "Name", &value("name", &card.name), false, refusal)}
            {bookings}
            <button class="button primary" type="submit">"Save"</button>
        </form>
        <h2>"Another e-mail address"</h2>
        {address(&coach, new_email, refusal, &value("email", ""))}
        <p><a href="/my-data">"Back to my data"</a></p>
    };
    page(css, "Correct something", contact, main)
}

/// First the new address, then the code that was mailed to it.
fn address(coach: &str, new_email: Option<&str>, refusal: Option<&Refusal>, typed: &str) -> AnyView {
    let coach = coach.to_owned();
    match new_email {
        None => view! {
            <form class="registration-form" method="post" action="/my-data/correct" novalidate>
                <input type="hidden" name="coach" value=coach/>
                <input type="hidden" name="step" value="address"/>
                {field("email".to_owned(), "email", "New address", typed, true, refusal)}
                <p class="quiet">"A code goes there, to make sure that it is yours."</p>
                <button class="button" type="submit">"Send the code"</button>
            </form>
        }
        .into_any(),
        Some(email) => view! {
            <form class="registration-form" method="post" action="/my-data/correct" novalidate>
                <input type="hidden" name="coach" value=coach/>
                <input type="hidden" name="step" value="code"/>
                <input type="hidden" name="email" value=email.to_owned()/>
                <p>
                    "A code is on its way to "<strong class="break-anywhere" dir="ltr">{email.to_owned()}</strong>
                    ". It works for 15 minutes."
                </p>
                {field("code".to_owned(), "code", "Code, eight digits", "", true, refusal)}
                <button class="button" type="submit">"Use this address"</button>
            </form>
        }
        .into_any(),
    }
}
