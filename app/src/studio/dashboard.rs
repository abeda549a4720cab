//! The first page after signing in: what wants attention, and the webinars.

use domain::messages::PolicyNotice;
use domain::results::Home;
use domain::video::size_text;
use leptos::prelude::*;
use leptos_meta::Title;

use super::webinars::{NewWebinar, WebinarList};
use crate::context::Refresh;
use crate::error::AppError;
use crate::forms::{PostForm, Submit};
use crate::reading::read;
use crate::ui::{Refused, Time};

/// The home page.
#[server(prefix = "/api/fn", endpoint = "home")]
pub async fn read_home() -> Result<Home, AppError> {
    Ok(crate::context::server::door()?.coach().await?.home().await?)
}

/// The home page.
#[component]
pub fn DashboardPage() -> impl IntoView {
    let refresh = expect_context::<Refresh>();
    let home = read(move || refresh.watch(), |_| read_home());
    view! {
        <Title text="Home"/>
        <main class="wide" id="content">
            <Transition>
                {move || Suspend::new(async move {
                    match home.await {
                        Ok(home) => view! { <Overview home=home/> }.into_any(),
                        Err(AppError(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
                    }
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Overview(home: Home) -> impl IntoView {
    let notice = home.policy_notice.map(|notice| view! { <PolicyChange notice=notice/> });
    if home.webinars.is_empty() {
        let attention = attention(home.attention);
        return view! {
            <h1>"Your first webinar"</h1>
            {notice}
            {attention}
            <p class="lead">"You need one recording. Give the webinar a title now; you can change it later. Upload the recording on the next page, and publish when it is ready."</p>
            <NewWebinar/>
        }
        .into_any();
    }
    let numbers = view! {
        <dl class="numbers">
            <div><dt>"Sign-ups in seven days"</dt><dd>{home.signups_this_week}</dd></div>
            <div><dt>"Watching now"</dt><dd>{home.watching_now}</dd></div>
            <div>
                <dt>"Storage"</dt>
                <dd>{size_text(home.used_bytes as f64)}<span class="n">" of "{size_text(home.quota_bytes as f64)}</span></dd>
            </div>
        </dl>
    };
    view! {
        <h1>"Home"</h1>
        {notice}
        {attention(home.attention)}
        {numbers}
        <section>
            <h2>"Webinars"</h2>
            <WebinarList webinars=home.webinars/>
        </section>
    }
    .into_any()
}

/// A change of the privacy policy, until she says that she saw it (promise P51).
#[component]
fn PolicyChange(notice: PolicyNotice) -> impl IntoView {
    let page = format!("/privacy/versions/{}#changes", notice.version);
    view! {
        <section class="attention" aria-label="Our privacy policy changes">
            <p>"Our privacy policy changes. In force from "<Time at=notice.effective/>": "{notice.summary}" "<a href=page rel="external">"See what changes"</a></p>
            <PostForm name="acknowledge_policy" hidden=vec![("version", notice.version)]><Submit label="I have seen it" kind=""/></PostForm>
        </section>
    }
}

fn attention(entries: Vec<domain::results::Attention>) -> Option<impl IntoView> {
    (!entries.is_empty()).then(|| {
        let entries: Vec<_> = entries
            .into_iter()
            .map(|entry| view! { <li><span>{entry.message}</span><a class="button" href=entry.href>{entry.action}</a></li> })
            .collect();
        view! { <section class="attention" aria-label="What wants your attention"><ul class="rows">{entries}</ul></section> }
    })
}
