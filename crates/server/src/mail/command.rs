//! `dancu mail-in`: a mail server hands a bounce over on its standard input.

use std::process::ExitCode;

use dancu_domain::moment::Moment;
use dancu_office::notices::contact::Bounced;
use dancu_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::bounce::{self, Bounce};
use super::work;
use crate::cli::{DataArgs, say};
use crate::control::{self, Door};
use crate::{operate, serve};

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Nơi có dữ liệu, đang phục vụ hay không.
    #[command(flatten)]
    place: DataArgs,
}

/// What goes through the operator's door.
#[derive(Serialize, Deserialize)]
pub struct Came {
    job: i64,
    tag: String,
    recipient: Option<String>,
}

/// Reads one bounce. What is none is said and is no failure: the mail server must not bounce it
/// back.
///
/// # Errors
/// The input or the data could not be read.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = args.place.configuration()?;
    let Some(Bounce { job, tag, recipient }) = bounce::read(std::io::stdin().lock())? else {
        say!("không phải thư trả lại của thư do dancu gửi (no bounce of our mail)");
        return Ok(ExitCode::SUCCESS);
    };
    let came = Came { job, tag, recipient };
    let body = serde_json::to_value(&came)?;
    let said = match control::door(&config, ("POST", "/mail/bounce"), Some(&body))? {
        Door::Served(said) => said,
        Door::Alone(store) => {
            let now = operate::now(&store)?;
            let said = serve::runtime()?.block_on(take((&store, now), &came));
            store.stop();
            said?
        }
    };
    say!("{}", said["said"].as_str().unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}

/// Takes a bounce in, and says what became of it.
///
/// # Errors
/// Of the store.
pub async fn take(at: (&Store, Moment), came: &Came) -> anyhow::Result<Value> {
    let Came { job, tag, recipient } = came;
    let bounce = Bounce { job: *job, tag: tag.clone(), recipient: recipient.clone() };
    let said = match work::take_in(at, &bounce).await? {
        Bounced::Marked => {
            "đã đánh dấu địa chỉ thư hỏng, người dùng và thủ trưởng được báo (marked)"
        }
        Bounced::Known => "địa chỉ đã được đánh dấu hoặc đã đổi (known, or another address now)",
        Bounced::Unknown => "không có thư này (no such mail)",
    };
    Ok(json!({ "said": said }))
}
