//! `dancu demo`: the whole product on synthetic people, from one command.

mod client_key;
pub mod dossiers;
mod file;
mod people;
mod seed;
mod systems;
mod units;
mod walk;

use std::fs::{DirBuilder, File};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use dancu_domain::moment::Moment;
use dancu_gate::Gate;
use dancu_store::{CORE_FILE, Store};

use crate::app::App;
use crate::cli::say;
use crate::clock::{Clock, LATEST, machine_ms};
use crate::config::{Config, PortalConfig};
use crate::handlers::sandbox::OFFSET;
use crate::mail::Mailer;
use crate::portal::Portal;
use crate::sandbox::Sandbox;
use crate::{cli, keys, mail, population, serve, webhooks};

/// The demo population's seed.
pub const SEED: u64 = 20_260_302;
/// A file in the folder from before its data is made until the data says itself whose it is.
const BEGUN: &str = "demo.begun";

/// Arguments of `dancu demo`.
#[derive(clap::Args)]
pub struct Args {
    /// Thư mục dữ liệu, đã có thì chạy tiếp; bỏ trống: biến DANCU_DATA, rồi dancu-data.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Cổng trên 127.0.0.1.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Số người giả, ít nhất 100.
    #[arg(long, default_value_t = 100_000)]
    population: u64,
    /// Giờ của sản phẩm lúc bắt đầu (RFC 3339), ví dụ 2026-03-02T09:00:00+07:00.
    #[arg(long)]
    clock: Option<String>,
    /// Dừng sau phần trình diễn.
    #[arg(long)]
    once: bool,
}

/// Runs the demo.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let wanted = match &args.clock {
        Some(text) => {
            let Some(moment) = Moment::parse_rfc3339(text) else {
                eprintln!(
                    "dancu: --clock cần dạng RFC 3339, ví dụ 2026-03-02T09:00:00+07:00 (needs this \
                     form)"
                );
                return Ok(ExitCode::from(2));
            };
            if moment >= LATEST {
                eprintln!("dancu: --clock chỉ đến hết năm 2199 (until the end of 2199)");
                return Ok(ExitCode::from(2));
            }
            Some(moment)
        }
        None => None,
    };
    if args.population < dancu_world::MIN_PERSONS {
        eprintln!("dancu: --population ít nhất {} (at least)", dancu_world::MIN_PERSONS);
        return Ok(ExitCode::from(2));
    }
    say!("SANDBOX - dữ liệu giả: mọi người trong đây đều do máy sinh, đầu số 099.");
    let mut config = Config::of_sandbox()?;
    if let Some(data) = &args.data {
        config.data.clone_from(data);
    }
    begin(&config)?;
    let store = Arc::new(cli::open_sandbox(&config)?);
    of_no_centre(&store)?;
    keys::folder::make_ours(store.dir())?;
    let clock = clock(&store, wanted)?;
    let code = serve::runtime()?.block_on(serve_demo(args, &store, clock, &config));
    store.stop();
    code.map(|()| ExitCode::SUCCESS)
}

/// Marks a place without data, before anything is made in it: a centre that was only migrated, and
/// a demo that was killed before its first entry, look the same otherwise.
fn begin(config: &Config) -> anyhow::Result<()> {
    let dir = &config.data;
    if dir.join(CORE_FILE).exists() || !is_unused(config)? {
        return Ok(());
    }
    let mark = || {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        File::create(dir.join(BEGUN))?.sync_all()?;
        File::open(dir)?.sync_all()
    };
    let refused = || format!("không mở được thư mục dữ liệu {} (data folder)", dir.display());
    mark().with_context(refused)
}

/// Whether the database on a server that is configured, if any, was never migrated.
fn is_unused(config: &Config) -> anyhow::Result<bool> {
    // Whatever else is wrong is told when it is opened.
    let Some(looked) = cli::view(config)? else { return Ok(true) };
    Ok(matches!(looked, Err(dancu_store::Error::Schema { file: CORE_FILE, found: 0, .. })))
}

/// Refuses the data of a centre before the first write: its clock would be moved and made-up
/// systems registered in it, and it could not be served any more. Without an entry it is the
/// demo's where the demo began it, or where it holds people that were made up.
fn of_no_centre(store: &Store) -> anyhow::Result<()> {
    let registry = store.registry();
    let is_empty = registry.count()? == 0;
    let is_new =
        if is_empty { store.dir().join(BEGUN).exists() } else { registry.fact("seed")?.is_some() };
    ensure!(
        store.meta(OFFSET)?.is_some() || (store.ledger().next_index() == 0 && is_new),
        "đây là dữ liệu của một trung tâm, không phải của môi trường thử: dùng thư mục khác, \
         --data THƯ-MỤC (a centre's data, not a sandbox's: use another folder)"
    );
    if !is_empty {
        // What it is filled with has to be known, too.
        file::spec(store)?;
    }
    Ok(())
}

/// The sandbox clock: asked for, or where the folder left off; never before the last entry.
fn clock(store: &Store, wanted: Option<Moment>) -> anyhow::Result<Clock> {
    let machine = machine_ms();
    let stored: Option<i64> = store.meta(OFFSET)?.and_then(|text| text.parse().ok());
    let last = store.last_at();
    let mut start = match (wanted, stored) {
        (Some(moment), _) => moment,
        (None, Some(offset)) => Moment(machine + offset),
        (None, None) => Moment(machine),
    };
    if start < last {
        say!("Đồng hồ không lùi: chạy tiếp từ {} (the clock goes on).", last.rfc3339());
        start = last;
    }
    Ok(Clock::new(start.0 - machine, last, true))
}

async fn serve_demo(
    args: &Args,
    store: &Arc<Store>,
    clock: Clock,
    settings: &Config,
) -> anyhow::Result<()> {
    let now = clock.now();
    // The first entry: from now on everybody sees that this is a sandbox.
    store.set_meta(now, OFFSET, &clock.offset_ms().to_string()).await?;
    let _ = std::fs::remove_file(store.dir().join(BEGUN));
    store.prepare_year(now).await?;
    let is_new = store.registry().count()? == 0;
    if is_new {
        fill(store, args.population, now)?;
    }
    let spec = file::spec(store)?;
    if store.snapshot(now)?.systems().is_empty() {
        seed::register(store, now).await?;
        say!("Đã lập các hệ thống, tài khoản và kết nối mẫu (systems and accounts made).");
    }
    units::found(store, now).await?;
    let address = SocketAddr::from(([127, 0, 0, 1], args.port));
    let listener = serve::listen(address)?;
    let url = format!("http://{}", listener.local_addr()?);
    let gate = Gate::open(store.clone(), now)?;
    // Passkeys are bound to a name; an address is none.
    let origin = Some(format!("http://localhost:{}", listener.local_addr()?.port()));
    let help_phone = Some(people::HELP_PHONE.to_owned());
    let config = PortalConfig { origin: origin.clone(), help_phone, ..PortalConfig::default() };
    let mailer = Mailer::open(&settings.mail)?;
    let portal = Portal::open(&config, store.clone(), &url)?.with_identity(&settings.identity)?;
    let portal = portal.with_mail(mailer.is_some()).with_dossiers(&settings.dossiers);
    let portal = portal.with_webhooks(webhooks::policy(&settings.webhooks, true));
    let sender = webhooks::Sender::open(&settings.webhooks, true)?;
    let people = people::ready(store, &portal.people, now).await?;
    let citizens = file::citizens(store, &spec)?;
    let sandbox = Sandbox::new(store, &citizens)?;
    let app = App::new(gate, clock, url).with_portal(Some(portal)).with_sandbox(sandbox);
    let app = Arc::new(app);
    if is_new {
        dossiers::begin(&app).await.context("không lập được hồ sơ mẫu (dossiers)")?;
    }
    file::write(&app, &spec, &people).context("không ghi được demo.json")?;
    if is_new || args.once {
        walk::run(&app, &citizens).await?;
    }
    if args.once {
        return Ok(());
    }
    let signals = serve::Signals::of_sandbox()?;
    app.set_ready(true);
    if let Some(mailer) = mailer {
        mail::start(&app, mailer);
    }
    if let Some(sender) = sender {
        webhooks::start(&app, sender);
    }
    say!("\nSẵn sàng tại {} (ready). Tài liệu: {}/docs", app.base_url, app.base_url);
    if let (Some(origin), Some(person)) = (&origin, people.first()) {
        walk::portal(origin, person);
    }
    say!("Tài khoản, khóa và người mẫu: {}", store.dir().join("demo.json").display());
    say!("Ctrl-C để dừng; chạy lại cùng thư mục thì đi tiếp.");
    serve::until_signal(app, listener, signals).await
}

fn fill(store: &Store, persons: u64, now: Moment) -> anyhow::Result<()> {
    let spec = dancu_world::PopulationSpec { seed: SEED, persons, today: now.viet_nam_date() };
    let bar = cli::progress_bar(persons);
    let started = crate::clock::steady();
    let n = population::fill::run(store, &spec, &|n| bar.set_position(n))?;
    bar.finish_and_clear();
    if n != persons {
        bail!("chỉ sinh được {n} người (population is incomplete)");
    }
    let seconds = started.elapsed().as_secs_f64();
    say!("Đã sinh và niêm phong {n} người giả trong {seconds:.1} s (people made and sealed).");
    Ok(())
}
