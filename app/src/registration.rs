//! The registration page, and what follows it: whole documents, complete without a line of script.
//!
//! How the data travels: `GET /w/{slug}` → [`registration_page`] → a plain form posted back to the same address →
//! the same page with the field named and everything typed kept, or [`registered_page`]. In a frame the same pages
//! come from `/w/{slug}/embed`, and only there a few lines tell the host page how high they are.

mod brand;
mod document;
mod fields;
mod form;
mod wording;

use domain::Refusal;
use domain::registration::{Booking, RegistrationForm};
use domain::webinar::Invitation;
use leptos::prelude::*;

pub(crate) use brand::{brand_header, header as brand_header_of, viewer_footer};
pub use document::{Around, ViewerAssets};
pub(crate) use document::{Page, render, script_safe};
pub(crate) use wording::{SIGNAL_HONOURED, data_lines, presenter_line, recording_sentence};

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
    let page = page_of(invitation, invitation.title.clone(), embed, !embed);
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
    let heading = if booking.was_registered { "You were registered already" } else { "You are registered" };
    let mail_line = if booking.was_registered {
        "Nothing was added. We have sent your own link again to "
    } else {
        "Check your inbox: your own link is on its way to "
    };
    let way_in = (!booking.was_registered).then(|| {
        let href = if embed { format!("{}?embed=1", booking.room_path) } else { booking.room_path.clone() };
        view! {
            <p><a class="button primary" href=href>"Watch now"</a></p>
            <p class="quiet">"Or later, and on another device: the link in the mail opens the same place. It works for "{wording::days(invitation.link_days)}" from the first time you press play."</p>
        }
    });
    let back = entry_path(&invitation.slug, embed);
    let main = view! {
        <main class="message" id="content">
            <h1>{heading}</h1>
            <p>{mail_line}<strong class="break-anywhere" dir="ltr">{email}</strong>". If it is not there within a few minutes, please look among the unwanted mail."</p>
            {way_in}
            <p class="quiet">"Not you, or a friend wants to come too? "<a href=back>"Register another address"</a>"."</p>
        </main>
    };
    render(page, around, view! { {brand_header(invitation)} {main} {viewer_footer(around)} })
}

/// The answer to "send my link again": the same whether or not the address is registered. A refusal shows the small
/// form again with what was typed.
#[must_use]
pub fn link_sent_page(invitation: &Invitation, email: &str, refusal: Option<&Refusal>, around: Around<'_>) -> String {
    let embed = around.embed;
    let page = page_of(invitation, format!("Your link · {}", invitation.title), embed, false);
    let back = entry_path(&invitation.slug, embed);
    let content = match refusal {
        Some(refusal) => view! {
            <h1>"Your link"</h1>
            {form::link_again(&invitation.slug, Some((email, refusal)), embed)}
        }
        .into_any(),
        None => view! {
            <h1>"Check your inbox"</h1>
            <p>"If "<strong class="break-anywhere" dir="ltr">{email.trim().to_owned()}</strong>" is registered for “"<span dir="auto">{invitation.title.clone()}</span>"”, the link is on its way there. If it is not there within a few minutes, please look among the unwanted mail."</p>
        }
        .into_any(),
    };
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
    }
}

#[cfg(test)]
mod tests;
