//! One test body, both databases, each fresh: a test that passes on one alone proves half of what it says.

use std::future::Future;

use domain::ids::JobId;
use persistence::Database;
use persistence::keyring::Keyring;
use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use url::Url;

/// Any key does; the same one lets a test open a second keyring on the same file.
const KEY_ENCRYPTION_KEY: [u8; 32] = [7; 32];
/// Longest part of a test's name in a database's name: PostgreSQL cuts names after 63 bytes.
const NAME_CHARS: usize = 20;

/// Which database a test body got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file of its own.
    Sqlite,
    /// A database of its own on the server of `TEST_DATABASE_URL`.
    Postgres,
}

/// A business database and a keyring that nobody else uses; both are gone when the test body ends.
#[derive(Clone)]
pub struct TestDatabase {
    /// The business database.
    pub database: Database,
    /// The keyring, in a database of its own as in production.
    pub keyring: Keyring,
    /// Which of the two this is.
    pub kind: Kind,
    /// Where the business database is, for a second connection to it.
    pub url: String,
    /// Where the keyring is.
    pub keyring_url: String,
}

impl TestDatabase {
    /// A second server process on the same business database, as far as the database can tell.
    ///
    /// # Panics
    /// When the database cannot be reached.
    pub async fn another_connection(&self) -> Database {
        Database::connect(&self.url).await.expect("the same database opens again")
    }
}

/// Ends of the names of the databases that [`TestDatabase::beside`] makes on a server.
const BESIDE: [&str; 2] = ["_r", "_rk"];

impl TestDatabase {
    /// Places for another business database and another keyring of the same kind: nothing is there yet. They go with
    /// this one. At the second call they are emptied.
    ///
    /// # Panics
    /// When they cannot be made.
    pub async fn beside(&self) -> [String; 2] {
        match self.kind {
            Kind::Sqlite => ["restored-business", "restored-keyring"].map(|name| {
                let (folder, _) = self.url.rsplit_once('/').expect("a path");
                let path = format!("{}/{name}.db", folder.trim_start_matches("sqlite://"));
                for beside in ["", "-wal", "-shm"] {
                    std::fs::remove_file(format!("{path}{beside}")).ok();
                }
                format!("sqlite://{path}?mode=rwc")
            }),
            Kind::Postgres => {
                let admin = sea_orm::Database::connect(&self.url).await.expect("the test's own database answers");
                let own = Url::parse(&self.url).expect("a URL").path().trim_start_matches('/').to_owned();
                let names = BESIDE.map(|end| format!("{own}{end}"));
                for name in &names {
                    for statement in [
                        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                        format!("CREATE DATABASE {name} TEMPLATE template0"),
                    ] {
                        admin.execute_unprepared(&statement).await.expect("a database beside the test's own");
                    }
                }
                admin.close().await.expect("the connection closes");
                names.map(|name| at(&self.url, &name))
            }
        }
    }

    /// What lies at such places now, as a test database.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open_beside(&self, [url, keyring_url]: [String; 2]) -> Self {
        let database = Database::connect(&url).await.expect("the database beside opens");
        let keyring = Keyring::connect(&keyring_url, KEY_ENCRYPTION_KEY).await.expect("the keyring beside opens");
        Self { database, keyring, kind: self.kind, url, keyring_url }
    }
}

/// Runs a test body on a fresh, migrated SQLite and on a fresh, migrated PostgreSQL.
///
/// Without `TEST_DATABASE_URL` the PostgreSQL half is skipped and says so.
///
/// # Panics
/// When the body does, when a database cannot be made, or when `MW_REQUIRE_POSTGRES` is set without
/// `TEST_DATABASE_URL`.
pub async fn each_database<F, Fut>(name: &str, test: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    run_on_each(name, true, test).await;
}

/// Like [`each_database`], before any migration.
///
/// # Panics
/// As [`each_database`] does.
pub async fn each_empty_database<F, Fut>(name: &str, test: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    run_on_each(name, false, test).await;
}

async fn run_on_each<F, Fut>(name: &str, migrated: bool, test: F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    on_sqlite(migrated, &test).await;
    match environment("TEST_DATABASE_URL") {
        Some(server) => on_postgres(&server, name, migrated, &test).await,
        None if environment("MW_REQUIRE_POSTGRES").is_some() => {
            panic!("{name}: MW_REQUIRE_POSTGRES is set, and TEST_DATABASE_URL is not");
        }
        None => println!("{name}: PostgreSQL skipped, TEST_DATABASE_URL is not set"),
    }
}

async fn on_sqlite<F, Fut>(migrated: bool, test: &F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let folder = TempDir::new().expect("a temporary folder");
    let url = |file: &str| format!("sqlite://{}/{file}.db?mode=rwc", folder.path().display());
    run(Kind::Sqlite, url("business"), url("keyring"), migrated, test)
        .await
        .unwrap_or_else(|panic| rethrow(Kind::Sqlite, panic));
}

async fn on_postgres<F, Fut>(server: &str, name: &str, migrated: bool, test: &F)
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let admin = sea_orm::Database::connect(server).await.expect("the PostgreSQL of TEST_DATABASE_URL answers");
    let business = unique_name(name);
    let keyring = format!("{business}_k");
    for database in [&business, &keyring] {
        // Sessions on template1 would make CREATE DATABASE fail; template0 refuses them.
        let statement = format!("CREATE DATABASE {database} TEMPLATE template0");
        admin.execute_unprepared(&statement).await.expect("a database of this test's own");
    }
    let ended = run(Kind::Postgres, at(server, &business), at(server, &keyring), migrated, test).await;
    for database in [&business, &keyring] {
        // FORCE: a body that panicked left its connections open.
        let statement = format!("DROP DATABASE {database} WITH (FORCE)");
        admin.execute_unprepared(&statement).await.expect("the test's own database goes");
    }
    for end in BESIDE {
        let statement = format!("DROP DATABASE IF EXISTS {business}{end} WITH (FORCE)");
        admin.execute_unprepared(&statement).await.expect("what was made beside it goes");
    }
    admin.close().await.expect("the connection closes");
    ended.unwrap_or_else(|panic| rethrow(Kind::Postgres, panic));
}

/// Runs the body in a task of its own: when it panics, its databases still get cleaned up.
async fn run<F, Fut>(
    kind: Kind,
    url: String,
    keyring_url: String,
    migrated: bool,
    test: &F,
) -> Result<(), tokio::task::JoinError>
where
    F: Fn(TestDatabase) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let database = Database::connect(&url).await.expect("the fresh database opens");
    if migrated {
        persistence::migrate(&database).await.expect("the fresh database migrates");
    }
    let keyring = Keyring::connect(&keyring_url, KEY_ENCRYPTION_KEY).await.expect("the fresh keyring opens");
    let own = TestDatabase { database: database.clone(), keyring: keyring.clone(), kind, url, keyring_url };
    let ended = tokio::spawn(test(own)).await;
    database.close().await;
    keyring.close().await;
    ended
}

fn rethrow(kind: Kind, ended: tokio::task::JoinError) {
    println!("the failure was on {kind:?}");
    std::panic::resume_unwind(ended.into_panic());
}

/// Also sorts by time, so that what a killed run left behind can be told from what is in use.
fn unique_name(name: &str) -> String {
    let readable: String = name.chars().filter(char::is_ascii_alphanumeric).take(NAME_CHARS).collect();
    let unique: String = JobId::new().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("mw_{}_{unique}", readable.to_ascii_lowercase())
}

fn at(server: &str, database: &str) -> String {
    let mut url = Url::parse(server).expect("TEST_DATABASE_URL is a URL");
    url.set_path(database);
    url.into()
}

#[expect(clippy::disallowed_methods, reason = "tests are told by the environment which servers they may use")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_survive_postgres() {
        let one = unique_name("Two Workers; DROP TABLE \"coach\"");
        assert!(one.starts_with("mw_twoworkersdroptablec_"), "{one}");
        assert!(one.len() + "_k".len() <= 63, "{one}");
        assert_ne!(one, unique_name("Two Workers; DROP TABLE \"coach\""));
    }

    #[test]
    fn another_database_keeps_the_server_and_its_options() {
        let url = at("postgres://me@127.0.0.1:5544/mmw_test?sslmode=disable", "other");
        assert_eq!(url, "postgres://me@127.0.0.1:5544/other?sslmode=disable");
    }

    #[tokio::test]
    async fn a_body_gets_a_migrated_database_and_an_empty_one_when_asked() {
        each_database("migrated", |test| async move {
            let rows = test.database.reader().execute_unprepared("SELECT 1 FROM coach").await;
            assert!(rows.is_ok(), "{:?} was not migrated: {rows:?}", test.kind);
        })
        .await;
        each_empty_database("empty", |test| async move {
            let rows = test.database.reader().execute_unprepared("SELECT 1 FROM coach").await;
            assert!(rows.is_err(), "{:?} has tables before any migration", test.kind);
        })
        .await;
    }

    #[tokio::test]
    #[should_panic(expected = "seen outside")]
    async fn a_panic_of_the_body_is_the_tests_panic() {
        each_database("panics", |_| async { panic!("seen outside") }).await;
    }
}
