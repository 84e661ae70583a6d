//! Pages as a file that can be kept: PDF/A-2u, every letter with its character, fonts inside.

use jiff::civil::Date;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke};
use krilla::surface::Surface;
use krilla::text::{GlyphId, KrillaGlyph};
use krilla::{Document, SerializeSettings};

use crate::Failed;
use crate::layout::{HEIGHT, Page, Paint, WIDTH};

/// The file. `day`: the day it was made, by the product's clock.
pub(crate) fn write(title: &str, day: Date, pages: &[Page]) -> Result<Vec<u8>, Failed> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_U)
        .finish()
        .map_err(|_| Failed("configuration"))?;
    let settings = SerializeSettings { configuration, enable_tagging: false, ..<_>::default() };
    let mut document = Document::new_with(settings);
    let made = DateTime::new(day.year().unsigned_abs())
        .month(day.month().unsigned_abs())
        .day(day.day().unsigned_abs())
        .hour(0)
        .minute(0)
        .second(0)
        .utc_offset_hour(7)
        .utc_offset_minute(0);
    let metadata = Metadata::new()
        .title(title.to_owned())
        .language("vi".to_owned())
        .creator("dancu".to_owned())
        .creation_date(made);
    document.set_metadata(metadata);
    for page in pages {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(Failed("page"))?;
        let mut sheet = document.start_page_with(settings);
        let mut surface = sheet.surface();
        for paint in page {
            draw(&mut surface, paint);
        }
        surface.finish();
        sheet.finish();
    }
    document.finish().map_err(|_| Failed("document"))
}

fn black() -> krilla::paint::Paint {
    krilla::color::luma::Color::black().into()
}

fn draw(surface: &mut Surface<'_>, paint: &Paint) {
    match paint {
        Paint::Rule { from, to, width } => {
            let mut path = PathBuilder::new();
            path.move_to(from.0, from.1);
            path.line_to(to.0, to.1);
            let Some(path) = path.finish() else { return };
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke { paint: black(), width: *width, ..Stroke::default() }));
            surface.draw_path(&path);
        }
        Paint::Text { x, y, size, face, text, stretch } => {
            let loaded = face.loaded();
            let glyphs: Vec<KrillaGlyph> = text
                .char_indices()
                .map(|(at, c)| {
                    let letter = loaded.letter(c);
                    let more = if c == ' ' { stretch / size } else { 0.0 };
                    KrillaGlyph {
                        glyph_id: GlyphId::new(letter.glyph),
                        text_range: at..at + c.len_utf8(),
                        x_advance: letter.advance + more,
                        x_offset: 0.0,
                        y_offset: 0.0,
                        y_advance: 0.0,
                        location: None,
                    }
                })
                .collect();
            surface.set_stroke(None);
            surface.set_fill(Some(Fill {
                paint: black(),
                opacity: NormalizedF32::ONE,
                rule: FillRule::default(),
            }));
            let (at, font) = (Point::from_xy(*x, *y), loaded.font.clone());
            surface.draw_glyphs(at, &glyphs, font, text, *size, false);
        }
    }
}
