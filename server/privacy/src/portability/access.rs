//! The answer to an access request in words (Art. 15(1) GDPR), from the data map: what for, on which basis, for how
//! long, from where, to whom. And the page that says what is in the archive. Both open offline and run nothing.

use std::collections::{BTreeMap, BTreeSet};

use domain::Moment;
use domain::rights::authority;
use serde_json::{Value, json};

use super::tables::{ArchivePlan, Home};
use crate::map::{DataMap, Place};
use crate::plan::Root;

/// The form of `access/art15.json`.
const FORM: &str = "mini-webinar-access/1";

/// What the documents are made from.
pub struct Access<'a> {
    /// The data map in force.
    pub map: &'a DataMap,
    /// What the archive holds.
    pub plan: &'a ArchivePlan,
    /// Whose it is.
    pub root: Root,
    /// Who answers for the data, and how they are reached.
    pub controller: (String, String),
    /// Where people write about privacy.
    pub contact: &'a str,
    /// The service's own address.
    pub base_url: &'a str,
    /// When it was made.
    pub now: Moment,
}

/// One kind of data.
struct Category {
    class: String,
    title: String,
    purposes: BTreeSet<String>,
    bases: BTreeSet<String>,
    retention: BTreeSet<String>,
    is_portable: bool,
    files: BTreeSet<String>,
}

/// Rights and where they are used.
const RIGHTS: [&str; 7] = [
    "See everything and take it along (Art. 15 and 20).",
    "Have it corrected (Art. 16).",
    "Have it erased (Art. 17).",
    "Have it kept and not used (Art. 18).",
    "Object to its use (Art. 21).",
    "Take an agreement back at any time; what was done until then stays lawful (Art. 7(3)).",
    "Complain to the authority named here, or to the one where you live (Art. 77).",
];
const NO_DECISIONS: &str = "No decision about you is made by a machine alone, and no profile is made of you (Art. 22).";

impl Access<'_> {
    fn categories(&self) -> Vec<Category> {
        let mut found: BTreeMap<&str, Category> = BTreeMap::new();
        for table in &self.plan.tables {
            for column in &table.columns {
                let Some((key, class)) = self.map.classes.get_key_value(&column.class) else { continue };
                let category = found.entry(key).or_insert_with(|| Category {
                    class: key.clone(),
                    title: class.title.clone(),
                    purposes: BTreeSet::new(),
                    bases: BTreeSet::new(),
                    retention: BTreeSet::new(),
                    is_portable: false,
                    files: BTreeSet::new(),
                });
                category.is_portable |= column.is_portable;
                category.files.insert(table.path(1));
            }
        }
        for place in self.map.places.iter().filter(|place| place.is_personal()) {
            if let Some(category) = found.get_mut(place.class.as_str()) {
                self.explain(category, place);
            }
        }
        found.into_values().collect()
    }

    fn explain(&self, category: &mut Category, place: &Place) {
        category.purposes.extend(place.purposes.iter().filter_map(|key| self.map.purposes.get(key).cloned()));
        let basis = place.basis.as_ref().and_then(|key| self.map.bases.get(key));
        category.bases.extend(basis.map(|basis| format!("{}: {}", basis.article, basis.text)));
        let retention = place.retention.as_ref().and_then(|key| self.map.retentions.get(key));
        category.retention.extend(retention.map(|retention| retention.text.clone()));
    }

    fn recipients(&self) -> Vec<String> {
        let mut recipients = vec![
            "The mail service that delivers our letters: each message with its date is in data/messages.jsonl."
                .to_owned(),
            format!("The companies that run our machines; they are listed at {}.", self.page("/privacy/subprocessors")),
        ];
        match self.root {
            Root::Subject => recipients.insert(0, format!("{}, whose webinar it is.", self.controller.0)),
            Root::Coach => recipients.push("Nobody is sold or lent anything.".to_owned()),
        }
        recipients
    }

    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.base_url.trim_end_matches('/'))
    }

    /// For machines.
    #[must_use]
    pub fn json(&self) -> Value {
        let lead = authority("FR");
        let categories = self.categories().into_iter().map(|category| {
            json!({
                "class": category.class,
                "title": category.title,
                "purposes": category.purposes,
                "bases": category.bases,
                "retention": category.retention,
                "source": source(category.is_portable),
                "files": category.files,
            })
        });
        json!({
            "format": FORM,
            "made_at": self.now.to_string(),
            "map_sha256": hex::encode(DataMap::hash()),
            "person": match self.root { Root::Coach => "coach", Root::Subject => "viewer" },
            "controller": { "name": self.controller.0, "contact": self.controller.1 },
            "processor": match self.root {
                Root::Coach => Value::Null,
                Root::Subject => json!(format!("My Mini Webinar, {}", self.contact)),
            },
            "categories": categories.collect::<Vec<_>>(),
            "recipients": self.recipients(),
            "rights": RIGHTS,
            "authority": { "name": lead.name, "url": lead.url },
            "automated_decisions": NO_DECISIONS,
        })
    }

    /// For people.
    #[must_use]
    pub fn html(&self) -> String {
        let list = |items: &BTreeSet<String>| items.iter().map(|item| escaped(item)).collect::<Vec<_>>().join("<br>");
        let rows = self.categories().into_iter().map(|category| {
            format!(
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                escaped(&category.title),
                list(&category.purposes),
                list(&category.bases),
                list(&category.retention),
                source(category.is_portable),
            )
        });
        let items =
            |items: &[String]| items.iter().map(|item| format!("<li>{}</li>\n", escaped(item))).collect::<String>();
        let lead = authority("FR");
        let mut body = format!(
            "<h1>What is held about you, and why</h1>\n<p>Made on {}. Responsible: {}, {}.</p>\n",
            self.now.utc_text(),
            escaped(&self.controller.0),
            escaped(&self.controller.1)
        );
        body.push_str("<table>\n<tr><th scope=\"col\">Kind of data</th><th scope=\"col\">What for</th><th scope=\"col\">On which basis</th><th scope=\"col\">How long</th><th scope=\"col\">From where</th></tr>\n");
        body.extend(rows);
        body.push_str("</table>\n<h2>Who receives it</h2>\n<ul>\n");
        body.push_str(&items(&self.recipients()));
        body.push_str("</ul>\n<h2>Your rights</h2>\n<ul>\n");
        body.push_str(&items(&RIGHTS.map(str::to_owned)));
        body.push_str(&format!(
            "</ul>\n<p>{NO_DECISIONS}</p>\n<p>Questions: {}. Authority: {}, {}.</p>\n",
            escaped(self.contact),
            escaped(lead.name),
            lead.url
        ));
        document("What is held about you, and why", &body)
    }

    /// The page to open first.
    #[must_use]
    pub fn readme(&self) -> String {
        let tables = |home: Home| {
            self.plan
                .of(home)
                .map(|table| format!("<li><code>{}</code></li>\n", escaped(&table.path(1))))
                .collect::<String>()
        };
        let whose = match self.root {
            Root::Coach => "your account: your webinars, your recordings, and everybody who registered with you",
            Root::Subject => "you at one coach: what you gave, what you watched, what was mailed to you",
        };
        let body = format!(
            "<h1>Your archive</h1>\n<p>Made on {} by My Mini Webinar, {}. It holds everything about {whose}.</p>\n\
             <h2>Where to look</h2>\n<ul>\n\
             <li><a href=\"access/art15.html\">What is held, why, for how long and who receives it</a></li>\n\
             <li><code>csv/</code>: registrations and what was watched, for a spreadsheet</li>\n\
             <li><code>media/</code>: files as they were uploaded, named by their checksum</li>\n\
             <li><code>omissions.json</code>: what is not here, and why; also when that is nothing</li>\n</ul>\n\
             <h2>For another service</h2>\n<p>One object a line (JSON Lines), described by the JSON Schemas in \
             <code>schemas/</code>. Moments are in UTC. A cell in <code>csv/</code> that a spreadsheet would take for a \
             formula begins with an apostrophe; in <code>data/</code> nothing is changed.</p>\n<ul>\n{}</ul>\n\
             <h2>About this installation alone</h2>\n<ul>\n{}</ul>\n\
             <h2>Is it unchanged?</h2>\n<p><code>manifest.json</code> lists every file with its SHA-256; \
             <code>manifest.sig</code> is an Ed25519 signature over it. The public key is at {}. \
             <code>mini-webinar import --verify FILE</code> checks all of it.</p>\n<p>Questions: {}.</p>\n",
            self.now.utc_text(),
            escaped(self.base_url),
            tables(Home::Data),
            tables(Home::Access),
            escaped(&self.page("/.well-known/mini-webinar-receipts.json")),
            escaped(self.contact),
        );
        document("Your archive", &body)
    }
}

const fn source(is_portable: bool) -> &'static str {
    if is_portable {
        "You gave it, or it was observed while you used the service."
    } else {
        "It arose while the service was run."
    }
}

/// Text that means nothing to a browser.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n\
         :root {{ color-scheme: light dark; }}\n\
         body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}\n\
         table {{ border-collapse: collapse; }}\n\
         th, td {{ border: 1px solid; padding: .4rem .6rem; text-align: left; vertical-align: top; }}\n\
         </style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(plan: &ArchivePlan, root: Root) -> Access<'_> {
        Access {
            map: DataMap::current(),
            plan,
            root,
            controller: ("<b>Maya & Co</b>".to_owned(), "maya@example.com".to_owned()),
            contact: "privacy@example.com",
            base_url: "https://webinar.example/",
            now: Moment::from_unix_seconds(1_795_000_000),
        }
    }

    #[test]
    fn every_kind_of_data_has_a_purpose_a_basis_and_an_end() {
        for root in [Root::Coach, Root::Subject] {
            let plan = ArchivePlan::new(DataMap::current(), root).expect("a plan");
            for category in access(&plan, root).categories() {
                let is_whole =
                    !(category.purposes.is_empty() || category.bases.is_empty() || category.retention.is_empty());
                assert!(is_whole, "{root:?}: {}", category.class);
            }
        }
    }

    #[test]
    fn the_pages_run_nothing_and_take_no_text_for_markup() {
        let plan = ArchivePlan::new(DataMap::current(), Root::Subject).expect("a plan");
        let access = access(&plan, Root::Subject);
        for page in [access.html(), access.readme()] {
            assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("<b>Maya"), "{page}");
        }
        assert!(access.html().contains("&lt;b&gt;Maya &amp; Co&lt;/b&gt;"));
        assert!(access.html().contains("CNIL"));
    }
}
