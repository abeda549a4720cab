//! Every way into the server, found out and not written down: a route nobody thought of is in this list.
//!
//! Pages come from the application's own list, server functions from their registry, plain routes from the sources;
//! which methods a path knows, the router itself says when it is asked with one it does not know.

use std::collections::BTreeSet;
use std::path::Path;

use axum::http::{Method, StatusCode};

use server::site::Site;

use super::{World, site_folder};

/// Where a route comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A page of the studio.
    Page,
    /// A server function.
    Function,
    /// Any other.
    Plain,
}

/// One way into the server.
#[derive(Clone, Debug)]
pub struct Route {
    /// Where it comes from.
    pub kind: Kind,
    /// Path with `{names}`.
    pub path: String,
    /// Method.
    pub method: Method,
}

impl Route {
    /// Whether a browser may be led here without being asked.
    pub fn only_reads(&self) -> bool {
        [Method::GET, Method::HEAD, Method::OPTIONS].contains(&self.method)
    }

    /// For messages.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A path with every `{name}` replaced.
pub fn filled(path: &str, value: impl Fn(&str) -> String) -> String {
    let segment = |segment: &str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => value(name),
        None => segment.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// Every route of a server with the dev routes.
pub async fn every_route(world: &World) -> Vec<Route> {
    let pages = leptos_axum::generate_route_list(app::app::App);
    let pages = pages.iter().map(|page| (Kind::Page, page.path().to_owned()));
    let functions = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| (Kind::Function, path.to_owned()));
    let plain = plain_paths().into_iter().chain(site_paths()).map(|path| (Kind::Plain, path));
    let paths: BTreeSet<_> = pages.chain(functions).chain(plain).collect();
    let mut routes = Vec::new();
    for (kind, path) in paths {
        for method in methods(world, &path).await {
            routes.push(Route { kind, path: path.clone(), method });
        }
    }
    let found = |kind| routes.iter().any(|route| route.kind == kind);
    assert!(found(Kind::Page) && found(Kind::Function) && found(Kind::Plain), "a whole kind of routes is missing");
    routes
}

/// The methods a path knows. A server that is asked for something else has to name them (RFC 9110 §15.5.6).
async fn methods(world: &World, path: &str) -> Vec<Method> {
    let strange = Method::from_bytes(b"BREW").expect("a method");
    let answer = world.ask(strange, &filled(path, |_| "0".to_owned())).send().await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "BREW {path}: {}", answer.text());
    let allowed = answer.header("allow");
    let methods: Vec<Method> = allowed.split(',').map(|name| name.trim().parse().expect("a method")).collect();
    assert!(!methods.is_empty(), "{path} names no method");
    methods
}

/// Paths of plain routes as the sources write them down.
fn plain_paths() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut computed = 0;
    for file in sources(&testkit::package_folder().join("src")) {
        let text = std::fs::read_to_string(&file).expect("a source");
        for call in [".route(", ".route_service(", ".nest(", ".nest_service("] {
            for rest in text.split(call).skip(1) {
                match rest.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"')) {
                    Some((path, _)) => drop(found.insert(path.to_owned())),
                    None => computed += 1,
                }
            }
        }
    }
    // The pages and the files of the site, which are listed elsewhere. One more would be a route not seen here.
    assert_eq!(computed, 2, "a route's path is computed: write it down, so that it can be found");
    found
}

/// Files of the site that have a route of their own.
fn site_paths() -> BTreeSet<String> {
    let site = Site::read(&site_folder()).expect("the site can be read");
    let own = |path: &&str| !path.starts_with("/pkg/") && !path.starts_with("/fonts/");
    site.paths().filter(own).map(str::to_owned).collect()
}

/// Every source below a folder.
pub fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of sources");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
