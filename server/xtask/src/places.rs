//! Where things are: the workspace, cargo's target folder and the site made from them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;

/// Every folder the commands work in.
pub struct Places {
    /// The workspace.
    pub root: PathBuf,
    /// Cargo's target folder; often outside the clone.
    pub target: PathBuf,
    /// What the server serves.
    pub site: PathBuf,
}

impl Places {
    /// Finds the workspace and the target folder in force.
    pub fn find() -> Outcome<Self> {
        // `cargo run` names the clone it runs in; several may share a target folder, and with it this very binary.
        let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root =
            Path::new(&package).ancestors().nth(2).ok_or("the workspace is not two folders above xtask")?.to_owned();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let target = if target.is_absolute() { target } else { root.join(target) };
        let site = target.join("site");
        Ok(Self { root, target, site })
    }

    /// Hashed files, served for ever.
    pub fn pkg(&self) -> PathBuf {
        self.site.join("pkg")
    }

    /// A `cargo` call in the workspace.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        // Set by the outer `cargo run` for this binary alone; inherited, they would rebuild everything.
        for name in [
            "CARGO_MANIFEST_DIR",
            "CARGO_MANIFEST_PATH",
            "CARGO_PKG_NAME",
            "CARGO_PKG_VERSION",
            "RUSTUP_TOOLCHAIN_SOURCE",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// wasm-opt of the pinned npm package, when it is installed.
    pub fn wasm_opt(&self) -> Option<PathBuf> {
        let path = self.root.join("end2end/node_modules/.bin/wasm-opt");
        path.exists().then_some(path)
    }
}

/// Runs a command and fails with its name when it does.
pub fn run(command: &mut Command) -> Outcome<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().map_err(|error| format!("cannot start {name}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} failed ({status})").into()) }
}

/// Runs a command and hands back what it printed.
pub fn capture(command: &mut Command) -> Outcome<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("cannot start {name}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)?)
    } else {
        Err(format!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim()).into())
    }
}
