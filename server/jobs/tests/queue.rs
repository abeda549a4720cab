//! The queue's promises, on both databases.

use std::collections::HashMap;
use std::sync::Arc;

use domain::Moment;
use domain::ids::JobId;
use jobs::{Claim, Job, Kinds, NewJob};
use testkit::{TestDatabase, each_database};
use tokio::sync::Barrier;

const NOW: Moment = Moment::from_unix_seconds(1_795_000_000);
const LEASE_SECONDS: i64 = 60;
/// No wait between attempts is longer (jobs::LONGEST_WAIT_SECONDS).
const LONGEST_WAIT_SECONDS: i64 = 3_600;

fn job(kind: &str) -> NewJob<'_> {
    NewJob { kind, payload: serde_json::json!({ "row": "1" }), run_at: NOW, idempotency_key: None, max_attempts: 3 }
}

fn keyed<'a>(kind: &'a str, key: &str) -> NewJob<'a> {
    NewJob { idempotency_key: Some(key.to_owned()), ..job(kind) }
}

fn wanted(owner: &str, limit: u64) -> Claim<'_> {
    Claim { owner, lease_seconds: LEASE_SECONDS, limit, kinds: Kinds::All, alive: &[] }
}

/// The queue as a server uses it: every step a transaction of its own.
struct Queue(TestDatabase);

impl Queue {
    async fn enqueue(&self, job: NewJob<'_>) {
        let transaction = self.0.database.begin().await.expect("begins");
        jobs::enqueue(&transaction, job, NOW).await.expect("is written");
        transaction.commit().await.expect("commits");
    }

    async fn claim(&self, owner: &str, now: Moment, limit: u64) -> Vec<Job> {
        self.take(&wanted(owner, limit), now).await
    }

    async fn take(&self, claim: &Claim<'_>, now: Moment) -> Vec<Job> {
        let transaction = self.0.database.begin().await.expect("begins");
        let taken = jobs::claim(&transaction, claim, now).await.expect("claims");
        transaction.commit().await.expect("commits");
        taken
    }

    async fn retry(&self, id: JobId, owner: &str, error: &str, now: Moment) {
        let transaction = self.0.database.begin().await.expect("begins");
        jobs::retry(&transaction, id, owner, error, now).await.expect("is given back");
        transaction.commit().await.expect("commits");
    }

    async fn complete(&self, id: JobId, owner: &str, now: Moment) {
        let transaction = self.0.database.begin().await.expect("begins");
        jobs::complete(&transaction, id, owner, now).await.expect("is done");
        transaction.commit().await.expect("commits");
    }

    async fn unpark(&self, id: JobId, now: Moment) -> bool {
        let transaction = self.0.database.begin().await.expect("begins");
        let found = jobs::unpark(&transaction, id, now).await.expect("is asked");
        transaction.commit().await.expect("commits");
        found
    }

    async fn prune(&self, before: Moment) -> u64 {
        let transaction = self.0.database.begin().await.expect("begins");
        let removed = jobs::prune(&transaction, before).await.expect("prunes");
        transaction.commit().await.expect("commits");
        removed
    }

    async fn list(&self, state: &str) -> Vec<Job> {
        jobs::list(self.0.database.reader(), state).await.expect("lists")
    }

    async fn next_run_at(&self) -> Option<Moment> {
        jobs::next_run_at(self.0.database.reader()).await.expect("answers")
    }
}

#[tokio::test]
async fn a_job_shares_the_fate_of_its_transaction() {
    each_database("rolled back", |test| async move {
        let queue = Queue(test);
        let transaction = queue.0.database.begin().await.expect("begins");
        jobs::enqueue(&transaction, keyed("send", "send:1"), NOW).await.expect("is written");
        transaction.rollback().await.expect("rolls back");
        assert!(queue.list("ready").await.is_empty());
        assert_eq!(queue.next_run_at().await, None);

        // The key went with it.
        queue.enqueue(keyed("send", "send:1")).await;
        assert_eq!(queue.list("ready").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn one_key_is_one_job_and_no_key_is_none() {
    each_database("one key", |test| async move {
        let queue = Queue(test);
        queue.enqueue(keyed("send", "send:1")).await;
        queue.enqueue(keyed("send again", "send:1")).await;
        let kinds: Vec<String> = queue.list("ready").await.into_iter().map(|job| job.kind).collect();
        assert_eq!(kinds, ["send"]);

        queue.enqueue(keyed("send", "send:2")).await;
        queue.enqueue(job("send")).await;
        queue.enqueue(job("send")).await;
        assert_eq!(queue.list("ready").await.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_key_stays_taken_until_its_finished_job_is_pruned() {
    each_database("key reuse", |test| async move {
        let queue = Queue(test);
        queue.enqueue(keyed("send", "send:1")).await;
        let taken = queue.claim("one", NOW, 8).await;
        queue.complete(taken[0].id, "one", NOW).await;
        queue.enqueue(keyed("send", "send:1")).await;
        assert!(queue.list("ready").await.is_empty(), "a finished job still holds its key");

        assert_eq!(queue.prune(NOW).await, 0, "what ended at the limit stays");
        assert_eq!(queue.prune(NOW.plus_seconds(1)).await, 1);
        queue.enqueue(keyed("send", "send:1")).await;
        assert_eq!(queue.list("ready").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn only_due_jobs_are_taken_oldest_first() {
    each_database("due", |test| async move {
        let queue = Queue(test);
        queue.enqueue(NewJob { run_at: NOW.plus_seconds(1), ..job("later") }).await;
        queue.enqueue(job("now")).await;
        queue.enqueue(NewJob { run_at: NOW.plus_seconds(-1), ..job("earlier") }).await;
        assert_eq!(queue.next_run_at().await, Some(NOW.plus_seconds(-1)));

        let kinds: Vec<String> = queue.claim("one", NOW, 8).await.into_iter().map(|job| job.kind).collect();
        assert_eq!(kinds, ["earlier", "now"]);
        assert_eq!(queue.next_run_at().await, Some(NOW.plus_seconds(1)));
    })
    .await;
}

#[tokio::test]
async fn a_leased_job_is_not_taken_twice() {
    each_database("lease", |test| async move {
        let queue = Queue(test);
        queue.enqueue(job("send")).await;
        let taken = queue.claim("one", NOW, 8).await;
        assert_eq!(taken.len(), 1);
        assert_eq!((taken[0].attempts, taken[0].state.as_str()), (1, "running"));
        assert_eq!(taken[0].payload, serde_json::json!({ "row": "1" }));

        assert!(queue.claim("two", NOW, 8).await.is_empty());
        let last_moment = Moment(NOW.plus_seconds(LEASE_SECONDS).0 - 1);
        assert!(queue.claim("two", last_moment, 8).await.is_empty());
        assert_eq!(queue.next_run_at().await, Some(NOW.plus_seconds(LEASE_SECONDS)));
    })
    .await;
}

#[tokio::test]
async fn the_job_of_a_dead_worker_is_taken_again() {
    each_database("dead worker", |test| async move {
        let queue = Queue(test);
        queue.enqueue(job("send")).await;
        let first = queue.claim("dies", NOW, 8).await;
        let second = queue.claim("lives", NOW.plus_seconds(LEASE_SECONDS), 8).await;
        assert_eq!(second.len(), 1);
        assert_eq!((second[0].id, second[0].attempts), (first[0].id, 2));

        queue.complete(second[0].id, "lives", NOW.plus_seconds(LEASE_SECONDS)).await;
        assert!(queue.claim("lives", NOW.plus_days(1), 8).await.is_empty(), "a finished job does not run again");
        assert_eq!(queue.list("done").await.len(), 1);
        assert_eq!(queue.next_run_at().await, None);
    })
    .await;
}

#[tokio::test]
async fn failures_wait_longer_and_are_parked_at_last() {
    each_database("retry", |test| async move {
        let queue = Queue(test);
        queue.enqueue(job("send")).await;
        let mut now = NOW;
        for attempt in 1..3 {
            let taken = queue.claim("one", now, 8).await;
            assert_eq!(taken[0].attempts, attempt);
            queue.retry(taken[0].id, "one", "the relay is asleep", now).await;

            let waiting = queue.list("ready").await;
            assert_eq!(waiting[0].last_error.as_deref(), Some("the relay is asleep"));
            assert!(waiting[0].run_at > now, "no attempt follows at once");
            assert!(waiting[0].run_at <= now.plus_seconds(LONGEST_WAIT_SECONDS));
            assert!(queue.claim("one", now, 8).await.is_empty());
            now = waiting[0].run_at;
        }
        let last = queue.claim("one", now, 8).await;
        assert_eq!(last[0].attempts, 3);
        queue.retry(last[0].id, "one", &"é".repeat(2_000), now).await;

        let parked = queue.list("parked").await;
        assert_eq!(parked.len(), 1);
        assert_eq!(parked[0].last_error.as_ref().map(|error| error.chars().count()), Some(500));
        assert!(queue.claim("one", now.plus_days(365), 8).await.is_empty(), "a parked job waits for a person");
        assert_eq!(queue.next_run_at().await, None);
        assert_eq!(queue.prune(now.plus_days(365)).await, 0, "a parked job is not pruned");
    })
    .await;
}

#[tokio::test]
async fn a_parked_job_starts_over_when_asked() {
    each_database("unpark", |test| async move {
        let queue = Queue(test);
        queue.enqueue(NewJob { max_attempts: 1, ..job("send") }).await;
        let taken = queue.claim("one", NOW, 8).await;
        let id = taken[0].id;
        assert!(!queue.unpark(id, NOW).await, "a running job is not parked");
        queue.retry(id, "one", "no", NOW).await;
        assert_eq!(queue.list("parked").await.len(), 1);

        let later = NOW.plus_seconds(10);
        assert!(queue.unpark(id, later).await);
        assert!(!queue.unpark(id, later).await, "once is enough");
        assert!(!queue.unpark(JobId::new(), later).await, "nothing has this id");
        let again = queue.claim("one", later, 8).await;
        assert_eq!((again[0].id, again[0].attempts), (id, 1));
    })
    .await;
}

/// Workers of two servers, each with connections of its own, race for more jobs than one claim takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_never_share_a_job() {
    const WORKERS: usize = 8;
    const JOBS: usize = 200;
    each_database("workers", |test| async move {
        let setting_up = Queue(test.clone());
        for _ in 0..JOBS {
            setting_up.enqueue(job("send")).await;
        }
        let servers = [test.clone(), TestDatabase { database: test.another_connection().await, ..test }];
        let start = Arc::new(Barrier::new(WORKERS));
        let workers = (0..WORKERS).map(|number| {
            let queue = Queue(servers[number % servers.len()].clone());
            let start = Arc::clone(&start);
            tokio::spawn(async move {
                let owner = format!("worker {number}");
                let mut taken = Vec::new();
                start.wait().await;
                loop {
                    let some = queue.claim(&owner, NOW, 3).await;
                    if some.is_empty() {
                        return taken;
                    }
                    taken.extend(some.into_iter().map(|job| (job.id, job.attempts)));
                }
            })
        });
        let mut times_taken: HashMap<JobId, usize> = HashMap::new();
        for taken in futures::future::join_all(workers).await {
            for (id, attempts) in taken.expect("the worker ends well") {
                assert_eq!(attempts, 1);
                *times_taken.entry(id).or_default() += 1;
            }
        }
        assert_eq!(times_taken.len(), JOBS);
        assert!(times_taken.values().all(|times| *times == 1), "{times_taken:?}");
        servers[1].database.close().await;
    })
    .await;
}

/// A worker that was taken for dead and comes back has no say any more.
#[tokio::test]
async fn what_somebody_too_late_says_is_not_heard() {
    each_database("too late", |test| async move {
        let queue = Queue(test);
        queue.enqueue(job("send")).await;
        let later = NOW.plus_seconds(LEASE_SECONDS);
        let id = queue.claim("slow", NOW, 8).await[0].id;
        assert_eq!(queue.claim("quick", later, 8).await.len(), 1);
        queue.retry(id, "slow", "I was not finished", later).await;
        queue.complete(id, "slow", later).await;
        assert_eq!(queue.list("running").await.len(), 1);
        queue.complete(id, "quick", later).await;
        assert_eq!(queue.list("done").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_renewed_lease_lasts_and_a_released_job_was_never_tried() {
    each_database("leases", |test| async move {
        let queue = Queue(test);
        queue.enqueue(job("long")).await;
        let id = queue.claim("one", NOW, 8).await[0].id;
        let end = NOW.plus_seconds(LEASE_SECONDS);
        let transaction = queue.0.database.begin().await.expect("begins");
        assert!(!jobs::renew(&transaction, id, "two", end.plus_days(1)).await.expect("asks"), "it is not theirs");
        assert!(jobs::renew(&transaction, id, "one", end.plus_seconds(30)).await.expect("renews"));
        transaction.commit().await.expect("commits");
        assert!(queue.claim("two", end, 8).await.is_empty());
        let transaction = queue.0.database.begin().await.expect("begins");
        jobs::release(&transaction, id, "one").await.expect("gives it back");
        transaction.commit().await.expect("commits");
        assert_eq!(queue.claim("two", NOW, 8).await[0].attempts, 1);
    })
    .await;
}

/// A job that ends every process which takes it must not end them for ever.
#[tokio::test]
async fn a_job_nobody_survives_is_parked() {
    each_database("poison", |test| async move {
        let queue = Queue(test);
        queue.enqueue(job("poison")).await;
        let mut now = NOW;
        for _ in 0..3 {
            assert_eq!(queue.claim("dies", now, 8).await.len(), 1);
            now = now.plus_seconds(LEASE_SECONDS);
        }
        assert!(queue.claim("next", now, 8).await.is_empty());
        let parked = queue.list("parked").await;
        assert_eq!(parked.len(), 1);
        assert!(parked[0].last_error.is_some());
    })
    .await;
}

#[tokio::test]
async fn kinds_have_their_lanes_and_what_is_alive_is_left_alone() {
    each_database("lanes", |test| async move {
        let queue = Queue(test);
        queue.enqueue(job("film")).await;
        queue.enqueue(job("mail")).await;
        let films = Claim { kinds: Kinds::Only(&["film"]), ..wanted("films", 8) };
        let rest = Claim { kinds: Kinds::Except(&["film"]), ..wanted("rest", 8) };
        let film = queue.take(&films, NOW).await;
        let mail = queue.take(&rest, NOW).await;
        assert_eq!((film.len(), film[0].kind.as_str()), (1, "film"));
        assert_eq!((mail.len(), mail[0].kind.as_str()), (1, "mail"));
        let alive = [film[0].id];
        let later = NOW.plus_days(1);
        assert!(queue.take(&Claim { alive: &alive, ..films }, later).await.is_empty());
        assert_eq!(queue.take(&films, later).await.len(), 1);
    })
    .await;
}

/// While one server holds its claim open, PostgreSQL gives another the jobs it did not take instead of making it wait.
#[tokio::test]
async fn postgres_passes_over_what_another_is_taking() {
    each_database("skip locked", |test| async move {
        if test.kind == testkit::Kind::Sqlite {
            return;
        }
        let queue = Queue(test);
        for _ in 0..4 {
            queue.enqueue(job("send")).await;
        }
        let open = queue.0.database.begin().await.expect("begins");
        let held = jobs::claim(&open, &wanted("one", 3), NOW).await.expect("claims");
        let rest = tokio::time::timeout(std::time::Duration::from_secs(10), queue.claim("two", NOW, 8)).await;
        let rest = rest.expect("the second worker does not wait for the first");
        open.commit().await.expect("commits");
        assert_eq!((held.len(), rest.len()), (3, 1));
        assert!(held.iter().all(|job| job.id != rest[0].id));
    })
    .await;
}
