//! My account: factors, sessions and devices, history, password. Everybody sees their own and
//! nobody else's; changing anything needs a fresh second factor (E2).

mod contact;
mod factors;
mod password;
mod sessions;
mod words;

use axum::response::Response;
use dancu_domain::people::powers::Power;

use super::frame;
use super::signed::Signed;
use super::table::Table;

/// Its routes.
pub fn routes(table: Table) -> Table {
    let see = Power::SeeOwnAccount;
    let change = Power::ChangeOwnFactors;
    let table = table
        .get("/account", see, first)
        .get("/account/factors", see, factors::show)
        .get("/account/factors/add", change, factors::choose)
        .post("/account/factors/add/app", change, factors::add_app)
        .post("/account/factors/add/app/done", change, factors::add_app_done)
        .post("/account/factors/add/key/options", change, factors::key_options)
        .post("/account/factors/add/key", change, factors::add_key)
        .post("/account/factors/remove", change, factors::remove)
        .post("/account/recovery-codes", change, factors::new_codes)
        .post("/account/recovery-codes/kept", see, factors::codes_kept);
    table
        .get("/account/sessions", see, sessions::show)
        .post("/account/sessions/end", see, sessions::end)
        .post("/account/sessions/end-all", see, sessions::end_all)
        .post("/account/devices/forget", see, sessions::forget_device)
        .get("/account/history", see, sessions::history)
        .get("/account/contact", see, contact::show)
        .post("/account/contact", change, contact::ask)
        .post("/account/contact/confirm", see, contact::confirm)
        .post("/account/contact/remove", change, contact::remove)
        .post("/account/contact/preferences", see, contact::prefer)
        .get("/account/password", change, password::show)
        .post("/account/password", change, password::send)
}

/// `GET /account`.
async fn first(_: Signed) -> Response {
    frame::to("/account/factors")
}
