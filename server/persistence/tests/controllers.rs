//! "Viewer data collected on your behalf" (promise P09): whoever asks the database for something says whose it is.
//!
//! Every public function that takes a connection names somebody in its arguments: the coach who decides about the data,
//! or a row that leads to her. Those that cannot are listed here with the reason, and a reason nobody needs any more is
//! as wrong as one that is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// It is the question whose it is: what a person shows is looked up, and the answer names somebody.
const FINDS_WHOSE: &str = "finds whose it is by what a person shows";
/// A clock goes over everybody's rows alike.
const ALL_ALIKE: &str = "goes over everybody's rows by the clock, and shows them to nobody";
/// No viewer's rows: the books of whoever runs the installation.
const HOUSE_BOOKS: &str = "books of the installation, without a viewer in them";
/// The one page that crosses coaches, for the person themselves.
const PORTAL: &str = "the portal, which shows a person what every coach holds about them";

const EXCUSED: &[(&str, &str, &str)] = &[
    ("accounts.rs", "coach_by_email", FINDS_WHOSE),
    ("accounts.rs", "forget_place", FINDS_WHOSE),
    ("accounts.rs", "login_by_hash", FINDS_WHOSE),
    ("accounts.rs", "prune", ALL_ALIKE),
    ("accounts.rs", "take_place", FINDS_WHOSE),
    ("accounts.rs", "usable_token", FINDS_WHOSE),
    ("audits.rs", "after", HOUSE_BOOKS),
    ("audits.rs", "hold_last", HOUSE_BOOKS),
    ("audits.rs", "prune", HOUSE_BOOKS),
    ("backups.rs", "forget", HOUSE_BOOKS),
    ("backups.rs", "newest", HOUSE_BOOKS),
    ("backups.rs", "sign_everybody_out", ALL_ALIKE),
    ("backups.rs", "tombstones", ALL_ALIKE),
    ("backups.rs", "unfinished_restore", HOUSE_BOOKS),
    ("exports.rs", "portal_session_stands", PORTAL),
    ("leaving.rs", "closed_before", ALL_ALIKE),
    ("mails.rs", "give_back_stale", ALL_ALIKE),
    ("messages.rs", "open", HOUSE_BOOKS),
    ("messages.rs", "unfinished_steps", ALL_ALIKE),
    ("policy_notices.rs", "untold", ALL_ALIKE),
    ("portal.rs", "end_session", PORTAL),
    ("portal.rs", "erased_by_index", PORTAL),
    ("portal.rs", "newest_proof", PORTAL),
    ("portal.rs", "people_by_index", PORTAL),
    ("portal.rs", "proof_by_token", PORTAL),
    ("portal.rs", "session", PORTAL),
    ("registrations.rs", "due_to_be_final", ALL_ALIKE),
    ("restrictions.rs", "announced_before", ALL_ALIKE),
    ("restrictions.rs", "uphold_overdue", ALL_ALIKE),
    ("retention.rs", "delete_disclosures", ALL_ALIKE),
    ("retention.rs", "delete_holds", ALL_ALIKE),
    ("retention.rs", "delete_proofs", ALL_ALIKE),
    ("retention.rs", "delete_strikes", ALL_ALIKE),
    ("retention.rs", "delete_tombstones", ALL_ALIKE),
    ("retention.rs", "exports_over", ALL_ALIKE),
    ("retention.rs", "requests_over", ALL_ALIKE),
    ("rights.rs", "unfinished", ALL_ALIKE),
    ("rights.rs", "waiting_tasks", ALL_ALIKE),
    ("schedules.rs", "waited_for", ALL_ALIKE),
    ("seats.rs", "disclosures", HOUSE_BOOKS),
    ("seats.rs", "incidents", HOUSE_BOOKS),
    ("seats.rs", "reviews", HOUSE_BOOKS),
    ("seats.rs", "taken", HOUSE_BOOKS),
    ("sequences.rs", "due_registrations", ALL_ALIKE),
    ("sequences.rs", "give_back_stale", ALL_ALIKE),
    ("sequences.rs", "next_look", ALL_ALIKE),
    ("videos.rs", "stale_uploads", ALL_ALIKE),
    ("webinars.rs", "at_slug", FINDS_WHOSE),
    ("webinars.rs", "free_slug", FINDS_WHOSE),
    ("webinars.rs", "page_at_slug", FINDS_WHOSE),
    ("webinars.rs", "published_at_slug", FINDS_WHOSE),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_dir() && name != "migrations" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "migrations.rs" {
            found.push(path);
        }
    }
}

/// Names of the types a type is made of.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Visit<'_> for Names {
    fn visit_path_segment(&mut self, segment: &syn::PathSegment) {
        self.0.insert(segment.ident.to_string());
        syn::visit::visit_path_segment(self, segment);
    }
}

fn names_in(of: impl FnOnce(&mut Names)) -> BTreeSet<String> {
    let mut names = Names::default();
    of(&mut names);
    names.0
}

/// Functions that take a connection, with the types of their other arguments.
struct Asking {
    file: String,
    function: String,
    types: BTreeSet<String>,
}

fn parsed() -> (Vec<Asking>, BTreeMap<String, BTreeSet<String>>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let (mut asking, mut holds) = (Vec::new(), BTreeMap::<String, BTreeSet<String>>::new());
    for path in files {
        let file = path.strip_prefix(&root).expect("below the root").display().to_string();
        let parsed = syn::parse_file(&std::fs::read_to_string(&path).expect("reads")).expect("parses");
        for item in &parsed.items {
            match item {
                syn::Item::Struct(of) => {
                    let names = names_in(|names| names.visit_fields(&of.fields));
                    holds.entry(of.ident.to_string()).or_default().extend(names);
                }
                syn::Item::Enum(of) => {
                    let names = names_in(|names| of.variants.iter().for_each(|one| names.visit_variant(one)));
                    holds.entry(of.ident.to_string()).or_default().extend(names);
                }
                syn::Item::Fn(of) if matches!(of.vis, syn::Visibility::Public(_)) => {
                    let types = names_in(|names| of.sig.inputs.iter().for_each(|one| names.visit_fn_arg(one)));
                    if types.contains("ConnectionTrait") {
                        asking.push(Asking { file: file.clone(), function: of.sig.ident.to_string(), types });
                    }
                }
                _ => {}
            }
        }
    }
    (asking, holds)
}

/// Whether a type names somebody: an id, a row of an entity, or something that holds one of them.
fn names_somebody(name: &str, holds: &BTreeMap<String, BTreeSet<String>>, depth: u8) -> bool {
    let is_id = name.len() > 2 && name.ends_with("Id");
    let inner = || holds.get(name).is_some_and(|held| held.iter().any(|one| names_somebody(one, holds, depth - 1)));
    is_id || matches!(name, "Model" | "ActiveModel") || (depth > 0 && inner())
}

#[test]
fn whoever_asks_the_database_says_whose_it_is() {
    let (asking, holds) = parsed();
    assert!(asking.len() > 200, "only {} functions were looked at", asking.len());
    let nameless: BTreeSet<(&str, &str)> = asking
        .iter()
        .filter(|one| !one.types.iter().any(|name| names_somebody(name, &holds, 3)))
        .map(|one| (one.file.as_str(), one.function.as_str()))
        .collect();
    let excused: BTreeSet<(&str, &str)> = EXCUSED.iter().map(|(file, function, _)| (*file, *function)).collect();
    let unexplained: Vec<_> = nameless.difference(&excused).collect();
    assert!(unexplained.is_empty(), "these name nobody: {unexplained:#?}");
    let needless: Vec<_> = excused.difference(&nameless).collect();
    assert!(needless.is_empty(), "these need no reason: {needless:#?}");
}
