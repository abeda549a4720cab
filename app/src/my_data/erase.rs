//! Before an erasure: what goes, with counts, what stays and why, and one press.

use domain::my_data::Preview;
use leptos::prelude::*;

use super::page;

/// The preview of an erasure at one coach, or at all of them.
#[must_use]
pub fn erase_page(css: &str, contact: &str, previews: &[Preview], everywhere: bool) -> String {
    let told: Vec<_> = previews.iter().map(|preview| told(preview, everywhere)).collect();
    let coach = match previews {
        [only] if !everywhere => only.coach.to_string(),
        _ => "all".to_owned(),
    };
    let has_mark = previews.iter().any(|preview| preview.has_mark);
    let mark = has_mark.then(|| {
        view! {
            <p class="choice">
                <input type="checkbox" id="forget-mark" name="forget_mark" value="yes"/>
                <label for="forget-mark">
                    "Forget also that I do not want mail. Then nothing keeps the coach from writing to me when she meets my "
                    "address again."
                </label>
            </p>
        }
    });
    let backups = previews.first().map(|preview| {
        let (unreadable, gone) = preview.backups;
        format!(
            "Backups cannot be read any more from {} on, and the last one is gone by {}.",
            unreadable.utc_text(),
            gone.utc_text()
        )
    });
    let main = if previews.is_empty() {
        view! {
            <h1>"Nothing to erase"</h1>
            <p>"No coach holds anything about your address."</p>
            <p><a class="button" href="/my-data">"Back"</a></p>
        }
        .into_any()
    } else {
        view! {
            <h1>"Erase everything?"</h1>
            <p>
                "From your press on nothing uses it any more. It is gone within a day, you get a signed receipt by mail, and "
                "it cannot be undone. You may register again whenever you like: as somebody new."
            </p>
            {told}
            <p>{backups}</p>
            <form class="registration-form" method="post" action="/my-data/act">
                <input type="hidden" name="wish" value="erase"/>
                <input type="hidden" name="coach" value=coach/>
                {mark}
                <button class="button loss" type="submit">"Erase it for good"</button>
            </form>
            <p><a href="/my-data">"No, go back"</a></p>
        }
        .into_any()
    };
    page(css, "Erase everything?", contact, main)
}

fn told(preview: &Preview, everywhere: bool) -> AnyView {
    let goes: Vec<_> = preview.goes.iter().map(|(rows, what)| view! { <li>{format!("{rows} {what}")}</li> }).collect();
    let stays: Vec<_> = preview.stays.iter().map(|line| view! { <li>{line.clone()}</li> }).collect();
    let mark = preview.has_mark.then(|| {
        view! { <li>"The mark that you do not want mail, so that it is kept to; unless you tick the box below."</li> }
    });
    let heading = if everywhere { preview.coach_name.clone() } else { format!("At {}", preview.coach_name) };
    view! {
        <section>
            <h2 dir="auto">{heading}</h2>
            <h3>"What goes"</h3>
            <ul>{goes}</ul>
            <h3>"What stays"</h3>
            <ul>{mark}{stays}</ul>
        </section>
    }
    .into_any()
}
