//! A page as whoever serves it knows it: something that gives HTML.

use askama::Template;

/// Every page of this room; the engine of its templates stays here.
pub trait Page {
    /// Its HTML.
    ///
    /// # Errors
    /// Where a value in it cannot be written.
    fn html(&self) -> Result<String, std::fmt::Error>;
}

impl<T: Template> Page for T {
    fn html(&self) -> Result<String, std::fmt::Error> {
        self.render().map_err(|_| std::fmt::Error)
    }
}
