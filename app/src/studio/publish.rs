//! From draft to public page and back.

use domain::webinar::{WebinarState, WebinarView};
use leptos::prelude::*;

use crate::forms::{Fold, PostForm, Submit};
use crate::ui::Copyable;

/// What stands in the way, the one button, and the address to share.
#[component]
pub fn PublishPanel(webinar: WebinarView) -> impl IntoView {
    let id = webinar.id.to_string();
    let findings: Vec<_> = webinar
        .findings
        .iter()
        .filter(|finding| finding.blocks || webinar.video.is_some())
        .map(|finding| {
            let anchor = match finding.about.as_str() {
                "account" => "/dashboard/account".to_owned(),
                place @ ("times" | "mails") => format!("/dashboard/webinars/{}/{place}", webinar.id),
                about => format!("#{about}"),
            };
            let class = if finding.blocks { "blocks" } else { "advice" };
            let kind = if finding.blocks { "Needed: " } else { "Better: " };
            view! { <li class=class><strong>{kind}</strong>{finding.message.clone()}" "<a href=anchor>"Go there"</a></li> }
        })
        .collect();
    let is_blocked = webinar.findings.iter().any(|finding| finding.blocks);
    let findings = (!findings.is_empty()).then(|| view! { <ul class="findings">{findings}</ul> });
    let action = match webinar.state {
        WebinarState::Published => view! { <Share webinar=webinar.clone()/> }.into_any(),
        WebinarState::Archived => {
            view! { <p>"This webinar is archived. Its people and numbers are kept."</p> }.into_any()
        }
        WebinarState::Draft | WebinarState::Unpublished => {
            let preview = webinar.page_url.clone();
            view! {
                <PostForm name="publish" class="publish" hidden=vec![("webinar", id)]>
                    <Submit label="Publish" kind=if is_blocked { "" } else { "primary" }/>
                    <a class="button quiet" href=preview target="_blank" rel="noopener">"Preview the page"</a>
                </PostForm>
            }
            .into_any()
        }
    };
    view! { <section id="publish" class="publish-panel" aria-label="Publishing">{action}{findings}</section> }
}

#[component]
fn Share(webinar: WebinarView) -> impl IntoView {
    let url = webinar.page_url.clone();
    view! {
        <p>"Registration is open at "<a href=url.clone() target="_blank" rel="noopener" class="break-anywhere" dir="ltr">{url.clone()}</a></p>
        <details>
            <summary>"Put it on your own site"</summary>
            <p>"Paste this where the form should stand. Add your site's address below, under “Sites that may show it”."</p>
            <Copyable text=webinar.snippet label="Snippet for your site"/>
        </details>
    }
}

/// The rarer steps: closing, archiving, deleting, each with what it means for people.
#[component]
pub fn Life(webinar: WebinarView) -> impl IntoView {
    let id = webinar.id.to_string();
    let hidden = move || vec![("webinar", id.clone())];
    let people = webinar.registered;
    let kept = if people == 1 {
        "The person who registered keeps her link.".to_owned()
    } else {
        format!("The {people} people who registered keep their links.")
    };
    let steps = match webinar.state {
        WebinarState::Published => view! {
            <PostForm name="unpublish" hidden=hidden()>
                <p>"Nobody new can register. "{kept}</p>
                <Submit label="Unpublish" kind=""/>
            </PostForm>
            <Close hidden=hidden() people=people/>
        }
        .into_any(),
        WebinarState::Unpublished => view! {
            <Close hidden=hidden() people=people/>
            <PostForm name="archive" hidden=hidden()><p>"Put it away. People and numbers are kept."</p><Submit label="Archive" kind=""/></PostForm>
        }
        .into_any(),
        WebinarState::Archived => view! { <PostForm name="reopen" hidden=hidden()><Submit label="Take it out of the archive" kind=""/></PostForm> }.into_any(),
        WebinarState::Draft => view! {
            <Fold summary="Delete this draft">
                <PostForm name="delete_draft" hidden=hidden()>
                    <p>"The settings and every recording of this draft are removed. Nobody has registered yet."</p>
                    <Submit label="Delete for good" kind="danger"/>
                </PostForm>
            </Fold>
        }
        .into_any(),
    };
    view! { <section class="life"><h2>"Close, archive, delete"</h2>{steps}</section> }
}

#[component]
fn Close(hidden: Vec<(&'static str, String)>, people: i64) -> impl IntoView {
    view! {
        <Fold summary="Close it for everybody, now">
            <PostForm name="close_now" hidden=hidden done="Closed.">
                <p>{format!("Links stop working at once, also for those who are watching ({people} registered). Publishing again opens them again.")}</p>
                <Submit label="Close now" kind="danger"/>
            </PostForm>
        </Fold>
    }
}
