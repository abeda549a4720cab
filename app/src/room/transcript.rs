//! The spoken words beside the recording: plain text without script; with it, searchable, and every line a way to
//! its place.
//!
//! The list is no hydrated view. A long recording has thousands of lines; walking them all before the play button
//! works, and sending them twice, would be paid by everybody for the few who read along.

use domain::video::{TranscriptLine, clock_text};
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event, HtmlInputElement};

use super::player::Controls;

/// The transcript, folded away; nothing when nothing is known of what is said.
pub fn transcript(lines: &[TranscriptLine], language: Option<String>) -> Option<AnyView> {
    let items = lines
        .iter()
        .map(|line| {
            view! {
                <li class="line" data-at=line.start_seconds.to_string()>
                    <span class="line-time">{clock_text(line.start_seconds)}</span>
                    <span class="line-text" dir="auto">{line.text.clone()}</span>
                </li>
            }
        })
        .collect_view();
    (!lines.is_empty()).then(|| {
        view! {
            <details class="transcript" id="transcript">
                <summary>"Transcript"</summary>
                <label class="transcript-search needs-script">
                    <span>"Search the transcript"</span>
                    <input type="search" autocomplete="off"/>
                </label>
                <p class="quiet" role="status"></p>
                // What scrolls must be reachable by keyboard, and say what it is.
                <ol class="transcript-lines" lang=language tabindex="0" aria-label="What is said">{items}</ol>
            </details>
        }
        .into_any()
    })
}

/// The parts of the rendered list that script works on.
struct Transcript {
    controls: Controls,
    details: Element,
    list: Element,
    search: HtmlInputElement,
    status: Element,
    starts: Vec<f64>,
    current: Option<usize>,
    has_buttons: bool,
}

/// Makes the rendered transcript follow the video and lead back into it. Lasts as long as the page.
pub fn enliven(controls: Controls) {
    let Some((mut transcript, video)) = Transcript::find(controls).zip(controls.video()) else {
        return;
    };
    transcript.toggled();
    let targets = [
        ("toggle", transcript.details.clone()),
        ("click", transcript.list.clone()),
        ("input", transcript.search.clone().into()),
        ("timeupdate", video.into()),
    ];
    let listener: JsValue = Closure::<dyn FnMut(Event)>::new(move |event: Event| match event.type_().as_str() {
        "toggle" => transcript.toggled(),
        "click" => transcript.clicked(&event),
        "input" => transcript.searched(),
        _ => transcript.follow(),
    })
    .into_js_value();
    for (name, target) in targets {
        let _ = target.add_event_listener_with_callback(name, listener.unchecked_ref());
    }
}

impl Transcript {
    fn find(controls: Controls) -> Option<Self> {
        let details = web_sys::window()?.document()?.get_element_by_id("transcript")?;
        let list = details.query_selector("ol").ok()??;
        let search = details.query_selector("input").ok()??.dyn_into().ok()?;
        let status = details.query_selector("[role=status]").ok()??;
        let starts = items(&list).map(|item| start_of(&item)).collect();
        Some(Self { controls, details, list, search, status, starts, current: None, has_buttons: false })
    }

    /// Lines become buttons when somebody looks, not before.
    fn toggled(&mut self) {
        if self.has_buttons || !self.details.has_attribute("open") {
            return;
        }
        self.has_buttons = true;
        let Some(document) = self.list.owner_document() else {
            return;
        };
        for item in items(&self.list) {
            item.set_class_name("");
            let _ = wrap(&document, &item);
        }
        self.mark(self.current, true);
    }

    fn clicked(&self, event: &Event) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        // A click beside the words, such as on the scroll bar, means no line.
        let is_button = target.as_ref().is_some_and(|target| matches!(target.closest("button"), Ok(Some(_))));
        if let Some(item) = target.filter(|_| is_button).and_then(|target| target.closest("li").ok().flatten()) {
            self.controls.go_to(start_of(&item));
        }
    }

    fn searched(&self) {
        let wanted = String::from(js_sys::JsString::from(self.search.value()).trim().to_lower_case());
        let mut found = 0;
        for item in items(&self.list) {
            let text = js_sys::JsString::from(item.text_content().unwrap_or_default()).to_lower_case();
            let is_found = text.includes(&wanted, 0);
            found += u32::from(is_found);
            let _ = item.toggle_attribute_with_force("hidden", !is_found);
        }
        let said = match found {
            _ if wanted.is_empty() => String::new(),
            0 => "No line has this.".to_owned(),
            1 => "1 line".to_owned(),
            found => format!("{found} lines"),
        };
        self.status.set_text_content(Some(&said));
    }

    fn follow(&mut self) {
        let Some(video) = self.controls.video() else { return };
        let position = video.current_time();
        let current = self.starts.partition_point(|start| *start <= position).checked_sub(1);
        if current != self.current {
            self.mark(self.current, false);
            self.mark(current, true);
            self.current = current;
        }
    }

    fn mark(&self, index: Option<usize>, is_current: bool) {
        let item = index.and_then(|index| self.list.children().item(index as u32));
        if let Some(line) = item.and_then(|item| item.first_element_child()).filter(|_| self.has_buttons) {
            let _ = if is_current {
                line.set_attribute("aria-current", "true")
            } else {
                line.remove_attribute("aria-current")
            };
        }
    }
}

fn items(list: &Element) -> impl Iterator<Item = Element> {
    let items = list.children();
    (0..items.length()).filter_map(move |index| items.item(index))
}

fn start_of(item: &Element) -> f64 {
    item.get_attribute("data-at").map_or(0.0, |text| js_sys::parse_float(&text))
}

fn wrap(document: &Document, item: &Element) -> Result<(), JsValue> {
    let button = document.create_element("button")?;
    button.set_attribute("type", "button")?;
    button.set_class_name("line");
    while let Some(child) = item.first_child() {
        button.append_child(&child)?;
    }
    item.append_child(&button)?;
    Ok(())
}
