//! A folder and an environment for the real binary.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A folder in which the binary runs with an environment that holds nothing but what a test puts there.
pub struct Installation {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Installation {
    /// An empty folder, its data folder not made yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data").display().to_string();
        Self { folder, environment: vec![("MW_DATA_DIR".into(), data), ("MW_SITE_DIR".into(), "no-site".into())] }
    }

    /// The same environment, its data in this one's folder.
    pub fn twin(&self) -> Self {
        Self { environment: self.environment.clone(), ..Self::new() }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// What the binary is started with.
    pub fn variables(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder and tells its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mini-webinar"));
        command.args(words).current_dir(self.folder.path()).env_clear().envs(self.environment.iter().cloned());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, words: &[&str]) -> Said {
        self.run_with_input(words, "")
    }

    /// Runs a command that reads from standard input.
    pub fn run_with_input(&self, words: &[&str], input: &str) -> Said {
        let mut command = self.command(words);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        // A command that asks for nothing may be gone before it is told anything.
        child.stdin.take().expect("piped").write_all(input.as_bytes()).ok();
        Said(child.wait_with_output().expect("it ends"))
    }

    /// Starts the server and waits until it says that it serves.
    pub fn serve(self) -> Running {
        let addr = free_addr();
        let installation = self.with("MW_ADDR", addr.to_string());
        let mut command = installation.command(&["serve"]);
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut log = BufReader::new(child.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("serving") {
            line.clear();
            assert!(log.read_line(&mut line).expect("text") > 0, "the server ended before it served");
        }
        // Somebody has to go on reading, or the server would wait for room in the pipe.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Running { installation, addr, child }
    }
}

/// An address nobody listens on.
pub fn free_addr() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// What a command said and how it ended.
pub struct Said(Output);

impl Said {
    pub fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).expect("UTF-8")
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).expect("UTF-8")
    }

    /// Went well; hands back what was printed.
    #[track_caller]
    pub fn succeeded(&self) -> String {
        assert!(self.0.status.success(), "{}: {}", self.0.status, self.stderr());
        self.stdout()
    }

    /// Failed by its own decision, with one line on standard error that holds every part; hands the line back.
    #[track_caller]
    pub fn failed_with(&self, parts: &[&str]) -> String {
        let said = self.stderr();
        assert_eq!(self.0.status.code(), Some(1), "{said}{}", self.stdout());
        assert_eq!(said.trim_end().lines().count(), 1, "more than one line, or none: {said}");
        assert!(said.starts_with("mini-webinar: ") && !said.contains("panicked"), "{said}");
        for part in parts {
            assert!(said.contains(part), "“{part}” is not in: {said}");
        }
        said
    }
}

/// A running server; killed when the test forgets it.
pub struct Running {
    pub installation: Installation,
    pub addr: SocketAddr,
    child: Child,
}

impl Running {
    /// An address on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Most memory it ever held, in MiB.
    pub fn peak_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok()).expect("a number") / 1024.0
    }

    /// Ends it without a word, as a power cut does.
    pub fn kill(mut self) -> Installation {
        self.child.kill().expect("is there");
        self.child.wait().expect("it ends");
        std::mem::replace(&mut self.installation, Installation::new())
    }

    /// Asks it to stop as a service manager does, and tells whether it ended well.
    pub fn stop(mut self) -> bool {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(told.success());
        self.child.wait().expect("it ends").success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Permission bits of a file.
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).expect("there").permissions().mode() & 0o777
}

/// A client that follows nothing and unpacks nothing.
pub fn client() -> reqwest::Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}
