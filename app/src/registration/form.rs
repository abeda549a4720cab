//! The two forms of the registration page. Both are plain HTML: the server checks, the browser only sends. Its own
//! checking is off, because it would stop at the first field in words that are not ours and differ by browser.

use domain::Refusal;
use domain::registration::RegistrationForm;
use domain::webinar::{Invitation, RegistrationField};
use leptos::prelude::*;

use super::fields::{Refused, TextField};
use super::{data_lines, entry_path, times};

/// No birth date is asked or kept: a ticked box is all the page needs to know (promise P49).
const AGE: &str = "I am 16 or older.";

/// The form that registers.
pub fn registration_form(
    invitation: &Invitation,
    form: &RegistrationForm,
    refusal: Option<&Refusal>,
    embed: bool,
) -> AnyView {
    let of_field = |name: &str| refusal.filter(|refusal| refusal.field.as_deref() == Some(name));
    let is_on_form = |name: &str| {
        matches!(name, "email" | "consent")
            || (name == "slot" && invitation.times.is_some())
            || (name == "age_ok" && invitation.ask_age)
            || invitation.fields.iter().any(|(field, _)| field.as_str() == name)
    };
    // A refusal about something the person cannot see still has to be said somewhere.
    let general = refusal
        .filter(|refusal| !refusal.field.as_deref().is_some_and(is_on_form))
        .map(|refusal| view! { <p class="form-error" role="alert">{refusal.message.clone()}</p> });
    let email = TextField {
        id: "register-email",
        name: "email",
        label: "E-mail address",
        kind: "email",
        autocomplete: "email",
        value: &form.email,
        required: true,
        // Browsers refuse to move the focus into another site's frame, and complain about it.
        may_take_focus: !embed,
    }
    .view(of_field("email"));
    let others = invitation
        .fields
        .iter()
        .map(|&(field, required)| {
            TextField {
                id: &format!("register-{}", field.as_str()),
                name: field.as_str(),
                label: field.label(),
                kind: if field == RegistrationField::Phone { "tel" } else { "text" },
                autocomplete: field.autocomplete(),
                value: typed(form, field),
                required,
                may_take_focus: !embed,
            }
            .view(of_field(field.as_str()))
        })
        .collect_view();
    let slots = invitation.times.as_ref().map(|times| times::slots(times, &form.slot, of_field("slot"), true));
    let button = match &invitation.times {
        Some(times) if times.has_none() => "Tell me about new dates",
        Some(_) => "Register",
        None => "Register and watch",
    };
    view! {
        <form class="registration-form" method="post" action=entry_path(&invitation.slug, embed) novalidate>
            <h2>"Register"</h2>
            {general}
            {slots}
            {email}
            {others}
            {invitation.ask_age.then(|| box_to_tick("age_ok", AGE, (form.age_ok.is_some(), true), of_field("age_ok")))}
            {box_to_tick("consent", &invitation.consent_text, (form.consent.is_some(), true), of_field("consent"))}
            {invitation.offers_text.as_ref().map(|text| box_to_tick("offers", text, (form.offers.is_some(), false), None))}
            {trap(&form.website)}
            <input type="hidden" name="form_stamp" value=invitation.form_stamp.clone()/>
            <input type="hidden" name="source" value=form.source.clone()/>
            <button class="button primary" type="submit">{button}</button>
            {data_lines(&invitation.presenter)}
        </form>
    }
    .into_any()
}

fn typed(form: &RegistrationForm, field: RegistrationField) -> &str {
    match field {
        RegistrationField::FirstName => &form.first_name,
        RegistrationField::LastName => &form.last_name,
        RegistrationField::Company => &form.company,
        RegistrationField::Phone => &form.phone,
    }
}

/// Ticked only ever by the person: what was ticked stays so, nothing is ticked in advance.
fn box_to_tick(
    name: &'static str,
    text: &str,
    (is_ticked, is_required): (bool, bool),
    refusal: Option<&Refusal>,
) -> AnyView {
    let id = format!("register-{name}");
    let refused = Refused::of(&id, refusal);
    view! {
        <div class="field consent">
            <input
                id=id.clone()
                name=name
                type="checkbox"
                value="yes"
                checked=is_ticked
                required=is_required
                aria-invalid=refused.invalid()
                aria-describedby=refused.described_by()
            />
            <label for=id dir="auto">{text.to_owned()}</label>
            {refused.message()}
        </div>
    }
    .into_any()
}

/// A field only machines fill: out of sight, out of the tab order and unknown to screen readers.
fn trap(value: &str) -> AnyView {
    view! {
        <div class="not-for-people" aria-hidden="true">
            <label for="register-website">"Please leave this empty"</label>
            <input
                id="register-website"
                name="website"
                type="text"
                tabindex="-1"
                autocomplete="off"
                value=value.to_owned()
            />
        </div>
    }
    .into_any()
}

/// "Send my link again", folded away until it is wanted or was refused.
pub fn link_again(slug: &str, refused: Option<(&str, &Refusal)>, embed: bool) -> AnyView {
    let marker = embed.then(|| view! { <input type="hidden" name="embed" value="true"/> });
    let email = TextField {
        id: "link-email",
        name: "email",
        label: "The address you registered with",
        kind: "email",
        autocomplete: "email",
        value: refused.map_or("", |(email, _)| email),
        required: true,
        may_take_focus: !embed,
    }
    .view(refused.map(|(_, refusal)| refusal));
    view! {
        <details class="link-again" open=refused.is_some()>
            <summary>"Registered before? Get your link again"</summary>
            <form method="post" action=format!("/w/{slug}/link") novalidate>
                {email}
                {marker}
                <button class="button" type="submit">"Send me my link"</button>
            </form>
        </details>
    }
    .into_any()
}
