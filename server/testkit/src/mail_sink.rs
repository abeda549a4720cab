//! A mail server that takes everything, for tests and measurements of many mails.

use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(300);

/// Postfix's sink: takes every mail and writes each into a file.
pub struct MailSink {
    child: Child,
    folder: tempfile::TempDir,
    /// Where it takes mail, as `MW_SMTP_URL` wants it.
    pub url: String,
}

impl MailSink {
    /// Starts one; nothing where `TEST_SMTP_SINK` names none, because Postfix could not be had.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("TEST_SMTP_SINK") else {
            eprintln!("skipped: TEST_SMTP_SINK names no smtp-sink");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let addr = free.expect("a free port");
        // As root it insists on becoming somebody else, who has to be able to write here.
        let is_root = std::fs::metadata("/proc/self").expect("Linux").uid() == 0;
        let whom: &[&str] = if is_root { &["-u", "nobody"] } else { &[] };
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).expect("may be written to");
        let mut child = Command::new(program)
            .args(whom)
            .args(["-d", "mail.", "-h", "sink.example", &addr.to_string(), "256"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the sink starts");
        let since = Instant::now();
        while TcpStream::connect(addr).is_err() {
            assert!(child.try_wait().expect("is asked").is_none(), "the sink ended");
            assert!(since.elapsed() < PATIENCE, "the sink does not listen");
            std::thread::yield_now();
        }
        Some(Self { child, folder, url: format!("smtp://{addr}") })
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let entries = std::fs::read_dir(self.folder.path()).expect("reads").filter_map(Result::ok);
        entries.map(|entry| entry.path()).filter(|path| path.is_file())
    }

    /// Waits until so many mails have come.
    ///
    /// # Panics
    /// When they do not come within five minutes.
    pub async fn has(&self, mails: usize) {
        let since = Instant::now();
        while self.files().count() < mails {
            assert!(since.elapsed() < PATIENCE, "only {} mails came", self.files().count());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// When each mail was there, by its Message-ID.
    ///
    /// # Panics
    /// When its folder cannot be read.
    #[must_use]
    pub fn arrivals(&self) -> HashMap<String, SystemTime> {
        let arrival = |path: PathBuf| {
            let text = std::fs::read_to_string(&path).expect("reads");
            let id = text.lines().find_map(|line| line.strip_prefix("Message-ID:"))?.trim().to_owned();
            Some((id, path.metadata().and_then(|file| file.modified()).expect("a time")))
        };
        self.files().filter_map(arrival).collect()
    }

    /// How often each mail came, by its Message-ID; and how often each person was written to.
    ///
    /// # Panics
    /// When its folder cannot be read.
    #[must_use]
    pub fn came(&self) -> (HashMap<String, usize>, HashMap<String, usize>) {
        let (mut mails, mut people) = (HashMap::new(), HashMap::new());
        for path in self.files() {
            let text = std::fs::read_to_string(path).expect("reads");
            let header = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name));
                line.map(|value| value.trim().to_owned())
            };
            // A connection cut off in the middle leaves a mail without its end, which a mail server throws away.
            if let (Some(id), Some(to)) = (header("Message-ID:"), header("To:")) {
                *mails.entry(id).or_default() += 1;
                *people.entry(to).or_default() += 1;
            }
        }
        (mails, people)
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
