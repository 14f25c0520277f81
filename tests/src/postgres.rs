//! A PostgreSQL server for this test process.
//!
//! `STARGATE_TEST_POSTGRES` names a server whose role may create databases. Without it, the process starts its own one in memory
//! (0.5 s) and a small watcher that holds the read end of a pipe: when the process ends, however it ends, the pipe closes, the
//! watcher stops the server and removes its files. Nothing of the system's own PostgreSQL is touched.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// PostgreSQL refuses to run as root, so it runs as nobody then.
const NOBODY: u32 = 65534;

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// URL of its maintenance database.
    pub url: String,
    /// Where its files are; `None` for a server that somebody else runs.
    pub home: Option<PathBuf>,
    /// Closing it stops the server.
    _watcher: Option<ChildStdin>,
}

/// The server of this process, started on first use.
///
/// # Panics
/// When there is no server and none can be started: the message says what to install.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "the test harness has no settings of its own")]
    SERVER.get_or_init(|| match std::env::var("STARGATE_TEST_POSTGRES") {
        Ok(url) if !url.is_empty() => Server {
            url,
            home: None,
            _watcher: None,
        },
        _ => start(),
    })
}

impl Server {
    /// Starts a server of its own, for tests that stop and start it.
    #[must_use]
    pub fn private() -> Self {
        start()
    }

    /// Stops the server as a crash would (no checkpoint), and starts it again on the same port.
    ///
    /// # Panics
    /// When it is not ours, or does not come back.
    pub fn crash_and_restart(&self) {
        let home = self.home.as_deref().expect("only a private server can be crashed");
        control(home, &["-m", "immediate", "-w", "-s", "stop"]);
        control(home, &["-w", "-s", "-l", "server.log", "start"]);
    }
}

fn start() -> Server {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let home = base.join(format!("stargate-test-{}-{}", std::process::id(), uuid::Uuid::new_v4().simple()));
    fs::create_dir_all(&home).expect("creating the server's folder");
    if is_root() {
        chown(&home, Some(NOBODY), Some(NOBODY)).expect("giving the server's folder to nobody");
    }
    let port = free_port();
    run(
        &home,
        "initdb",
        &["-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
    );
    // A crash of the server loses nothing that was committed; a crash of the machine may, and the tests do not crash that.
    let settings = format!(
        "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\nfull_page_writes = off\n\
         max_connections = 200\n"
    );
    let configuration = home.join("data/postgresql.conf");
    fs::write(&configuration, settings).expect("writing postgresql.conf");
    control(&home, &["-w", "-s", "-l", "server.log", "start"]);

    let mut watcher = command(&home, "sh");
    watcher
        .args(["-c", "read -r _; \"$0\" -D data -m immediate -s stop; cd / && rm -rf \"$1\""])
        .arg(tools().join("pg_ctl"))
        .arg(&home)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    let watcher = watcher.spawn().expect("starting the watcher of the test server").stdin.take();
    Server {
        url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
        home: Some(home),
        _watcher: watcher,
    }
}

fn control(home: &Path, arguments: &[&str]) {
    run(home, "pg_ctl", &[&["-D", "data"], arguments].concat());
}

fn run(home: &Path, tool: &str, arguments: &[&str]) {
    let program = tools().join(tool);
    // The server inherits stderr; a pipe would keep us waiting for as long as it runs, so it writes to a file.
    let said = home.join(format!("{tool}.err"));
    let stderr = fs::File::create(&said).expect("creating a log file");
    let status = command(home, &program).args(arguments).stderr(stderr).status();
    let mut message = String::new();
    let _ = fs::File::open(&said).and_then(|mut file| file.read_to_string(&mut message));
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("{} {arguments:?}: {status}: {message}", program.display()),
        Err(error) => panic!(
            "{}: {error}; install PostgreSQL (apt-get install postgresql) or set STARGATE_TEST_POSTGRES",
            program.display()
        ),
    }
}

fn command(home: &Path, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(home)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// The newest installed server's programs; empty when there is none, so that `PATH` decides.
fn tools() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .max()
        .map(|(_, bin)| bin)
        .unwrap_or_default()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binding a loopback port");
    listener.local_addr().expect("reading the port").port()
}
