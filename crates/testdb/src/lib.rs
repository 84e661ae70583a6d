//! **testdb**: a real PostgreSQL for tests, from the binaries that are installed.
//!
//! It knows processes and folders, not the schema: who asks for a database says how its template
//! is filled. `initdb` runs once per machine and its result is copied; one server runs per test
//! process, or per run of nextest, which gives each test a process of its own; each test gets
//! `CREATE DATABASE … TEMPLATE` of a template that was filled once.
//!
//! **Invariant:** nothing is left running or lying about: a shell that reads from this process, or
//! looks whether the run still goes on, stops the server and removes its folder when that ends,
//! however it ends.
//! **Invariant:** a test that asks for a server and finds no PostgreSQL fails; it is not skipped.
//!
//! ```no_run
//! use dancu_testdb::{Options, Server};
//!
//! let server = Server::shared();
//! let test = server.database("empty", |_url| Ok(()));
//! println!("{}", test.url());
//! let durable = Server::start(&Options { durable: true, ..Options::default() });
//! durable.stop_immediate();
//! durable.start_again();
//! ```

mod machine;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::UNIX_EPOCH;

use crate::machine::{
    as_user, binaries, free_port, initialised, keeper, make_dir, other_user, own, run,
};

/// How a server is to run.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// `fsync` and all that belongs to it. Without it a server is faster and loses data when the
    /// machine does; tests of durability need it.
    pub durable: bool,
    /// Also on a free port of 127.0.0.1, for proxies and TLS.
    pub tcp: bool,
    /// Further settings, name and value.
    pub settings: Vec<(String, String)>,
    /// Lines put in front of `pg_hba.conf`.
    pub hba: Vec<String>,
    /// Another server, started with `tcp`, that this one follows as its standby.
    pub standby_of: Option<u16>,
}

/// A running server.
pub struct Server {
    bin: PathBuf,
    /// Holds `data`, the socket and the log.
    dir: PathBuf,
    port: u16,
    user: Option<(u32, u32)>,
    templates: Mutex<HashSet<String>>,
    /// Ends with this process: then it stops the server and removes the folder. None where another
    /// process of the run began it.
    keeper: Mutex<Option<Child>>,
}

/// A database of one test, dropped with it.
pub struct Database {
    server: &'static Server,
    name: String,
}

/// Servers of this process, for the names of their folders.
static SERVERS: AtomicU32 = AtomicU32::new(0);
/// Databases of this process, for their names.
static DATABASES: AtomicU32 = AtomicU32::new(0);
/// Superuser of every server made here; everybody on this machine's sockets is let in.
const USER: &str = "dancu";

/// The machine's time as its file system tells it, which a real server goes by too: milliseconds
/// since 1970, UTC.
///
/// # Panics
/// The folder of temporary files cannot be written.
pub fn machine_ms() -> i64 {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let n = ASKED.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("dancu-clock-{}-{n}", std::process::id()));
    let written = fs::write(&path, ".").and_then(|()| fs::metadata(&path)?.modified());
    let _ = fs::remove_file(&path);
    match written {
        Ok(written) => written.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

impl Server {
    /// The server that the tests of a process, or of a run of nextest, share, without durability.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::of_run(&Options::default()))
    }

    /// A second server that they share: it keeps what it was told, as the program demands.
    pub fn durable() -> &'static Self {
        static DURABLE: OnceLock<Server> = OnceLock::new();
        DURABLE.get_or_init(|| Self::of_run(&Options { durable: true, ..Options::default() }))
    }

    /// The one server of a run, which its first test starts; of this process where no run is told.
    fn of_run(options: &Options) -> Self {
        let Ok(id) = std::env::var("NEXTEST_RUN_ID") else { return Self::start(options) };
        let (bin, user, parent) = (binaries(), other_user(), parent_id());
        let dir = PathBuf::from(format!("/tmp/dr{parent}-{}", u8::from(options.durable)));
        make_dir(&dir, user);
        let (port, templates, nobody) = (5432, Mutex::default(), Mutex::default());
        let server = Self { bin, dir, port, user, templates, keeper: nobody };
        let _lock = server.lock("starting");
        let ready = server.dir.join("ready");
        // Also where another run had this number before.
        if fs::read_to_string(&ready).ok().as_ref() != Some(&id) {
            let _ = fs::remove_dir_all(server.data());
            let goes_on = format!("while [ -d /proc/{parent} ]; do sleep 1; done");
            // Nobody waits for it: it outlives this process.
            std::mem::forget(keeper(&server.bin, &server.dir, user, &goes_on));
            server.begin(options);
            if let Err(error) = fs::write(&ready, id) {
                panic!("{}: {error}", ready.display());
            }
        }
        server
    }

    /// Waits until no other process of the run holds the lock; it ends with what is returned.
    fn lock(&self, name: &str) -> File {
        let path = self.dir.join(format!("{name}.lock"));
        let locked = File::create(&path).and_then(|file| file.lock().map(|()| file));
        match locked {
            Ok(file) => file,
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }

    fn begin(&self, options: &Options) {
        self.fill(options);
        self.configure(options);
        self.start_again();
    }

    /// Starts a server of its own, for tests that stop it or change it.
    ///
    /// # Panics
    /// PostgreSQL 15 or newer is not installed, or does not start: the log is shown.
    pub fn start(options: &Options) -> Self {
        let bin = binaries();
        let user = other_user();
        let n = SERVERS.fetch_add(1, Ordering::Relaxed);
        // A socket's path must stay below 107 bytes: the folder is short.
        let dir = PathBuf::from(format!("/tmp/dt{}-{n}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        make_dir(&dir, user);
        let port = if options.tcp { free_port() } else { 5432 };
        let keeper = Mutex::new(Some(keeper(&bin, &dir, user, "read _")));
        let server = Self { bin, dir, port, user, templates: Mutex::default(), keeper };
        server.begin(options);
        server
    }

    /// URL of a database of this server, over its socket.
    pub fn url(&self, database: &str) -> String {
        let socket = self.dir.to_string_lossy().replace('/', "%2F");
        format!("postgres://{USER}@{socket}:{}/{database}", self.port)
    }

    /// URL of a database over 127.0.0.1; the server must run with [`Options::tcp`].
    pub fn tcp_url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// The port, of TCP and in the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the socket, of `data` and of the server's `log`.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A new database, copied from a template that `fill` is given to fill when it is first asked
    /// for by this name.
    ///
    /// # Panics
    /// The template could not be filled.
    pub fn database(
        &'static self,
        template: &str,
        fill: impl FnOnce(&str) -> Result<(), String>,
    ) -> Database {
        {
            let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
            if !templates.contains(template) {
                self.make_template(&format!("template_{template}"), fill);
                templates.insert(template.to_owned());
            }
        }
        let n = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{n}", std::process::id());
        // Copying files costs two checkpoints, which are dear on a busy server: the log is cheaper.
        self.sql(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE template_{template} STRATEGY WAL_LOG"),
        );
        Database { server: self, name }
    }

    /// Has its name once it is filled: what another process began and left is begun anew.
    fn make_template(&self, name: &str, fill: impl FnOnce(&str) -> Result<(), String>) {
        let _lock = self.lock("templates");
        let known = format!("SELECT COUNT(*) FROM pg_database WHERE datname = '{name}'");
        if self.sql("postgres", &known) != "0" {
            return;
        }
        let new = format!("{name}_new");
        self.sql("postgres", &format!("DROP DATABASE IF EXISTS {new} WITH (FORCE)"));
        self.sql("postgres", &format!("CREATE DATABASE {new} TEMPLATE template0"));
        if let Err(error) = fill(&self.url(&new)) {
            panic!("{name}: {error}");
        }
        self.sql("postgres", &format!("ALTER DATABASE {new} RENAME TO {name}"));
    }

    /// Runs SQL as superuser and returns what `psql -At` prints.
    ///
    /// # Panics
    /// The SQL fails.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        run(&mut self.psql(database, sql))
    }

    fn psql(&self, database: &str, sql: &str) -> Command {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-U", USER, "-p"])
            .arg(self.port.to_string())
            .arg("-h")
            .arg(&self.dir)
            .args(["-d", database, "-c", sql]);
        psql
    }

    /// Stops it as a power cut would: no checkpoint, connections are cut.
    pub fn stop_immediate(&self) {
        self.pg_ctl(&["-m", "immediate", "stop"]);
    }

    /// Stops it in order: connections are told, a checkpoint is written.
    pub fn stop_fast(&self) {
        self.pg_ctl(&["-m", "fast", "stop"]);
    }

    /// Starts it again on the same data, and waits until it serves.
    pub fn start_again(&self) {
        let log = self.dir.join("log");
        let log = log.to_string_lossy();
        self.pg_ctl(&["-l", &log, "-w", "-t", "60", "start"]);
    }

    /// A standby of this server, which must run with [`Options::tcp`]: from now on each commit
    /// waits until it is on the standby's disk too. Once promoted it waits for nobody.
    ///
    /// # Panics
    /// The standby does not follow within a minute.
    #[must_use]
    pub fn synchronous_standby(&self) -> Self {
        let standby_of = Some(self.port);
        let options = Options { durable: true, tcp: true, standby_of, ..Options::default() };
        let standby = Self::start(&options);
        self.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'");
        self.sql("postgres", "SELECT pg_reload_conf()");
        let state = "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state = 'quorum'";
        for _ in 0..1_200 {
            if self.sql("postgres", state) == "1" {
                return standby;
            }
            self.sql("postgres", "SELECT pg_sleep(0.05)");
        }
        panic!("the standby does not follow: {}", standby.log());
    }

    /// Makes a standby the primary.
    pub fn promote(&self) {
        self.pg_ctl(&["-w", "promote"]);
    }

    /// What the server logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    fn fill(&self, options: &Options) {
        if let Some(primary) = options.standby_of {
            let mut backup = self.command("pg_basebackup");
            backup.args(["-h", "127.0.0.1", "-U", USER, "-X", "stream", "-c", "fast", "-R", "-p"]);
            run(backup.arg(primary.to_string()).arg("-D").arg(self.data()));
            return;
        }
        let template = initialised(&self.bin, self.user);
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(template).arg(self.data());
        run(&mut copy);
    }

    fn configure(&self, options: &Options) {
        let on = if options.durable { "on" } else { "off" };
        let listen = if options.tcp { "127.0.0.1" } else { "" };
        let mut text = format!(
            "listen_addresses = '{listen}'\nport = {}\nunix_socket_directories = '{}'\n\
             fsync = {on}\nsynchronous_commit = {on}\nfull_page_writes = {on}\n\
             max_connections = 200\nlogging_collector = off\n",
            self.port,
            self.dir.display()
        );
        for (name, value) in &options.settings {
            let _ = writeln!(text, "{name} = '{value}'");
        }
        self.append("postgresql.auto.conf", &text);
        if !options.hba.is_empty() {
            let path = self.data().join("pg_hba.conf");
            let old = fs::read_to_string(&path).unwrap_or_default();
            self.write("pg_hba.conf", &format!("{}\n{old}", options.hba.join("\n")));
        }
    }

    fn append(&self, file: &str, text: &str) {
        let old = fs::read_to_string(self.data().join(file)).unwrap_or_default();
        self.write(file, &(old + text));
    }

    /// Writes a file of the data folder as its owner; also for certificates.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.data().join(file);
        let done = fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o600)))
            .and_then(|()| own(&path, self.user));
        if let Err(error) = done {
            panic!("{}: {error}", path.display());
        }
    }

    fn pg_ctl(&self, arguments: &[&str]) {
        let mut command = self.command("pg_ctl");
        command.arg("-s").arg("-D").arg(self.data()).args(arguments);
        // The server inherits these: a pipe would stay open as long as it runs.
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let done = command.status();
        assert!(
            done.as_ref().is_ok_and(std::process::ExitStatus::success),
            "pg_ctl {arguments:?}: {done:?}\n{}",
            self.log()
        );
    }

    fn command(&self, program: &str) -> Command {
        as_user(self.bin.join(program), self.user)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let keeper = self.keeper.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut keeper) = keeper.take() {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
    }
}

impl Database {
    /// Where it is.
    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs SQL in it and returns what `psql -At` prints.
    pub fn sql(&self, sql: &str) -> String {
        self.server.sql(&self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that a test has stopped needs no tidying: its folder goes as a whole.
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = self.server.psql("postgres", &sql).stdin(Stdio::null()).output();
    }
}
