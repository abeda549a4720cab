//! Registration pages as they were rendered last. When a mail to ten thousand people goes out they all ask for the same
//! page within a minute, and rendering it is most of the work.
//!
//! What a page shows is asked from the database every time; the page rendered from exactly that is taken from here. So
//! nothing has to be told when a coach changes something, and no answer is ever old. Only two things differ from answer
//! to answer, the nonce of its policy and the stamp of its form: marks nobody can guess stand in their place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::webinar::Invitation;

/// Pages kept at most; then all are forgotten, and those still asked for come back by themselves.
const MOST: usize = 256;

/// What a page depends on besides its webinar.
#[derive(serde::Serialize)]
pub struct Looks<'a> {
    /// Where the visitor comes from.
    pub source: &'a str,
    /// Whether it stands in a frame.
    pub embed: bool,
    /// Whether the browser sends the Global Privacy Control signal.
    pub has_signal: bool,
}

/// Pages by what they show.
pub struct KeptPages {
    nonce_mark: String,
    stamp_mark: String,
    pages: Mutex<HashMap<Vec<u8>, Arc<Template>>>,
}

/// A page cut at its marks.
struct Template {
    first: String,
    rest: Vec<(Slot, String)>,
}

#[derive(Clone, Copy)]
enum Slot {
    Nonce,
    Stamp,
}

impl Default for KeptPages {
    fn default() -> Self {
        let mark = || hex::encode(backend::secrets::random::<16>());
        Self { nonce_mark: mark(), stamp_mark: mark(), pages: Mutex::default() }
    }
}

impl KeptPages {
    /// The page for `invitation` with this nonce; `looks` is whatever else its looks depend on. `render` makes it with
    /// the invitation and the nonce it is given.
    ///
    /// # Errors
    /// When the invitation cannot be written down.
    pub fn page(
        &self,
        mut invitation: Invitation,
        looks: &Looks<'_>,
        nonce: &str,
        render: impl FnOnce(&Invitation, &str) -> String,
    ) -> Result<String, serde_json::Error> {
        let stamp = std::mem::replace(&mut invitation.form_stamp, self.stamp_mark.clone());
        let key = serde_json::to_vec(&(&invitation, looks))?;
        let known = self.pages.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let template = match known {
            Some(template) => template,
            None => {
                let template = Arc::new(self.cut(&render(&invitation, &self.nonce_mark)));
                let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
                if pages.len() >= MOST {
                    pages.clear();
                }
                pages.insert(key, template.clone());
                template
            }
        };
        Ok(template.filled(nonce, &stamp))
    }

    fn cut(&self, page: &str) -> Template {
        let mut marks: Vec<(usize, Slot, usize)> = [(&self.nonce_mark, Slot::Nonce), (&self.stamp_mark, Slot::Stamp)]
            .into_iter()
            .flat_map(|(mark, slot)| page.match_indices(mark.as_str()).map(move |(at, _)| (at, slot, mark.len())))
            .collect();
        marks.sort_by_key(|(at, ..)| *at);
        let end_of = |index: usize| marks.get(index).map_or(page.len(), |(at, ..)| *at);
        let first = page[..end_of(0)].to_owned();
        let rest = marks.iter().enumerate();
        let rest = rest.map(|(index, (at, slot, length))| (*slot, page[at + length..end_of(index + 1)].to_owned()));
        Template { first, rest: rest.collect() }
    }
}

impl Template {
    fn filled(&self, nonce: &str, stamp: &str) -> String {
        let length: usize = self.rest.iter().map(|(_, text)| text.len() + stamp.len().max(nonce.len())).sum();
        let mut page = String::with_capacity(self.first.len() + length);
        page.push_str(&self.first);
        for (slot, text) in &self.rest {
            page.push_str(match slot {
                Slot::Nonce => nonce,
                Slot::Stamp => stamp,
            });
            page.push_str(text);
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation(title: &str, stamp: &str) -> Invitation {
        Invitation {
            slug: "talk".into(),
            title: title.into(),
            description_html: String::new(),
            presenter: String::new(),
            accent: String::new(),
            logo_url: None,
            poster_url: None,
            session_kind: domain::webinar::SessionKind::OnDemand,
            link_days: 30,
            duration_seconds: 60.0,
            recorded: String::new(),
            has_captions: false,
            fields: Vec::new(),
            ask_age: false,
            offers_text: None,
            consent_text: String::new(),
            embed_hosts: Vec::new(),
            form_stamp: stamp.into(),
            times: None,
        }
    }

    fn shown(pages: &KeptPages, invitation: Invitation, nonce: &str, renders: &std::cell::Cell<u32>) -> String {
        let looks = Looks { source: "", embed: false, has_signal: false };
        let page = pages.page(invitation, &looks, nonce, |invitation, nonce| {
            renders.set(renders.get() + 1);
            format!("<{nonce}>{}<{}><{nonce}>", invitation.title, invitation.form_stamp)
        });
        page.expect("is written down")
    }

    #[test]
    fn the_same_page_is_rendered_once_and_carries_its_own_nonce_and_stamp() {
        let (pages, renders) = (KeptPages::default(), std::cell::Cell::new(0));
        assert_eq!(shown(&pages, invitation("A", "s1"), "n1", &renders), "<n1>A<s1><n1>");
        assert_eq!(shown(&pages, invitation("A", "s2"), "n2", &renders), "<n2>A<s2><n2>");
        assert_eq!(renders.get(), 1);
    }

    #[test]
    fn what_was_changed_is_rendered_anew() {
        let (pages, renders) = (KeptPages::default(), std::cell::Cell::new(0));
        shown(&pages, invitation("A", "s"), "n", &renders);
        assert_eq!(shown(&pages, invitation("B", "s"), "n", &renders), "<n>B<s><n>");
        assert_eq!(renders.get(), 2);
    }

    #[test]
    fn no_flood_of_pages_fills_the_memory() {
        let (pages, renders) = (KeptPages::default(), std::cell::Cell::new(0));
        for number in 0..3 * MOST {
            shown(&pages, invitation(&number.to_string(), "s"), "n", &renders);
        }
        assert!(pages.pages.lock().expect("whole").len() <= MOST);
    }
}
