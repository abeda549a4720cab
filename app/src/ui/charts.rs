//! Pictures of numbers. Each has its words beside it; colour is never the only sign.

use domain::results::{Funnel as FunnelNumbers, NamedCount, Retention, Share};
use domain::video::clock_text;
use leptos::prelude::*;

/// Which seconds somebody saw: one rect per run of equal cells.
#[component]
pub fn HeatStrip(
    /// 0 not seen, 1 seen, 2 seen again.
    cells: Vec<u8>,
    /// The same in words.
    label: String,
    /// Wider and higher.
    #[prop(optional)]
    wide: bool,
) -> impl IntoView {
    let count = cells.len().max(1);
    let mut runs: Vec<(usize, usize, u8)> = Vec::new();
    for (index, state) in cells.into_iter().enumerate() {
        match runs.last_mut() {
            Some((_, length, last)) if *last == state => *length += 1,
            _ => runs.push((index, 1, state)),
        }
    }
    let rects: Vec<_> = runs
        .into_iter()
        .filter(|(.., state)| *state > 0)
        .map(|(start, length, state)| {
            // What was seen again stands higher, so that the difference does not hang on colour.
            let (y, height) = if state == 2 { (0, 10) } else { (4, 6) };
            view! { <rect x=start y=y width=length height=height class=if state == 2 { "again" } else { "seen" }></rect> }
        })
        .collect();
    view! {
        <svg class=if wide { "strip wide" } else { "strip" } viewBox=format!("0 0 {count} 10") preserveAspectRatio="none" role="img" aria-label=label>
            <rect class="ground" x="0" y="4" width=count height="6"></rect>
            {rects}
        </svg>
    }
}

/// A share in percent with its n; grey when n is too small to mean much.
#[component]
pub fn Meter(
    /// The part and the whole.
    share: Share,
) -> impl IntoView {
    let text = share.percent().map_or_else(|| "–".to_owned(), |percent| format!("{percent:.0} %"));
    let class = if share.is_small() { "rate small" } else { "rate" };
    let title = share.is_small().then_some("Few people: this can change a lot with the next one.");
    view! { <span class=class title=title>{text}<span class="n">{format!(" n = {}", share.of)}</span></span> }
}

/// Views → registered → attended → stayed, as a shape that narrows.
#[component]
pub fn Funnel(
    /// The numbers.
    numbers: FunnelNumbers,
) -> impl IntoView {
    let steps = [
        ("Page views", numbers.page_views, None),
        ("Registered", numbers.registered, Some(Share { part: numbers.registered, of: numbers.page_views })),
        ("Attended", numbers.attended, Some(Share { part: numbers.attended, of: numbers.registered })),
        ("Stayed to the end", numbers.stayed, Some(Share { part: numbers.stayed, of: numbers.attended })),
    ];
    let most = steps.iter().map(|step| step.1).max().unwrap_or(0).max(1);
    let steps: Vec<_> = steps
        .into_iter()
        .map(|(label, count, share)| {
            let width = (count as f64 * 100.0 / most as f64).max(0.5);
            view! {
                <li>
                    <span class="step">{label}</span>
                    <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
                        <rect x="0" y="0" width=format!("{width:.2}") height="4"></rect>
                    </svg>
                    <span class="count">{count}</span>
                    {share.map(|share| view! { <Meter share=share/> })}
                </li>
            }
        })
        .collect();
    view! { <ol class="funnel">{steps}</ol> }
}

/// Points of the curve: at most this many columns, so that an hour of seconds stays a light picture.
const COLUMNS: usize = 300;

fn columns(cells: &[u32]) -> Vec<f64> {
    let width = cells.len().clamp(1, COLUMNS);
    (0..width)
        .map(|column| {
            let start = column * cells.len() / width;
            let end = ((column + 1) * cells.len() / width).max(start + 1).min(cells.len());
            let part = cells.get(start..end).unwrap_or_default();
            if part.is_empty() { 0.0 } else { part.iter().map(|n| f64::from(*n)).sum::<f64>() / part.len() as f64 }
        })
        .collect()
}

fn area(values: &[f64], most: f64) -> String {
    let mut path = String::from("M0 100");
    let last = values.len();
    for (index, value) in values.iter().enumerate() {
        let y = 100.0 - value * 100.0 / most;
        path.push_str(&format!("L{index} {y:.1}L{} {y:.1}", index + 1));
    }
    path.push_str(&format!("L{last} 100Z"));
    path
}

/// How many people saw each second, and how many saw it again. `cursor` is the second the video shows; pressing a
/// place on the curve calls `on_seek` with its second.
#[component]
pub fn Curve(
    /// The numbers.
    retention: Retention,
    /// Media seconds shown by the video above.
    cursor: RwSignal<f64>,
    /// Called with the second that was pressed.
    on_seek: Callback<f64>,
) -> impl IntoView {
    let duration = retention.duration_seconds.max(1.0);
    let seen = columns(&retention.seen);
    let again = columns(&retention.again);
    let width = seen.len();
    let most = (retention.viewers as f64).max(1.0);
    let numbers = retention.seen.clone();
    let viewers = retention.viewers;
    let at_cursor = move || {
        let second = cursor.get();
        let people = numbers.get(second as usize).copied().unwrap_or_default();
        format!("At {}: {people} of {viewers} viewers", clock_text(second))
    };
    let x = move || format!("{:.2}", cursor.get() * width as f64 / duration);
    let seek = move |event: web_sys::MouseEvent| {
        use wasm_bindgen::JsCast;
        let Some(target) = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) else {
            return;
        };
        let place = target.get_bounding_client_rect();
        if place.width() > 0.0 {
            let share = (f64::from(event.client_x()) - place.left()) / place.width();
            on_seek.run(share.clamp(0.0, 1.0) * duration);
        }
    };
    let label = format!(
        "Viewers per second of the recording, {viewers} in all. The slider below reads out every second of it."
    );
    view! {
        <figure class="curve">
            <svg viewBox=format!("0 0 {width} 100") preserveAspectRatio="none" role="img" aria-label=label on:click=seek>
                <path class="seen" d=area(&seen, most)></path>
                <path class="again" d=area(&again, most)></path>
                <line class="cursor" x1=x x2=x y1="0" y2="100"></line>
            </svg>
            <input
                type="range"
                class="needs-script"
                min="0"
                max=duration.floor().to_string()
                step="1"
                aria-label="Second of the recording"
                aria-valuetext=at_cursor.clone()
                prop:value=move || cursor.get().floor().to_string()
                on:input=move |event| {
                    if let Ok(second) = event_target_value(&event).parse::<f64>() {
                        on_seek.run(second);
                    }
                }
            />
            <figcaption>
                <span>{at_cursor}</span>
                <span class="legend"><span class="key seen">"seen"</span><span class="key again">"seen again"</span></span>
            </figcaption>
        </figure>
    }
}

/// Counts by name, most first.
#[component]
pub fn CountTable(
    /// Heading of the names.
    heading: &'static str,
    /// The rows.
    rows: Vec<NamedCount>,
    /// How a name reads.
    text: fn(&str) -> String,
) -> impl IntoView {
    let total: i64 = rows.iter().map(|row| row.count).sum();
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let percent = row.count as f64 * 100.0 / total.max(1) as f64;
            view! { <tr><th scope="row">{text(&row.name)}</th><td class="number">{row.count}</td><td class="number">{format!("{percent:.0} %")}</td></tr> }
        })
        .collect();
    view! {
        <table class="counts">
            <thead><tr><th scope="col">{heading}</th><th scope="col" class="number">"Views"</th><th scope="col" class="number">"Share"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_few_columns_and_keeps_its_mean() {
        let cells: Vec<u32> = (0..7_201).map(|second| second % 7).collect();
        let columns = columns(&cells);
        assert_eq!(columns.len(), COLUMNS);
        let mean = columns.iter().sum::<f64>() / columns.len() as f64;
        assert!((mean - 3.0).abs() < 0.1, "{mean}");
        assert_eq!(super::columns(&[]).len(), 1);
        assert_eq!(area(&[1.0], 2.0), "M0 100L0 50.0L1 50.0L1 100Z");
    }
}
