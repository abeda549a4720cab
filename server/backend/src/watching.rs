//! Beats: what a viewer's browser reports of playing, made durable before it is acknowledged.
//!
//! Who: a viewer's page, every ten seconds of play. How it travels: `/api/beats` → [`Backend::beat`] → one queue →
//! one writer that takes everything waiting, believes what [`domain::watching::credit`] believes, and commits it in
//! one transaction. Ten thousand viewers cost a handful of commits a second, and an answer means "on disk".

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::ids::{RegistrationId, StatusChangeId, VideoId, ViewId};
use domain::watching::{Attendance, BEATS_PER_MINUTE, Beat, BeatFlaw, Thresholds, WatchMap, Watched, credit, outcome};
use domain::{Moment, Refusal, RefusalKind};
use futures::FutureExt;
use persistence::Database;
use persistence::beats::{self, BeatRow, MapRow, RegistrationProgress, ViewContext};
use tokio::sync::{mpsc, oneshot};

use crate::{Backend, Error, Result};

/// Beats waiting for the writer. Beyond this the server says "later" instead of growing.
const QUEUE: usize = 8_192;
/// Beats of one transaction: bounds how long the writer holds the database.
const BATCH: usize = 1_024;
/// From so many on, a batch is written at once.
const WORTH_A_COMMIT: usize = 32;
/// How long fewer wait for more: a commit costs as much as dozens of beats, and no viewer sees the difference.
const GATHER: Duration = Duration::from_millis(30);
const PER_MINUTE: i64 = BEATS_PER_MINUTE as i64;

/// What became of a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeatAnswer {
    /// Credited and on disk; or a repeat of one that was; or dropped on purpose because the person asked for
    /// restriction, which must look no different.
    Durable,
    /// No room was opened under this id.
    Unknown,
    /// The link it belongs to has expired.
    Over,
    /// Not believed.
    Flawed(BeatFlaw),
}

struct Pending {
    beat: Beat,
    at: Moment,
    answer: oneshot::Sender<Result<BeatAnswer, Arc<persistence::Error>>>,
}

/// The queue in front of the database.
pub(crate) struct BeatWriter {
    queue: Mutex<Option<mpsc::Sender<Pending>>>,
    task: tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
    arrivals: Mutex<HashMap<ViewId, i64>>,
}

impl BeatWriter {
    pub(crate) fn start(database: Database) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let task = tokio::spawn(write_batches(database, receiver));
        Self { queue: Mutex::new(Some(sender)), task: tokio::sync::Mutex::new(Some(task)), arrivals: Mutex::default() }
    }

    /// Takes no more beats and waits for those taken.
    pub(crate) async fn close(&self) {
        self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(task) = self.task.lock().await.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the beat writer did not end well");
        }
    }

    fn sender(&self) -> Option<mpsc::Sender<Pending>> {
        self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The limit per viewer, held in memory: it protects the writer, the clamp protects the numbers.
    fn admit(&self, view: ViewId, now: Moment) -> Result<(), Refusal> {
        let spacing = 60_000_000 / PER_MINUTE;
        let mut arrivals = self.arrivals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if arrivals.len() > 50_000 {
            arrivals.retain(|_, due| *due > now.0);
        }
        let due = arrivals.entry(view).or_insert(now.0);
        let next = (*due).max(now.0) + spacing;
        if next - now.0 > spacing * PER_MINUTE {
            let wait = (next - now.0 - spacing * PER_MINUTE).div_euclid(1_000_000) + 1;
            return Err(Refusal::too_often(u32::try_from(wait).unwrap_or(60)));
        }
        *due = next;
        Ok(())
    }
}

impl Backend {
    /// Takes one beat and answers when it is durable.
    ///
    /// # Errors
    /// Refuses floods; faults when the database cannot keep it, and then nothing was credited.
    pub async fn beat(&self, beat: Beat) -> Result<BeatAnswer> {
        let now = self.now();
        self.beats().admit(beat.view, now)?;
        let busy = || {
            Error::Refused(Refusal {
                retry_after_seconds: Some(5),
                ..Refusal::new(RefusalKind::TooOften, "Busy for a moment; please send it again.")
            })
        };
        let sender = self.beats().sender().ok_or_else(busy)?;
        let (answer, answered) = oneshot::channel();
        sender.try_send(Pending { beat, at: now, answer }).map_err(|_| busy())?;
        match answered.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Error::fault("keep a beat", error)),
            Err(_) => Err(busy()),
        }
    }
}

fn panicked() -> persistence::Error {
    let source = sea_orm::DbErr::Custom("the writer panicked".to_owned());
    persistence::Error::Db { operation: "write a batch of beats", source }
}

async fn write_batches(database: Database, mut queue: mpsc::Receiver<Pending>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        let until = tokio::time::Instant::now() + GATHER;
        while batch.len() < WORTH_A_COMMIT {
            let room = BATCH - batch.len();
            match tokio::time::timeout_at(until, queue.recv_many(&mut batch, room)).await {
                Ok(arrived) if arrived > 0 => {}
                // Time is up, or nobody will send any more.
                _ => break,
            }
        }
        // A batch that breaks must not take the writer with it.
        let written = AssertUnwindSafe(write_batch(&database, &batch)).catch_unwind().await;
        let answers = written.unwrap_or_else(|_panic| Err(panicked()));
        match answers {
            Ok(answers) => {
                for (pending, answer) in batch.drain(..).zip(answers) {
                    // A browser that has gone away needs no answer.
                    let _gone = pending.answer.send(Ok(answer));
                }
            }
            Err(error) => {
                tracing::error!(
                    error = crate::error::chain(&error),
                    beats = batch.len(),
                    "a batch of beats was not kept"
                );
                let error = Arc::new(error);
                for pending in batch.drain(..) {
                    let _gone = pending.answer.send(Err(error.clone()));
                }
            }
        }
    }
}

/// What a batch does to one registration's watching of one recording.
struct Change {
    map: WatchMap,
    total_ms: i64,
    hidden_ms: i64,
    furthest_ms: i64,
    last_position_ms: i64,
    last_credit_at: Moment,
}

async fn write_batch(database: &Database, batch: &[Pending]) -> Result<Vec<BeatAnswer>, persistence::Error> {
    let transaction = database.begin().await?;
    let views: Vec<ViewId> = batch.iter().map(|p| p.beat.view).collect();
    let mut contexts = beats::view_contexts(&transaction, &views).await?;
    let known = beats::known_beats(&transaction, batch.iter().map(|p| (p.beat.view, p.beat.seq))).await?;
    let mut maps = beats::maps(&transaction, contexts.values()).await?;

    let mut seen = known;
    let mut rows = Vec::new();
    let mut changes: BTreeMap<(RegistrationId, VideoId), Change> = BTreeMap::new();
    let mut touched: BTreeMap<ViewId, Moment> = BTreeMap::new();
    let mut proven: BTreeMap<RegistrationId, Moment> = BTreeMap::new();
    let mut answers = Vec::with_capacity(batch.len());
    for pending in batch {
        let beat = &pending.beat;
        let Some(context) = contexts.get_mut(&beat.view) else {
            answers.push(BeatAnswer::Unknown);
            continue;
        };
        if seen.contains(&(beat.view, beat.seq)) {
            answers.push(BeatAnswer::Durable);
            continue;
        }
        if context.is_served && !context.may_be_measured {
            // A total over everybody, so that a silence in the numbers can be explained.
            metrics::counter!("beats_not_kept_total").increment(1);
            answers.push(BeatAnswer::Durable);
            continue;
        }
        if !context.is_served || context.expires_at <= pending.at {
            answers.push(BeatAnswer::Over);
            continue;
        }
        let duration = context.duration_ms as f64 / 1000.0;
        let since = pending.at.seconds_since(context.last_beat_at.unwrap_or(context.opened_at));
        let range = match credit(beat, duration, since) {
            Ok(range) => range,
            Err(flaw) => {
                answers.push(BeatAnswer::Flawed(flaw));
                continue;
            }
        };
        seen.insert((beat.view, beat.seq));
        context.last_beat_at = Some(pending.at);
        touched.insert(beat.view, pending.at);
        if context.proves {
            proven.entry(context.registration).or_insert(pending.at);
        }
        let key = (context.registration, context.video);
        let change = changes.entry(key).or_insert_with(|| stored_change(maps.remove(&key), duration, pending.at));
        let played_ms = millis(range.to) - millis(range.from);
        change.map.mark(range);
        change.total_ms += played_ms;
        change.hidden_ms += if beat.hidden { played_ms } else { 0 };
        change.furthest_ms = change.furthest_ms.max(millis(range.to));
        change.last_position_ms = millis(range.to);
        change.last_credit_at = pending.at;
        rows.push(BeatRow::new(beat, range, pending.at));
        answers.push(BeatAnswer::Durable);
    }
    if !rows.is_empty() {
        beats::insert_beats(&transaction, rows).await?;
        beats::touch_views(&transaction, &touched).await?;
        beats::prove(&transaction, &proven).await?;
        let by_registration: HashMap<_, _> =
            contexts.values().map(|c| ((c.registration, c.video), c.clone())).collect();
        let (mut maps, mut progress) = (Vec::new(), BTreeMap::<RegistrationId, RegistrationProgress>::new());
        for (key, change) in changes {
            if let Some(context) = by_registration.get(&key) {
                let (map, of_registration) = outcome_of(context, &change);
                maps.push((map, change.last_credit_at));
                if context.outcome != of_registration.outcome {
                    let (from, to, at) = (context.outcome, of_registration.outcome, change.last_credit_at);
                    let id = StatusChangeId::new();
                    beats::log_status(&transaction, id, context.registration, from, to, at, "watched").await?;
                }
                // Two recordings in one batch: the row speaks of the one played last.
                let is_last =
                    progress.get(&context.registration).is_none_or(|known| known.credited_at <= change.last_credit_at);
                if is_last {
                    progress.insert(context.registration, of_registration);
                }
            }
        }
        beats::put_maps(&transaction, maps).await?;
        beats::put_progress(&transaction, progress.into_values().collect()).await?;
    }
    transaction.commit().await?;
    Ok(answers)
}

fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

fn stored_change(row: Option<MapRow>, duration: f64, now: Moment) -> Change {
    match row {
        Some(row) => Change {
            map: WatchMap::from_stored(duration, &row.seen, &row.again),
            total_ms: row.total_ms,
            hidden_ms: row.hidden_ms,
            furthest_ms: row.furthest_ms,
            last_position_ms: row.last_position_ms,
            last_credit_at: now,
        },
        None => Change {
            map: WatchMap::empty(duration),
            total_ms: 0,
            hidden_ms: 0,
            furthest_ms: 0,
            last_position_ms: 0,
            last_credit_at: now,
        },
    }
}

/// What a change means: the map as stored, and what the registration's row says from now on.
fn outcome_of(context: &ViewContext, change: &Change) -> (MapRow, RegistrationProgress) {
    let (seen, again) = change.map.stored();
    let row = MapRow {
        registration: context.registration,
        video: context.video,
        seen: seen.to_vec(),
        again: again.to_vec(),
        total_ms: change.total_ms,
        hidden_ms: change.hidden_ms,
        furthest_ms: change.furthest_ms,
        last_position_ms: change.last_position_ms,
    };
    let duration = context.duration_ms as f64 / 1000.0;
    let thresholds = Thresholds { end_percent: context.end_percent, floor_seconds: context.floor_seconds };
    let unique_seconds = change.map.unique_seconds();
    let watched = Watched { unique_seconds, last_credit_at: Some(change.last_credit_at), finalised: context.finalised };
    let progress = RegistrationProgress {
        registration: context.registration,
        video: context.video,
        outcome: raised(context.outcome, outcome(&watched, duration, thresholds)),
        unique_seconds: i32::try_from(unique_seconds).unwrap_or(i32::MAX),
        percent_milli: (change.map.percent() * 1000.0).round() as i32,
        total_ms: change.total_ms,
        hidden_ms: change.hidden_ms,
        furthest_ms: change.furthest_ms,
        credited_at: change.last_credit_at,
        // The link of an on-demand registration runs from the first real play (product.md §4.1).
        expires_at: (context.first_played_at.is_none() && !context.has_set_time)
            .then(|| change.last_credit_at.plus_days(i64::from(context.link_days))),
    };
    (row, progress)
}

/// Later watching may raise an outcome, never lower it (product.md §4.4): a new recording does not undo an old one.
fn raised(from: Attendance, to: Attendance) -> Attendance {
    let rank = |status| match status {
        Attendance::Registered | Attendance::Watching => 0,
        Attendance::Missed => 1,
        Attendance::LeftEarly => 2,
        Attendance::AttendedToEnd => 3,
    };
    if rank(to) >= rank(from) { to } else { from }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_only_ever_raised() {
        use Attendance::{AttendedToEnd, LeftEarly, Missed, Registered};
        assert_eq!(raised(Registered, LeftEarly), LeftEarly);
        assert_eq!(raised(Missed, LeftEarly), LeftEarly);
        assert_eq!(raised(LeftEarly, AttendedToEnd), AttendedToEnd);
        assert_eq!(raised(AttendedToEnd, LeftEarly), AttendedToEnd);
        assert_eq!(raised(Missed, Registered), Missed);
    }
}
