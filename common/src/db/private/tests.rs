use std::path::PathBuf;

use sqlx::{Connection as _, PgConnection};

use super::*;

/// A folder in memory, removed with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        Self(base.join(format!("stargate-private-{name}-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn start(folder: &Folder) -> PrivateServer {
    PrivateServer::start(&folder.0, None, Durability::Safe).expect("starts")
}

async fn numbers(server: &PrivateServer) -> Vec<i32> {
    let mut connection = PgConnection::connect(server.url("postgres").expose_secret())
        .await
        .expect("connects");
    sqlx::query("create table if not exists kept (n integer)")
        .execute(&mut connection)
        .await
        .expect("creates");
    sqlx::query("insert into kept select count(*) from kept")
        .execute(&mut connection)
        .await
        .expect("inserts");
    sqlx::query_scalar("select n from kept order by n")
        .fetch_all(&mut connection)
        .await
        .expect("reads")
}

#[tokio::test]
async fn data_survives_a_stop_a_kill_and_an_orphan() {
    let folder = Folder::new("survives");
    // An initdb that was cut off is no data.
    fs::create_dir_all(folder.0.join("data.new")).expect("creates");
    fs::create_dir_all(folder.0.join("data")).expect("creates");
    let server = start(&folder);
    assert_eq!(numbers(&server).await, [0]);
    drop(server);
    assert_eq!(postmaster(&folder.0.join("data")), None);

    // The process is killed, its server is left behind: the next start takes over.
    let server = start(&folder);
    assert_eq!(numbers(&server).await, [0, 1]);
    let orphan = postmaster(&folder.0.join("data")).expect("runs");
    std::mem::forget(server);
    fs::remove_file(folder.0.join("lock")).expect("its lock dies with it");
    let server = start(&folder);
    assert_ne!(postmaster(&folder.0.join("data")).expect("runs"), orphan);
    assert_eq!(numbers(&server).await, [0, 1, 2]);

    // The server dies and its number goes to somebody else: us.
    server
        .run("pg_ctl", &["-D", "data", "-m", "immediate", "-s", "stop"])
        .expect("stops");
    fs::write(folder.0.join("data/postmaster.pid"), format!("{}\n", std::process::id())).expect("writes");
    assert!(!server.is_running());
    let port = server.port();
    server.restart().expect("starts again");
    assert_eq!((server.port(), numbers(&server).await), (port, vec![0, 1, 2, 3]));
}

#[test]
fn one_folder_serves_one_process() {
    let folder = Folder::new("one");
    fs::create_dir_all(&folder.0).expect("creates");
    let _held = lock(&folder.0).expect("free");
    let error = PrivateServer::start(&folder.0, None, Durability::None)
        .expect_err("in use")
        .to_string();
    assert!(
        error.ends_with("is in use by another process; stop that one or choose another folder"),
        "{error}"
    );
}

#[tokio::test]
async fn the_port_needs_a_password() {
    let folder = Folder::new("password");
    let server = start(&folder);
    for _ in 0..2 {
        let url = server.database().await.expect("made once, found the second time");
        assert!(url.expose_secret().ends_with("/stargate"));
    }
    let url = format!("postgres://postgres:guess@127.0.0.1:{}/postgres", server.port());
    let error = PgConnection::connect(&url).await.expect_err("wrong password");
    assert_eq!(
        error
            .as_database_error()
            .and_then(|error| error.code().map(|code| code.into_owned()))
            .as_deref(),
        Some("28P01")
    );
    assert_eq!(fs::metadata(folder.0.join("password")).expect("there").mode() & 0o777, 0o600);
    assert!(!format!("{server:?} {:?}", server.url("postgres")).contains(server.password.expose_secret()));
}

#[test]
fn what_initdb_says_reaches_the_reader() {
    let folder = Folder::new("broken");
    fs::create_dir_all(folder.0.join("data")).expect("creates");
    fs::write(folder.0.join("data/PG_VERSION"), "9\n").expect("writes");
    let error = PrivateServer::start(&folder.0, None, Durability::None)
        .expect_err("too old")
        .to_string();
    assert!(error.contains("is of PostgreSQL 9"), "{error}");
}
