//! The player's data as the page carries it. The server writes it with serde; here the browser's own parser reads it,
//! which costs nothing to download.

use domain::ids::CaptionId;
use domain::video::CaptionTrack;
use domain::webinar::PlayerProps;
use wasm_bindgen::JsValue;

/// Reads the data of [`super::player`]; nothing when it is not what the server writes. The transcript is left out: it
/// is in the page already.
#[must_use]
pub fn read_props(json: &str) -> Option<PlayerProps> {
    let props = js_sys::JSON::parse(json).ok()?;
    let captions = js_sys::Array::from(&get(&props, "captions")?);
    Some(PlayerProps {
        view: text(&props, "view").and_then(|view| view.parse().ok()),
        media_url: text(&props, "media_url")?,
        content_type: text(&props, "content_type")?,
        poster_url: text(&props, "poster_url"),
        duration_seconds: get(&props, "duration_seconds")?.as_f64()?,
        resume_seconds: get(&props, "resume_seconds")?.as_f64()?,
        captions: captions.iter().map(|track| caption(&track)).collect::<Option<_>>()?,
        transcript: Vec::new(),
    })
}

fn caption(track: &JsValue) -> Option<CaptionTrack> {
    Some(CaptionTrack {
        id: text(track, "id")?.parse::<CaptionId>().ok()?,
        language: text(track, "language")?,
        label: text(track, "label")?,
        url: text(track, "url")?,
        cue_count: get(track, "cue_count")?.as_f64()? as i32,
    })
}

fn get(object: &JsValue, key: &str) -> Option<JsValue> {
    js_sys::Reflect::get(object, &key.into()).ok()
}

fn text(object: &JsValue, key: &str) -> Option<String> {
    get(object, key)?.as_string()
}
