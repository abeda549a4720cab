//! The registration page, and what follows it: whole documents, complete without a line of script.
//!
//! How the data travels: `GET /w/{slug}` → [`registration_page`] → a plain form posted back to the same address →
//! the same page with the field named and everything typed kept, or [`registered_page`]. In a frame the same pages
//! come from `/w/{slug}/embed`, and only there a few lines tell the host page how high they are.

mod brand;
mod document;
mod fields;
mod form;
mod mail_choice;
mod times;
mod wording;

use domain::Refusal;
use domain::registration::{BookedTime, Booking, RegistrationForm};
use domain::webinar::Invitation;
use leptos::prelude::*;

pub(crate) use brand::{brand_header, header as brand_header_of, viewer_footer};
pub use document::{Around, ViewerAssets};
pub(crate) use document::{Page, render, script_safe};
pub use mail_choice::mail_choice_page;
pub(crate) use times::slots;
#[cfg(feature = "studio")]
pub(crate) use wording::SIGNAL_HONOURED;
pub(crate) use wording::{data_lines, presenter_line, recording_sentence};

/// The page that invites to a webinar and asks for what the coach chose to ask.
///
/// `form` holds what was typed so far (empty but for its source at first), `refusal` what was wrong with it.
#[must_use]
pub fn registration_page(
    invitation: &Invitation,
    form: &RegistrationForm,
    refusal: Option<&Refusal>,
    around: Around<'_>,
) -> String {
    let embed = around.embed;
    let mut page = page_of(invitation, invitation.title.clone(), embed, !embed);
    // What was typed must not be lost to a page that asks for itself again.
    page.own_script = invitation
        .times
        .as_ref()
        .filter(|times| !times.is_chosen && refusal.is_none() && form.slot.is_empty())
        .map(times::zone_script);
    let path = entry_path(&invitation.slug, embed);
    let zone_picker = invitation.times.as_ref().map(|times| times::zone_picker(times, &path, &form.source));
    let sentence = recording_sentence(invitation.session_kind, invitation.duration_seconds, &invitation.recorded);
    let extras = wording::extras(invitation);
    let poster = invitation.poster_url.clone().map(|url| {
        view! { <img class="invitation-poster" src=url alt="" width="1280" height="720" fetchpriority="high"/> }
    });
    let description = (!invitation.description_html.is_empty()).then(|| {
        view! { <div class="prose" dir="auto" inner_html=invitation.description_html.clone()></div> }
    });
    let presenter = wording::presenter_line(&invitation.presenter);
    let main = view! {
        <main class="invitation" id="content">
            <div class="invitation-about">
                <h1 dir="auto">{invitation.title.clone()}</h1>
                {presenter}
                <p class="recording-note">{sentence}<br/>{extras}</p>
                {poster}
                {description}
            </div>
            <div class="invitation-side">
                {form::registration_form(invitation, form, refusal, embed)}
                {zone_picker}
                {form::link_again(&invitation.slug, None, embed)}
            </div>
        </main>
    };
    render(page, around, view! { {brand_header(invitation)} {main} {viewer_footer(around)} })
}

/// What a person sees after registering: check your inbox, and the way in.
///
/// The link stands here only for a new registration. To anybody who merely knows a registered address it must not
/// open that person's room; the mail does.
#[must_use]
pub fn registered_page(
    invitation: &Invitation,
    form: &RegistrationForm,
    booking: &Booking,
    around: Around<'_>,
) -> String {
    let embed = around.embed;
    let page = page_of(invitation, format!("You are registered · {}", invitation.title), embed, false);
    let email = form.email.trim().to_owned();
    let heading = match (booking.was_registered, booking.is_waiting) {
        (true, _) => "You were registered already",
        (false, true) => "You are on the list",
        (false, false) => "You are registered",
    };
    let mail_line = if booking.was_registered {
        "Nothing was added. We have sent your own link again to "
    } else {
        "Check your inbox: your own link is on its way to "
    };
    let waits = booking
        .is_waiting
        .then(|| view! { <p>"You get one more mail as soon as there is a date. Then the link lets you choose."</p> });
    let is_at_once = !booking.is_waiting && (invitation.times.is_none() || booking.time.is_none());
    let time = booking.time.as_ref().map(|time| {
        let next =
            time.is_next.then(|| view! { <p>"The time you chose had just passed, so this is the next one."</p> });
        view! { <p class="starts">"Your time: "<strong>{time.text.clone()}</strong></p>{next} }
    });
    // Until shortly before the start the way in is in the mail alone, where it proves the address.
    let may_enter = is_at_once || booking.time.as_ref().is_some_and(|time| time.is_soon);
    let way_in = (!booking.was_registered && may_enter).then(|| {
        let href = if embed { format!("{}?embed=1", booking.room_path) } else { booking.room_path.clone() };
        let label = if is_at_once { "Watch now" } else { "Go to the waiting room" };
        let until = is_at_once.then(|| view! {
            <p class="quiet">"Or later, and on another device: the link in the mail opens the same place. It works for "{wording::days(invitation.link_days)}" from the first time you press play."</p>
        });
        view! { <p><a class="button primary" href=href>{label}</a></p>{until} }
    });
    let switch = booking.switch.clone().map(|offer| {
        let marker = embed.then(|| view! { <input type="hidden" name="embed" value="true"/> });
        view! {
            <form class="switch" method="post" action=format!("/w/{}/switch", invitation.slug)>
                <p>"You are booked for another time. Would you rather come on "<strong>{offer.text}</strong>"?"</p>
                <input type="hidden" name="token" value=offer.token/>
                {marker}
                <button class="button primary" type="submit">"Switch to this time"</button>
                <p class="quiet">"Your link stays the same. If you do nothing, so does your time."</p>
            </form>
        }
    });
    let back = entry_path(&invitation.slug, embed);
    let main = view! {
        <main class="message" id="content">
            <h1>{heading}</h1>
            <p>{mail_line}<strong class="break-anywhere" dir="ltr">{email}</strong>". If it is not there within a few minutes, please look among the unwanted mail."</p>
            {waits}
            {time}
            {way_in}
            {switch}
            <p class="quiet">"Not you, or a friend wants to come too? "<a href=back>"Register another address"</a>"."</p>
        </main>
    };
    render(page, around, view! { {brand_header(invitation)} {main} {viewer_footer(around)} })
}

/// What a person sees after taking another time, or why that was not possible.
#[must_use]
pub fn switched_page(invitation: &Invitation, outcome: Result<&BookedTime, &Refusal>, around: Around<'_>) -> String {
    let title = format!("Your time · {}", invitation.title);
    let content = match outcome {
        Ok(time) => view! {
            <h1>"You come at another time"</h1>
            <p class="starts">"Your time: "<strong>{time.text.clone()}</strong></p>
            <p>"Your link stays the same one. We have sent it again with the new time."</p>
        }
        .into_any(),
        Err(refusal) => view! {
            <h1>"Nothing was changed"</h1>
            <p role="alert">{refusal.message.clone()}</p>
        }
        .into_any(),
    };
    message_page(invitation, title, around, content)
}

/// The answer to "send my link again": the same whether or not the address is registered. A refusal shows the small
/// form again with what was typed.
#[must_use]
pub fn link_sent_page(invitation: &Invitation, email: &str, refusal: Option<&Refusal>, around: Around<'_>) -> String {
    let title = format!("Your link · {}", invitation.title);
    let content = match refusal {
        Some(refusal) => view! {
            <h1>"Your link"</h1>
            {form::link_again(&invitation.slug, Some((email, refusal)), around.embed)}
        }
        .into_any(),
        None => view! {
            <h1>"Check your inbox"</h1>
            <p>"If "<strong class="break-anywhere" dir="ltr">{email.trim().to_owned()}</strong>" is registered for “"<span dir="auto">{invitation.title.clone()}</span>"”, the link is on its way there. If it is not there within a few minutes, please look among the unwanted mail."</p>
        }
        .into_any(),
    };
    message_page(invitation, title, around, content)
}

/// A page that says one thing, with the way back.
fn message_page(invitation: &Invitation, title: String, around: Around<'_>, content: AnyView) -> String {
    let page = page_of(invitation, title, around.embed, false);
    let back = entry_path(&invitation.slug, around.embed);
    let main = view! {
        <main class="message" id="content">
            {content}
            <p class="quiet"><a href=back>"Back to the registration page"</a></p>
        </main>
    };
    render(page, around, view! { {brand_header(invitation)} {main} {viewer_footer(around)} })
}

/// Where the registration page itself is, in a frame or not.
pub(crate) fn entry_path(slug: &str, embed: bool) -> String {
    if embed { format!("/w/{slug}/embed") } else { format!("/w/{slug}") }
}

fn page_of<'a>(invitation: &'a Invitation, title: String, embed: bool, may_be_indexed: bool) -> Page<'a> {
    Page {
        title,
        summary: may_be_indexed
            .then(|| recording_sentence(invitation.session_kind, invitation.duration_seconds, &invitation.recorded)),
        accent: &invitation.accent,
        may_be_indexed,
        height_reporter: embed.then_some(invitation.slug.as_str()),
        scripts: None,
        own_script: None,
        again_after_seconds: None,
    }
}

#[cfg(test)]
mod tests;
