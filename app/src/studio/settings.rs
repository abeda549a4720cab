//! Everything a coach can set. What is needed on the first day stands open; the rest lies one click deeper.

use domain::webinar::{Asked, RegistrationField, SessionKind, WebinarView};
use leptos::prelude::*;

use crate::forms::{Checkbox, FileForm, Fold, FormState, PostForm, Problem, Select, Submit, TextArea, TextField};

/// The address before the slug, without its scheme.
fn address_before_slug(webinar: &WebinarView) -> String {
    let url = webinar.page_url.split_once("://").map_or(webinar.page_url.as_str(), |(_, rest)| rest);
    url.strip_suffix(webinar.form.slug.as_str()).unwrap_or(url).to_owned()
}

/// The form.
#[component]
pub fn Settings(webinar: WebinarView) -> impl IntoView {
    let form = webinar.form.clone();
    let saved = RwSignal::new(webinar.revision);
    let kinds = SessionKind::ALL.map(|kind| (kind.as_str().to_owned(), kind.label().to_owned())).to_vec();
    let prefix = address_before_slug(&webinar);
    view! {
        <PostForm name="save_webinar" class="settings" done="Saved." hidden=vec![("webinar", webinar.id.to_string())] saved=saved>
            <input type="hidden" name="revision" value=webinar.revision prop:value=move || saved.get()/>
            <section id="title">
                <h2>"The page"</h2>
                <TextField name="title" label="Title" value=form.title.clone() hint="What people will get out of it, in one line."/>
                <TextField name="slug" label="Address" value=form.slug.clone() prefix=prefix/>
                <div id="presenter"><TextField name="presenter" label="Who is speaking" value=form.presenter.clone() hint="Stands under the title, and is the sender of the mails." optional=true/></div>
                <div id="description"><TextArea name="description" label="Description" value=form.description.clone() rows=7 optional=true hint="Markdown: **bold**, lists with -, links with [text](https://…)."/></div>
                <div id="recorded_month"><TextField name="recorded_month" label="Recorded in" kind="month" value=form.recorded_month.clone() optional=true hint="Viewers are told. For example 2026-11."/></div>
            </section>
            <Asks webinar=webinar.clone()/>
            <section>
                <h2>"On your own site"</h2>
                <TextArea name="embed_hosts" label="Sites that may show it" value=form.embed_hosts.clone() rows=3 optional=true hint="One address per line, such as www.example.com. The snippet to paste there stands above once the page is published."/>
            </section>
            <Fold summary="Colour, sessions and what counts as watched">
                <Colour accent=form.accent.clone()/>
                <Select name="session_kind" label="Kind of session" options=kinds value=form.session_kind.clone() hint="On demand starts when somebody presses play; a replay is the recording of something that took place; set times are kept under “Times”."/>
                <TextField name="link_days" label="Days a link works" value=form.link_days.clone() inputmode="numeric" hint="From the first time somebody presses play."/>
                <TextField name="end_percent" label="Percent that count as “attended to the end”" value=form.end_percent.clone() inputmode="numeric"/>
                <TextField name="floor_seconds" label="Seconds from which on a visit counts at all" value=form.floor_seconds.clone() inputmode="numeric"/>
            </Fold>
            <div class="save-line"><Submit label="Save"/></div>
        </PostForm>
    }
}

#[component]
fn Asks(webinar: WebinarView) -> impl IntoView {
    let state = expect_context::<FormState>();
    let fields: Vec<_> = RegistrationField::ALL
        .into_iter()
        .map(|field| {
            let saved = match webinar.form.fields.of(field) {
                Asked::No => "no",
                Asked::Optional => "optional",
                Asked::Required => "required",
            };
            let chosen = state.typed(field.as_str()).unwrap_or_else(|| saved.to_owned());
            let option = move |value: &'static str, label: &'static str| view! { <option value=value selected=chosen == value>{label}</option> };
            view! {
                <label class="ask">
                    <span>{field.label()}</span>
                    <select name=field.as_str()>
                        {option("no", "not asked")}
                        {option("optional", "optional")}
                        {option("required", "required")}
                    </select>
                </label>
            }
        })
        .collect();
    view! {
        <section>
            <h2>"What you ask people"</h2>
            <p class="hint">"The e-mail address is always asked. Everything else is one more reason not to register, so ask only what you use."</p>
            <div class="asks">{fields}</div>
            <TextArea name="consent_text" label="What they agree to" value=webinar.form.consent_text.clone() rows=3 hint="Stands beside a box they tick. A new wording counts for new registrations; the old one stays on record."/>
            <TextArea name="offers_text" label="A box for offers" value=webinar.form.offers_text.clone() rows=2 optional=true hint="Needed for mails that sell something: a second box, never ticked in advance, such as “Send me offers about this topic.” Empty: there is none."/>
            <Checkbox name="ask_age" checked=webinar.form.ask_age.is_some()>"Ask people to say that they are 16 or older"</Checkbox>
            <TextField name="retention_days" label="Days to keep their data" value=webinar.form.retention_days.clone() inputmode="numeric" optional=true hint="Counted from the day somebody’s link runs out. Empty keeps it as long as the webinar; we recommend 365, a year. The totals stay."/>
        </section>
    }
}

#[component]
fn Colour(accent: String) -> impl IntoView {
    let is_own = !accent.is_empty();
    let saved = if is_own { accent } else { "#b4532a".to_owned() };
    let shown = expect_context::<FormState>().typed("accent").unwrap_or(saved);
    view! {
        <div class="colour">
            <Checkbox name="own_accent" checked=is_own>"Use my own colour on the page and in mails"</Checkbox>
            <input type="color" name="accent" value=shown aria-label="Your colour"/>
            <Problem name="accent"/>
        </div>
    }
}

/// The logo: a plain file form, so that it works before the page is awake.
#[component]
pub fn Logo(webinar: WebinarView) -> impl IntoView {
    let action = format!("/dashboard/webinars/{}/logo", webinar.id);
    let current = webinar.logo_url.clone().map(|url| {
        view! {
            <img class="logo-now" src=url alt="Your logo" height="40"/>
            <PostForm name="remove_logo" class="inline" hidden=vec![("webinar", webinar.id.to_string())]><Submit label="Remove it" kind="quiet"/></PostForm>
        }
    });
    view! {
        <section id="page" class="logo">
            <h2>"Logo"</h2>
            {current}
            <FileForm name="set_logo" action=action>
                <label class="file"><span>"PNG, JPEG or WebP, up to 2 MB"</span><input type="file" name="file" accept="image/png,image/jpeg,image/webp" required=true/></label>
                <Problem name="file"/>
                <Submit label="Use this logo" kind=""/>
            </FileForm>
        </section>
    }
}
