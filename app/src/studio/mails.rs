//! The mails around a webinar: what goes when, to whom, and how it reads.
//!
//! Saving, trying and taking away work without a script.

use domain::ids::{MailTemplateId, WebinarId};
use domain::sequence::form::{SequenceView, TemplateForm, TemplateView};
use domain::sequence::placeholders::Placeholder;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use wasm_bindgen::JsCast as _;

use super::{WebinarTabs, webinar_in_path};
use crate::context::Refresh;
use crate::error::AppError;
use crate::forms::{Checkbox, Fold, PostForm, Select, Submit, TextArea, TextField};
use crate::reading::read;
use crate::ui::{Missing, Refused};

/// Everything the page of mails shows.
#[server(prefix = "/api/fn", endpoint = "mail_sequence")]
pub async fn read_sequence(id: WebinarId) -> Result<SequenceView, AppError> {
    Ok(crate::context::server::door()?.coach().await?.mail_sequence(id).await?)
}

/// The page. One mail at a time is open, named in the address, so that a form has its fields to itself.
#[component]
pub fn MailsPage() -> impl IntoView {
    let id = webinar_in_path();
    let refresh = expect_context::<Refresh>();
    let address = use_query_map();
    let open = Memo::new(move |_| address.with(|address| address.get("mail").unwrap_or_default()));
    let sequence = read(
        move || (id(), refresh.watch()),
        |(id, _)| async move {
            match id {
                Some(id) => read_sequence(id).await.map(|sequence| Some((id, sequence))),
                None => Ok(None),
            }
        },
    );
    view! {
        <main class="wide mails" id="content">
            <Transition>
                {move || Suspend::new(async move {
                    match sequence.await {
                        Ok(Some((id, sequence))) => view! { <Mails id=id sequence=sequence open=open.get()/> }.into_any(),
                        Ok(None) => view! { <Missing/> }.into_any(),
                        Err(AppError(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
                    }
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Mails(id: WebinarId, sequence: SequenceView, open: String) -> impl IntoView {
    let SequenceView { title, templates, has_a_start } = sequence;
    let no_start = (!has_a_start).then(|| {
        view! {
            <p class="look">
                "This webinar is watched when people like. There is no start to remind anybody of, so reminders do not go, and follow-ups go once somebody is done."
            </p>
        }
    });
    let mails: Vec<_> = templates
        .into_iter()
        .map(|template| {
            let is_open = template.id.to_string() == open;
            view! { <Mail id=id template=template is_open=is_open/> }
        })
        .collect();
    let add = match open.as_str() {
        "new" => {
            let form =
                TemplateForm { timing: "before".to_owned(), unit: "hours".to_owned(), ..TemplateForm::default() };
            view! {
                <section class="add-mail">
                    <h2>"A new mail"</h2>
                    <PostForm name="save_template" done="Added." hidden=vec![("webinar", id.to_string())]>
                        <TimingFields form=form.clone() is_new=true/>
                        <Words form=form/>
                        <Checkbox name="is_on" checked=true>"It goes out"</Checkbox>
                        <Submit label="Add"/>
                    </PostForm>
                </section>
            }
            .into_any()
        }
        _ => view! { <p><a class="button" href="?mail=new">"Add a mail"</a></p> }.into_any(),
    };
    view! {
        <p class="back"><a href="/dashboard/webinars">"Webinars"</a></p>
        <Title text=format!("Mails · {title}")/>
        <h1 dir="auto">{title}</h1>
        <WebinarTabs id=id current="mails"/>
        {no_start}
        <section id="mails">
            <h2>"What people get"</h2>
            <p class="hint">"Each mail goes once to a person and never in a burst. A person’s page under “People” says why one did not go."</p>
            <ol class="sequence">{mails}</ol>
        </section>
        {add}
    }
}

#[component]
fn Mail(id: WebinarId, template: TemplateView, is_open: bool) -> impl IntoView {
    let TemplateView { id: mail, when, to, is_confirmation, form } = template;
    let off = form.is_on.is_none().then(|| view! { <span class="badge look">"off"</span> });
    let to = to.map(|to| view! { <span class="quiet">" · "{to}</span> });
    let (subject, address) = match is_open {
        false => (form.subject.clone(), format!("?mail={mail}")),
        true => (form.subject.clone(), "?".to_owned()),
    };
    let editing = is_open.then(|| view! { <Editing id=id mail=mail is_confirmation=is_confirmation form=form/> });
    view! {
        <li>
            <p class="when">{when}{to}" "{off}</p>
            <p class="subject"><a href=address dir="auto" aria-expanded=is_open.to_string()>{subject}</a></p>
            {editing}
        </li>
    }
}

#[component]
fn Editing(id: WebinarId, mail: MailTemplateId, is_confirmation: bool, form: TemplateForm) -> impl IntoView {
    let this = vec![("webinar", id.to_string()), ("template", mail.to_string())];
    let mut hidden = this.clone();
    hidden.push(("timing", form.timing.clone()));
    let remove = (!is_confirmation).then(|| {
        view! { <PostForm name="remove_template" class="inline" hidden=this.clone()><Submit label="Take away" kind="quiet"/></PostForm> }
    });
    // Fields belong to the form they are made in.
    let stored = StoredValue::new(form.clone());
    let typed = RwSignal::new((form.subject.clone(), form.body.clone()));
    let follow = move |event: leptos::ev::Event| {
        let value = event_target_value(&event);
        match event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()?.get_attribute("name")) {
            Some(name) if name == "subject" => typed.update(|typed| typed.0 = value),
            Some(name) if name == "body" => typed.update(|typed| typed.1 = value),
            _ => {}
        }
    };
    view! {
        <div class="editing" on:input=follow>
            <PostForm name="save_template" done="Saved." hidden=hidden>
                <Fields form=stored.get_value() is_confirmation=is_confirmation/>
            </PostForm>
            <div class="row">
                <PostForm name="test_template" class="inline" done="Sent to your own address." hidden=this><Submit label="Send me a test" kind="quiet"/></PostForm>
                {remove}
            </div>
            <Preview id=id form=form typed=typed/>
        </div>
    }
}

#[component]
fn Fields(form: TemplateForm, is_confirmation: bool) -> impl IntoView {
    let is_on = form.is_on.is_some();
    let is_follow_up = form.timing == "after";
    view! {
        {(!is_confirmation).then(|| view! { <TimingFields form=form.clone() is_new=false/> })}
        <Words form=form.clone()/>
        {is_follow_up.then(|| view! {
            <Audience form=form.clone()/>
            <Checkbox name="is_promotional" checked=form.is_promotional.is_some()>"It is an offer: it goes only to people who ticked the box for offers, which you word under “Set up”"</Checkbox>
        })}
        {(!is_confirmation).then(|| view! { <Checkbox name="is_on" checked=is_on>"It goes out"</Checkbox> })}
        <Submit label="Save"/>
    }
}

#[component]
fn TimingFields(form: TemplateForm, is_new: bool) -> impl IntoView {
    let option = |value: &str, label: &str| (value.to_owned(), label.to_owned());
    let units = vec![option("minutes", "minutes"), option("hours", "hours"), option("days", "days")];
    let kinds = vec![option("before", "before the start"), option("after", "after the end")];
    let after = form.timing == "after";
    view! {
        <div class="timing">
            <TextField name="amount" label="Goes" value=form.amount inputmode="numeric"/>
            <Select name="unit" label="Unit" options=units value=form.unit/>
            {if is_new {
                view! { <Select name="timing" label="Counted from" options=kinds value=form.timing/> }.into_any()
            } else {
                view! { <p class="quiet from">{if after { "after the end" } else { "before the start" }}</p> }.into_any()
            }}
        </div>
    }
}

#[component]
fn Words(form: TemplateForm) -> impl IntoView {
    let known: Vec<_> = Placeholder::ALL
        .iter()
        .map(|one| view! { <li><code>{format!("{{{{{}}}}}", one.as_str())}</code>" "{one.label()}</li> })
        .collect();
    view! {
        <TextField name="subject" label="Subject" value=form.subject/>
        <TextArea name="body" label="Text" value=form.body rows=10 hint="Markdown. A line that is only a link becomes a button."/>
        <Fold summary="What can be filled in">
            <p class="hint">"Words after a bar stand there when nothing is known: "<code>"{{first_name|there}}"</code></p>
            <ul class="placeholders">{known}</ul>
        </Fold>
    }
}

#[component]
fn Audience(form: TemplateForm) -> impl IntoView {
    let joined =
        vec![("all".to_owned(), "all of it is true".to_owned()), ("any".to_owned(), "any of it is true".to_owned())];
    view! {
        <fieldset class="audience">
            <legend>"Goes to people who"</legend>
            <p class="hint">"Leave everything empty for everybody. It is asked when the mail is about to go."</p>
            <Checkbox name="attended_to_end" checked=form.attended_to_end.is_some()>"watched to the end"</Checkbox>
            <Checkbox name="left_early" checked=form.left_early.is_some()>"left early"</Checkbox>
            <Checkbox name="missed" checked=form.missed.is_some()>"missed it"</Checkbox>
            <TextField name="percent_at_least" label="saw at least this percent" value=form.percent_at_least inputmode="numeric" optional=true/>
            <TextField name="percent_at_most" label="saw at most this percent" value=form.percent_at_most inputmode="numeric" optional=true/>
            <TextField name="left_before" label="left before this minute" value=form.left_before inputmode="numeric" optional=true/>
            <TextField name="stayed_past" label="stayed past this minute" value=form.stayed_past inputmode="numeric" optional=true/>
            <Select name="joined" label="when" options=joined value=form.joined/>
        </fieldset>
    }
}

/// How long somebody pauses who wants to see what they wrote.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(400);
/// Name of the frame a mail is shown in.
const FRAME: &str = "mail-preview";

/// Asked for when it is wanted: seven letters are not rendered to show a list of them. From then on it follows what is
/// typed, a pause behind; without a script it shows what was saved. The frame has a page of its own, because a mail
/// brings its styles along.
#[component]
fn Preview(id: WebinarId, form: TemplateForm, typed: RwSignal<(String, String)>) -> impl IntoView {
    let element = NodeRef::<leptos::html::Form>::new();
    let is_asked = RwSignal::new(false);
    // Each look has a frame of its own: one that shows page after page fills the way back.
    let look = RwSignal::new(0_u32);
    let typing = RwSignal::new(0_u32);
    Effect::new(move |_| {
        typed.track();
        if !is_asked.get_untracked() {
            return;
        }
        let letter = typing.get_untracked().wrapping_add(1);
        typing.set(letter);
        let after_a_pause = move || {
            if typing.try_get_untracked() == Some(letter) {
                look.update(|look| *look = look.wrapping_add(1));
                request_animation_frame(move || {
                    if let Some(Err(error)) = element.get_untracked().map(|form| form.submit()) {
                        leptos::logging::warn!("cannot ask for a preview: {error:?}");
                    }
                });
            }
        };
        set_timeout(after_a_pause, PAUSE);
    });
    view! {
        <div class="preview">
            <form
                node_ref=element
                method="post"
                action=format!("/dashboard/webinars/{id}/mails/preview")
                target=FRAME
                on:submit=move |_| is_asked.set(true)
            >
                <input type="hidden" name="timing" value=form.timing/>
                <input type="hidden" name="amount" value=form.amount/>
                <input type="hidden" name="unit" value=form.unit/>
                <input type="hidden" name="subject" value=form.subject prop:value=move || typed.get().0/>
                <input type="hidden" name="body" value=form.body prop:value=move || typed.get().1/>
                <button type="submit" class="button">"See how it arrives"</button>
            </form>
            {move || {
                look.track();
                view! { <iframe name=FRAME title="The mail as it would arrive"></iframe> }
            }}
        </div>
    }
}
