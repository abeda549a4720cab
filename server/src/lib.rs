//! The web server: configuration, routes, layers, accept loop and commands around the engine.

pub mod assets;
pub mod cli;
pub mod config;
pub mod kept_pages;
pub mod layers;
pub mod router;
pub mod routes;
pub mod serve;
pub mod site;
pub mod state;
