//! The one table of the portal's routes: method, path, and who may come in. The router is built
//! from it, so no route can miss its power, its token against forged posts, or its headers.

use std::collections::{BTreeSet, HashSet};
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use dancu_domain::people::powers::Power;

use super::{frame, guard};
use crate::app::Shared;
use crate::telemetry::requests::Routes;

/// Bytes of a form: more than the longest reason in every field, far less than a file.
pub const FORM_MAX: usize = 64 * 1024;
/// Bytes of a form that carries another one, sealed, from a lock or a confirmation.
pub const KEPT_MAX: usize = 4 * FORM_MAX;

/// Who may come in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Everybody, signed in or not.
    Public,
    /// Who is signed in, even with a locked screen: to unlock, to leave.
    Locked,
    /// Who is signed in.
    Person,
    /// Who holds the power today.
    May(Power),
}

impl From<Power> for Access {
    fn from(power: Power) -> Self {
        Self::May(power)
    }
}

/// What a route reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// No body.
    Nothing,
    /// A form of at most so many bytes.
    Form(usize),
    /// A form with a file, or a file alone, of at most so many bytes.
    File(usize),
}

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Path with the router's placeholders.
    pub path: &'static str,
    /// Who.
    pub access: Access,
    /// Body.
    pub reads: Reads,
}

/// An entry of the left column: shown to who holds the power today.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Where it leads.
    pub href: &'static str,
    /// Icon of the sprite.
    pub icon: &'static str,
    /// Key of its words.
    pub key: &'static str,
    /// Who sees it.
    pub power: Power,
}

/// The table while it is put together.
#[derive(Default)]
pub struct Table {
    router: Router<Shared>,
    rows: Vec<Row>,
    entries: Vec<Entry>,
}

impl Table {
    /// A page.
    #[must_use]
    pub fn get<H: Handler<T, Shared>, T: 'static>(
        self,
        path: &'static str,
        access: impl Into<Access>,
        handler: H,
    ) -> Self {
        self.row("GET", path, access.into(), Reads::Nothing, handler)
    }

    /// A form.
    #[must_use]
    pub fn post<H: Handler<T, Shared>, T: 'static>(
        self,
        path: &'static str,
        access: impl Into<Access>,
        handler: H,
    ) -> Self {
        self.row("POST", path, access.into(), Reads::Form(FORM_MAX), handler)
    }

    /// A form that carries another one.
    #[must_use]
    pub fn post_kept<H: Handler<T, Shared>, T: 'static>(
        self,
        path: &'static str,
        access: impl Into<Access>,
        handler: H,
    ) -> Self {
        self.row("POST", path, access.into(), Reads::Form(KEPT_MAX), handler)
    }

    /// A form of at most `most` bytes.
    #[must_use]
    pub fn post_large<H: Handler<T, Shared>, T: 'static>(
        self,
        path: &'static str,
        access: impl Into<Access>,
        most: usize,
        handler: H,
    ) -> Self {
        self.row("POST", path, access.into(), Reads::Form(most), handler)
    }

    /// A form with a file of at most `most` bytes.
    #[must_use]
    pub fn upload<H: Handler<T, Shared>, T: 'static>(
        self,
        path: &'static str,
        access: impl Into<Access>,
        most: usize,
        handler: H,
    ) -> Self {
        self.row("POST", path, access.into(), Reads::File(most), handler)
    }

    /// An entry of the left column, after those before it; the first that a person has is the
    /// desk.
    #[must_use]
    pub fn entry(
        mut self,
        href: &'static str,
        icon: &'static str,
        key: &'static str,
        power: Power,
    ) -> Self {
        self.entries.push(Entry { href, icon, key, power });
        self
    }

    fn row<H: Handler<T, Shared>, T: 'static>(
        mut self,
        method: &'static str,
        path: &'static str,
        access: Access,
        reads: Reads,
        handler: H,
    ) -> Self {
        let row = Row { method, path, access, reads };
        let guarded = Guarded { row, handler };
        self.router = match method {
            "GET" => Routes::get(self.router, path, guarded),
            _ => Routes::post(self.router, path, guarded),
        };
        self.rows.push(row);
        self
    }

    /// Adds the way back from each address that only a post has, to the page above it: such a page
    /// is asked for by its address where a screen was locked, or in the other language.
    #[must_use]
    pub fn with_ways_back(self) -> Self {
        let of = |method| self.rows.iter().filter(move |row| row.method == method);
        let pages: HashSet<&'static str> = of("GET").map(|row| row.path).collect();
        let above = |path: &'static str| {
            let mut all = path.match_indices('/').rev().map(|(at, _)| &path[..at.max(1)]);
            all.find(|page| pages.contains(page))
        };
        let alone: BTreeSet<&'static str> =
            of("POST").map(|row| row.path).filter(|path| !pages.contains(path)).collect();
        let ways: Vec<_> = alone.iter().filter_map(|path| Some((*path, above(path)?))).collect();
        ways.into_iter().fold(self, |table, (path, page)| {
            let depth = segments(page).count();
            let back = move |uri: Uri| async move {
                let page: Vec<&str> = segments(uri.path()).take(depth).collect();
                frame::to(&format!("/{}", page.join("/")))
            };
            table.get(path, Access::Public, back)
        })
    }

    /// The routes, to be merged into the program's.
    pub fn into_router(self) -> Router<Shared> {
        self.router
    }

    /// Every row: the tests walk all of them.
    #[cfg(test)]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Every entry.
    pub fn entries(&self) -> Arc<[Entry]> {
        self.entries.clone().into()
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// A handler behind the guard.
#[derive(Clone)]
struct Guarded<H> {
    row: Row,
    handler: H,
}

impl<H: Handler<T, Shared>, T: 'static> Handler<T, Shared> for Guarded<H> {
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, app: Shared) -> Self::Future {
        Box::pin(async move {
            match guard::pass(&app, self.row, request).await {
                Ok(guard::Passed { request, cookie, upload }) => {
                    let response = self.handler.call(request, app).await;
                    drop(upload);
                    guard::finished(response, cookie)
                }
                Err(stop) => guard::finished(stop.into_response(), None),
            }
        })
    }
}
