//! The editor: one page from the recording to the public address.
//!
//! Two readings of the same webinar: the settings are read once, so that nothing typed is ever replaced under the
//! coach's hands; the rest is read again after everything she does.

use domain::ids::WebinarId;
use domain::video::UploadView;
use domain::webinar::WebinarView;
use leptos::prelude::*;
use leptos_meta::Title;

use super::publish::{Life, PublishPanel};
use super::recording::Recording;
use super::settings::{Logo, Settings};
use super::webinars::tone;
use super::{WebinarTabs, webinar_in_path};
use crate::context::Refresh;
use crate::error::AppError;
use crate::reading::read;
use crate::ui::{Badge, Missing, Refused};

/// Everything the editor shows, with the uploads that can be gone on with.
#[server(prefix = "/api/fn", endpoint = "webinar")]
pub async fn read_webinar(id: WebinarId) -> Result<(WebinarView, Vec<UploadView>), AppError> {
    let coach = crate::context::server::door()?.coach().await?;
    Ok((coach.webinar(id).await?, coach.uploads(id).await?))
}

/// The editor.
#[component]
pub fn EditorPage() -> impl IntoView {
    let id = webinar_in_path();
    move || match id() {
        Some(id) => view! { <Editor id=id/> }.into_any(),
        None => view! { <main class="wide" id="content"><Missing/></main> }.into_any(),
    }
}

#[component]
fn Editor(id: WebinarId) -> impl IntoView {
    let refresh = expect_context::<Refresh>();
    let settings = read(|| (), move |()| read_webinar(id));
    let current = read(move || refresh.watch(), move |_| read_webinar(id));
    view! {
        <main class="wide editor" id="content">
            <Transition>
                {move || Suspend::new(async move {
                    match current.await {
                        Ok((webinar, uploads)) => view! {
                            <Title text=webinar.form.title.clone()/>
                            <p class="back"><a href="/dashboard/webinars">"Webinars"</a></p>
                            <div class="title-line">
                                <h1 dir="auto">{webinar.form.title.clone()}</h1>
                                <Badge label=webinar.state.label() tone=tone(webinar.state)/>
                            </div>
                            <WebinarTabs id=id current="editor"/>
                            <PublishPanel webinar=webinar.clone()/>
                            <Recording webinar=webinar uploads=uploads/>
                        }
                        .into_any(),
                        Err(AppError(refusal)) => view! { <Refused refusal=refusal/> }.into_any(),
                    }
                })}
            </Transition>
            <Transition>
                {move || Suspend::new(async move {
                    // A refusal is shown above, once.
                    settings.await.ok().map(|(webinar, _)| view! { <Settings webinar=webinar/> })
                })}
            </Transition>
            <Transition>
                {move || Suspend::new(async move {
                    current.await.ok().map(|(webinar, _)| view! { <Logo webinar=webinar.clone()/> <Life webinar=webinar/> })
                })}
            </Transition>
        </main>
    }
}
