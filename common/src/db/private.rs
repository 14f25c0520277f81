//! A PostgreSQL server of StarGate's own, for `stargate up`: found on the machine, in a folder of its own, on a free loopback port.
//!
//! ```text
//! home/ lock       held while a process uses the folder     data/       the cluster      server.log   what the server said
//!       password   of the superuser, mode 0600              data.new/   an initdb that was cut off
//! ```
//! The system's own PostgreSQL is never touched. The server outlives a killed process; the next start finds it by its working
//! directory and takes over. Everything here blocks: call it from `spawn_blocking`.

mod tools;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

pub use tools::{Tools, find};

use crate::settings::{ExposeSecret as _, SecretString};

/// PostgreSQL refuses to run as root; then it runs as nobody.
const NOBODY: u32 = 65534;
/// How often a port that somebody else was faster to take is replaced.
const PORTS: usize = 5;

/// What may be lost when the machine loses power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed.
    Safe,
    /// Everything: for tests and benchmarks that throw the folder away.
    None,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// Nothing to run.
    #[error(
        "no PostgreSQL {oldest} or newer found{looked}; install it: `apt-get install postgresql` (Debian, Ubuntu), `dnf install postgresql-server` (Fedora, \
         RHEL), `brew install postgresql@17` (macOS), or set PG_BIN to the folder of initdb and pg_ctl"
    )]
    NotFound {
        /// The oldest version StarGate runs on.
        oldest: u32,
        /// What was there instead, if anything.
        looked: String,
    },
    /// The data is of another major version than anything installed.
    #[error(
        "the data in {home} is of PostgreSQL {data}, found is only {found}; install {data}, or move the folder away to start with none"
    )]
    OtherMajor {
        /// The folder.
        home: PathBuf,
        /// Major version of the data.
        data: u32,
        /// Major versions found.
        found: String,
    },
    /// Two processes on one folder.
    #[error("{0} is in use by another process; stop that one or choose another folder")]
    InUse(PathBuf),
    /// As root the server runs as nobody, who must be able to reach the folder.
    #[error("PostgreSQL does not run as root, and uid {NOBODY} may not enter {0}; choose a folder that everybody can reach")]
    Closed(PathBuf),
    /// The disk is full.
    #[error("the disk that holds {0} is full; nothing that was committed is lost")]
    DiskFull(PathBuf),
    /// A file could not be used.
    #[error("{doing} {path}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// `initdb` or `pg_ctl` failed.
    #[error("{tool} failed: {said}")]
    Tool {
        /// Which program.
        tool: &'static str,
        /// The end of what it said.
        said: String,
    },
}

/// A running server. Dropping it stops the server.
#[derive(Debug)]
pub struct PrivateServer {
    tools: Tools,
    home: PathBuf,
    port: u16,
    durability: Durability,
    password: SecretString,
    _lock: File,
}

/// A folder for the data: `preferred`, or one that nobody can reach when we are root and `preferred` is closed to others, as
/// everything below `/root` is.
#[must_use]
pub fn home_for(preferred: &Path) -> PathBuf {
    let closed = |path: &Path| path.metadata().is_ok_and(|meta| meta.mode() & 0o001 == 0 && meta.uid() != NOBODY);
    let absolute = std::path::absolute(preferred).unwrap_or_else(|_| preferred.to_owned());
    if is_root() && absolute.ancestors().skip(1).any(closed) {
        let name = absolute.to_string_lossy().trim_matches('/').replace('/', "-");
        return Path::new("/var/lib/stargate").join(name);
    }
    absolute
}

/// URL of a database on the server that another process runs in the folder `home`, password included. `None` when none runs there or
/// its files may not be read.
#[must_use]
pub fn running_url(home: &Path, database: &str) -> Option<SecretString> {
    let data = home.join("data");
    postmaster(&data)?;
    // Line 4 of the note is the port: documented in PostgreSQL's miscadmin.h.
    let note = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let port: u16 = note.lines().nth(3)?.trim().parse().ok()?;
    let password = fs::read_to_string(home.join("password")).ok()?;
    Some(format!("postgres://postgres:{}@127.0.0.1:{port}/{database}", password.trim()).into())
}

impl PrivateServer {
    /// Starts the server of the folder `home`, which is made when it is not there. `bin` (`PG_BIN`) says where PostgreSQL's programs are.
    ///
    /// # Errors
    /// What is missing, closed, full or in use, and what to do about it.
    pub fn start(home: &Path, bin: Option<&Path>, durability: Durability) -> Result<Self, PrivateError> {
        fs::create_dir_all(home).map_err(io("creating", home))?;
        let home = home.canonicalize().map_err(io("resolving", home))?;
        let lock = lock(&home)?;
        let data = home.join("data");
        let tools = tools::choose(find(bin), data_version(&data), &home)?;
        if is_root() {
            chown(&home, Some(NOBODY), Some(NOBODY)).map_err(io("giving to nobody", &home))?;
        }
        let password = password(&home)?;
        let mut server = Self {
            tools,
            home,
            port: 0,
            durability,
            password,
            _lock: lock,
        };
        if !data.join("PG_VERSION").exists() {
            server.create()?;
        }
        server.take_over()?;
        server.launch()?;
        Ok(server)
    }

    /// URL of a database on this server, password included.
    #[must_use]
    pub fn url(&self, database: &str) -> SecretString {
        format!(
            "postgres://postgres:{}@127.0.0.1:{}/{database}",
            self.password.expose_secret(),
            self.port
        )
        .into()
    }

    /// URL of the database `stargate`, which is made when it is not there.
    ///
    /// # Errors
    /// When the server is gone again.
    pub async fn database(&self) -> Result<SecretString, sqlx::Error> {
        let mut admin = PgConnection::connect(self.url("postgres").expose_secret()).await?;
        let found: Option<i32> = sqlx::query_scalar("select 1 from pg_database where datname = 'stargate'")
            .fetch_optional(&mut admin)
            .await?;
        if found.is_none() {
            sqlx::query("create database stargate").execute(&mut admin).await?;
        }
        admin.close().await?;
        Ok(self.url("stargate"))
    }

    /// The port it listens on, on 127.0.0.1 only.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its files are.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The installed version it runs: `15.20`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.tools.version
    }

    /// Whether the server is there.
    #[must_use]
    pub fn is_running(&self) -> bool {
        postmaster(&self.home.join("data")).is_some()
    }

    /// Starts the server again on its port, after somebody stopped or killed it.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&self) -> Result<(), PrivateError> {
        self.take_over()?;
        self.launch_on(self.port)
    }

    /// Stops the server: open transactions are rolled back, the rest is written out.
    ///
    /// # Errors
    /// When it does not stop within a minute.
    pub fn stop(&self) -> Result<(), PrivateError> {
        if !self.is_running() {
            return Ok(());
        }
        self.run("pg_ctl", &["-D", "data", "-m", "fast", "-w", "-t", "60", "-s", "stop"])
    }

    /// Makes the cluster aside and moves it into place, so that an `initdb` that was killed is not taken for one.
    fn create(&self) -> Result<(), PrivateError> {
        for leftover in ["data.new", "data"].map(|name| self.home.join(name)) {
            if leftover.exists() {
                fs::remove_dir_all(&leftover).map_err(io("removing the incomplete", &leftover))?;
            }
        }
        let mut arguments = vec![
            "-D",
            "data.new",
            "-U",
            "postgres",
            "-A",
            "scram-sha-256",
            "--pwfile",
            "password",
            "-E",
            "UTF8",
            "--no-locale",
        ];
        if self.durability == Durability::None {
            arguments.push("--no-sync");
        }
        self.run("initdb", &arguments)?;
        let (made, data) = (self.home.join("data.new"), self.home.join("data"));
        fs::rename(&made, &data).map_err(io("moving into place", &made))
    }

    /// Stops a server that an earlier process left behind, and removes the note of one that is gone. We hold the folder's lock, so no
    /// living process needs it.
    fn take_over(&self) -> Result<(), PrivateError> {
        let data = self.home.join("data");
        if postmaster(&data).is_some() {
            return self.run("pg_ctl", &["-D", "data", "-m", "fast", "-w", "-t", "60", "-s", "stop"]);
        }
        // The number in it may belong to another process by now, which PostgreSQL would take for a running server.
        let note = data.join("postmaster.pid");
        match fs::remove_file(&note) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io("removing", &note)(error)),
            _ => Ok(()),
        }
    }

    fn launch(&mut self) -> Result<(), PrivateError> {
        let mut result = Ok(());
        for _ in 0..PORTS {
            let probe = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
            self.port = probe.map_err(io("looking for a free port for", &self.home))?.port();
            result = self.launch_on(self.port);
            match &result {
                Err(PrivateError::Tool { said, .. })
                    if said.contains("could not bind") || said.contains("could not create any TCP/IP sockets") => {}
                _ => break,
            }
        }
        result
    }

    fn launch_on(&self, port: u16) -> Result<(), PrivateError> {
        let log = self.home.join("server.log");
        // One run's worth of log: it says why this start failed, not why another did.
        fs::write(&log, "").map_err(io("emptying", &log))?;
        if is_root() {
            chown(&log, Some(NOBODY), Some(NOBODY)).map_err(io("giving to nobody", &log))?;
        }
        let mut options =
            format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200 -c jit=off");
        if self.durability == Durability::None {
            options.push_str(" -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
        }
        self.run(
            "pg_ctl",
            &["-D", "data", "-w", "-t", "60", "-s", "-l", "server.log", "-o", &options, "start"],
        )
        .map_err(|error| match error {
            PrivateError::Tool { tool, said } => {
                let told = fs::read_to_string(&log).unwrap_or_default();
                let fatal = told
                    .lines()
                    .filter(|line| line.contains("FATAL") || line.contains("PANIC") || line.contains("could not"))
                    .collect::<Vec<_>>();
                self.failed(tool, &if fatal.is_empty() { said } else { fatal.join("; ") })
            }
            error => error,
        })
    }

    /// Runs one of PostgreSQL's programs in the folder, as nobody when we are root.
    fn run(&self, tool: &'static str, arguments: &[&str]) -> Result<(), PrivateError> {
        // The server inherits stderr: a pipe would keep us waiting for as long as it runs.
        let path = self.home.join(format!("{tool}.err"));
        let stderr = File::create(&path).map_err(io("creating", &path))?;
        let mut command = Command::new(self.tools.bin.join(tool));
        command
            .args(arguments)
            .current_dir(&self.home)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let status = command.status().map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied if is_root() => PrivateError::Closed(self.home.clone()),
            _ => io("running", &self.tools.bin.join(tool))(error),
        })?;
        if status.success() {
            return Ok(());
        }
        let said = fs::read_to_string(&path).unwrap_or_default();
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Err(self.failed(tool, &said[said.len().saturating_sub(4)..].join("; ")))
    }

    fn failed(&self, tool: &'static str, said: &str) -> PrivateError {
        if said.contains("No space left on device") {
            return PrivateError::DiskFull(self.home.clone());
        }
        PrivateError::Tool {
            tool,
            said: said.to_owned(),
        }
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::warn!(error = %error, "PostgreSQL in {} was left running: {error}", self.home.display());
        }
    }
}

/// The superuser's password, made on first use. Anybody on the machine can reach the port.
fn password(home: &Path) -> Result<SecretString, PrivateError> {
    let path = home.join("password");
    if let Ok(password) = fs::read_to_string(&path)
        && !password.trim().is_empty()
    {
        return Ok(password.trim().into());
    }
    let password = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .map_err(io("creating", &path))?;
    writeln!(file, "{password}")
        .and_then(|()| file.sync_all())
        .map_err(io("writing", &path))?;
    if is_root() {
        chown(&path, Some(NOBODY), Some(NOBODY)).map_err(io("giving to nobody", &path))?;
    }
    Ok(password.into())
}

/// Takes the folder for this process, until the process ends, however it ends.
fn lock(home: &Path) -> Result<File, PrivateError> {
    let path = home.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(io("opening", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PrivateError::InUse(home.to_owned())),
        Err(TryLockError::Error(source)) => Err(io("locking", &path)(source)),
    }
}

/// The process that serves `data`, if there is one. A number alone proves nothing, it may have been given to another process:
/// a postmaster's working directory is its data.
fn postmaster(data: &Path) -> Option<u32> {
    let note = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: u32 = note.lines().next()?.trim().parse().ok()?;
    if !Path::new("/proc/self").exists() {
        // No /proc, as on macOS: believe PostgreSQL's own check.
        return Some(pid);
    }
    (fs::read_link(format!("/proc/{pid}/cwd")).ok()? == data).then_some(pid)
}

/// Major version of the data, if there is any.
fn data_version(data: &Path) -> Option<u32> {
    fs::read_to_string(data.join("PG_VERSION")).ok()?.trim().parse().ok()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> PrivateError {
    let path = path.to_owned();
    move |source| match source.kind() {
        std::io::ErrorKind::StorageFull => PrivateError::DiskFull(path),
        _ => PrivateError::Io { doing, path, source },
    }
}

#[cfg(test)]
mod tests;
