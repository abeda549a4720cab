//! Every piece of the kit on one page, for the eye: `/dev/kit`, there only in dev.

use domain::Moment;
use domain::results::{Funnel as FunnelNumbers, NamedCount, Retention, Share};
use leptos::prelude::*;
use leptos_meta::Title;

use crate::forms::{Checkbox, PostForm, Select, Submit, TextArea, TextField};
use crate::reading::read;
use crate::ui::{Badge, Copyable, CountTable, Curve, Funnel, HeatStrip, Meter, Missing, Time, country_text};

/// Whether this server shows its kit.
#[server(prefix = "/api/fn", endpoint = "is_dev")]
pub async fn is_dev() -> Result<bool, crate::error::AppError> {
    Ok(use_context::<crate::context::IsDev>().is_some_and(|dev| dev.0))
}

/// The kit.
#[component]
pub fn KitPage() -> impl IntoView {
    let dev = read(|| (), |()| is_dev());
    view! {
        <main class="wide" id="content">
            <Transition>
                {move || Suspend::new(async move {
                    if dev.await.unwrap_or(false) { view! { <Kit/> }.into_any() } else { view! { <Missing/> }.into_any() }
                })}
            </Transition>
        </main>
    }
}

#[component]
fn Kit() -> impl IntoView {
    let retention = Retention {
        duration_seconds: 600.0,
        viewers: 80,
        seen: (0..600).map(|second| 80 - second / 10).collect(),
        again: (0..600).map(|second| if (200..260).contains(&second) { 20 } else { 2 }).collect(),
    };
    let numbers = FunnelNumbers { page_views: 240, registered: 96, attended: 61, stayed: 33, missed: 12, watching: 3 };
    let cells = [vec![1; 20], vec![2; 10], vec![0; 20], vec![1; 10]].concat();
    let rows = vec![NamedCount { name: "DE".into(), count: 120 }, NamedCount { name: "??".into(), count: 3 }];
    let cursor = RwSignal::new(200.0);
    let options = vec![("a".to_owned(), "One".to_owned()), ("b".to_owned(), "Another".to_owned())];
    view! {
        <Title text="Kit"/>
        <h1>"Kit"</h1>
        <section>
            <h2>"Words and buttons"</h2>
            <p class="lead">"A lead sentence that says what this is about."</p>
            <p>"Text with "<a href="#content">"a link"</a>", "<span class="quiet">"quiet words"</span>" and "<code>"code"</code>"."</p>
            <p><Badge label="Draft"/>" "<Badge label="Published" tone="good"/>" "<Badge label="Unpublished" tone="look"/></p>
            <p class="side-by-side"><button type="button" class="button primary">"Primary"</button>" "<button type="button" class="button">"Ordinary"</button>" "<button type="button" class="button quiet">"Quiet"</button>" "<button type="button" class="button danger">"Loses something"</button></p>
            <p class="good">"Done and healthy."</p><p class="look">"Look at this."</p><p class="problem">"Something was lost."</p>
            <p><Time at=Moment::from_unix_seconds(1_795_000_000)/></p>
        </section>
        <section>
            <h2>"Fields"</h2>
            <PostForm name="kit" done="Saved.">
                <TextField name="text" label="One line" hint="What it is for."/>
                <TextField name="address" label="With a prefix" prefix="example.com/w/" optional=true/>
                <TextArea name="area" label="Several lines" optional=true/>
                <Select name="choice" label="One of a few" options=options value="b"/>
                <Checkbox name="box">"I agree."</Checkbox>
                <Submit label="Send"/>
            </PostForm>
            <Copyable text="Text to be copied.".to_owned() label="Example"/>
        </section>
        <section>
            <h2>"Pictures"</h2>
            <Funnel numbers=numbers/>
            <Curve retention=retention cursor=cursor on_seek=Callback::new(move |second| cursor.set(second))/>
            <HeatStrip cells=cells.clone() label="Example strip".to_owned()/>
            <HeatStrip cells=cells label="Wide example strip".to_owned() wide=true/>
            <p><Meter share=Share { part: 33, of: 61 }/>" "<Meter share=Share { part: 3, of: 4 }/></p>
            <progress max="100" value="62" aria-label="Example"></progress>
            <CountTable heading="Country" rows=rows text=country_text/>
        </section>
    }
}
