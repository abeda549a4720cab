//! Tests of promises as people meet them, over HTTP; see `backend`'s module of the same name.

mod p02;
mod p03;
mod p04;
mod p09;
mod p10;
mod p11;
mod p12;
mod p13;
mod p14;
mod p15;
mod p16;
mod p19;
mod p20;
mod p33;
mod p34;
mod p35;
mod p39;
mod p41;
mod p43;
mod p50;
mod p53;

use std::io::Write;
use std::sync::{Arc, Mutex};

use privacy::scan::{Depth, Needles, scan};
use tracing::instrument::WithSubscriber;

use crate::world::World;

/// Pages about privacy, and what stands beside them.
pub const PRIVACY_PAGES: [&str; 8] = [
    "/privacy",
    "/privacy/versions",
    "/privacy/data-map",
    "/privacy/records",
    "/privacy/subprocessors",
    "/privacy/promises",
    "/privacy/complain",
    "/privacy/report-child",
];

/// Where these words lie, in any encoding, in any store.
pub async fn traces(world: &World, words: &[&str]) -> Vec<String> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let needles = Needles::new(&words).expect("long enough");
    let report = scan(&world.backend.stores(), &[], Depth::Everything, &needles).await.expect("a scan");
    report
        .places
        .iter()
        .map(|hit| format!("{} in {} {} as {}", words[hit.needle], hit.store, hit.place, hit.encoding))
        .collect()
}

/// Everything logged while something is done, down to the finest level.
pub async fn logged<T>(work: impl Future<Output = T>) -> (T, String) {
    let pages = Pages::default();
    let writer = pages.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let done = work.with_subscriber(subscriber).await;
    let text = String::from_utf8_lossy(&pages.0.lock().expect("nobody panicked while writing")).into_owned();
    (done, text)
}

#[derive(Clone, Default)]
struct Pages(Arc<Mutex<Vec<u8>>>);

impl Write for Pages {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panicked while writing").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
