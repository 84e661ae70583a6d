//! The files of `static/`, part of the program: nothing has to be installed beside it.
//!
//! To add a file: a line in [`FILES`]; its licence, where it is not ours, in README.md.

/// A file under `/static/`.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Path below `/static/`.
    pub path: &'static str,
    /// Media type.
    pub kind: &'static str,
    /// Whether compressing makes it smaller: texts; fonts are compressed already.
    pub text: bool,
    /// Its bytes.
    pub bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal $kind:literal $text:literal;)*) => {
        /// Every file.
        pub const FILES: &[File] = &[$(File {
            path: $path,
            kind: $kind,
            text: $text,
            bytes: include_bytes!(concat!("../static/", $path)),
        }),*];
    };
}
files! {
    "css/portal.css" "text/css; charset=utf-8" true;
    "js/portal.js" "text/javascript; charset=utf-8" true;
    "js/entry.js" "text/javascript; charset=utf-8" true;
    "js/counter.js" "text/javascript; charset=utf-8" true;
    "js/dossier.js" "text/javascript; charset=utf-8" true;
    "js/htmx.min.js" "text/javascript; charset=utf-8" true;
    "icons.svg" "image/svg+xml" true;
    "favicon.svg" "image/svg+xml" true;
    "fonts/be-vietnam-pro-regular.woff2" "font/woff2" false;
    "fonts/be-vietnam-pro-medium.woff2" "font/woff2" false;
    "fonts/be-vietnam-pro-bold.woff2" "font/woff2" false;
    "licences/be-vietnam-pro-OFL.txt" "text/plain; charset=utf-8" true;
    "licences/htmx-0BSD.txt" "text/plain; charset=utf-8" true;
    "licences/lucide-ISC-MIT.txt" "text/plain; charset=utf-8" true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/static");
        let mut folders = vec![std::path::PathBuf::from(root)];
        let mut found = vec![];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
                }
            }
        }
        found.retain(|path| std::path::Path::new(path).extension().is_none_or(|kind| kind != "md"));
        found.sort();
        let mut served: Vec<_> = FILES.iter().map(|file| file.path.to_owned()).collect();
        served.sort();
        assert_eq!(found, served);
    }
}
