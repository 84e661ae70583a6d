//! What a handler answers that may stop before its end.

use axum::response::{IntoResponse, Response};

/// The answer, or why the handler goes no further: an answer too.
pub type Handled = Result<Response, Stop>;

/// The answer in the place of the one that was asked for.
#[derive(Debug)]
pub struct Stop(Box<Response>);

impl From<Response> for Stop {
    fn from(response: Response) -> Self {
        Self(response.into())
    }
}

impl IntoResponse for Stop {
    fn into_response(self) -> Response {
        *self.0
    }
}
