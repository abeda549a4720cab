//! A webinar's logo: decoded within limits and written anew, so that what we serve is a picture and nothing else.

use std::io::Cursor;

use bytes::Bytes;
use domain::ids::WebinarId;
use domain::{Refusal, RefusalKind};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, imageops::FilterType};
use persistence::webinars as queries;

use crate::rights::fence::hold_changeable;
use crate::secrets::random;
use crate::{Coach, Error, Result};

/// Largest logo file.
pub const MAX_LOGO_BYTES: usize = 2 * 1024 * 1024;
/// Largest side of a logo as sent, in pixels.
const MAX_SIDE: u32 = 4_000;
/// Width of a logo as kept: sharp at 256 CSS pixels on a dense screen.
const KEPT_WIDTH: u32 = 512;
/// Memory one decoding may take: 4,000 × 4,000 pixels of four bytes, twice.
const MAX_DECODE_BYTES: u64 = 128 * 1024 * 1024;

impl Coach {
    /// Gives a webinar its logo.
    ///
    /// # Errors
    /// Refuses a file over [`MAX_LOGO_BYTES`], one that is no PNG, JPEG or WebP, and one over 4,000 pixels. Refuses a
    /// webinar that is not hers.
    pub async fn set_logo(&self, id: WebinarId, file: Bytes) -> Result<()> {
        let row = self.own_webinar(id).await?;
        if file.len() > MAX_LOGO_BYTES {
            let message = "A logo can have 2 MB. This file is larger; a smaller version of it will do.";
            return Err(
                Refusal { field: Some("logo".to_owned()), ..Refusal::new(RefusalKind::TooLarge, message) }.into()
            );
        }
        let picture = tokio::task::spawn_blocking(move || remade(&file))
            .await
            .map_err(|error| Error::fault("decode a logo", error))??;
        let key = format!("coaches/{}/logos/{}.png", self.id, hex::encode(random::<16>()));
        self.backend.bucket().put(&key, picture.into()).await?;
        if let Err(error) = self.name_logo(id, Some(&key)).await {
            self.remove_object(&key).await;
            return Err(error);
        }
        if let Some(old) = row.logo_key {
            self.remove_object(&old).await;
        }
        Ok(())
    }

    /// Takes a webinar's logo away.
    ///
    /// # Errors
    /// Refuses a webinar that is not hers.
    pub async fn remove_logo(&self, id: WebinarId) -> Result<()> {
        let row = self.own_webinar(id).await?;
        self.name_logo(id, None).await?;
        if let Some(old) = row.logo_key {
            self.remove_object(&old).await;
        }
        Ok(())
    }

    async fn name_logo(&self, id: WebinarId, key: Option<&str>) -> Result<()> {
        let transaction = self.backend.db().begin().await?;
        hold_changeable(&transaction, self.id).await?;
        queries::set_logo(&transaction, self.id, id, key, self.backend.now()).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// The picture as we keep it: PNG, upright, at most [`KEPT_WIDTH`] wide, without metadata.
fn remade(file: &[u8]) -> Result<Vec<u8>> {
    let no_picture = || Refusal {
        field: Some("logo".to_owned()),
        ..Refusal::new(
            RefusalKind::WrongKind,
            "This file is no PNG, JPEG or WebP picture we can read. Please export it anew.",
        )
    };
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| no_picture())?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) {
        return Err(no_picture().into());
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| no_picture())?;
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE || height > MAX_SIDE {
        let message = format!("This picture has {width} × {height} pixels. A logo can have 4,000 on each side.");
        return Err(Refusal { field: Some("logo".to_owned()), ..Refusal::new(RefusalKind::TooLarge, message) }.into());
    }
    let orientation = decoder.orientation().map_err(|_| no_picture())?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| no_picture())?;
    picture.apply_orientation(orientation);
    if picture.width() > KEPT_WIDTH {
        // Both sides bound it: a tall strip becomes narrower still, never taller than its width allows.
        picture = picture.resize(KEPT_WIDTH, MAX_SIDE, FilterType::CatmullRom);
    }
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|error| Error::fault("encode a logo", error))?;
    Ok(png.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height).write_to(&mut bytes, format).expect("encodes");
        bytes.into_inner()
    }

    fn refused(file: &[u8]) -> RefusalKind {
        remade(file).expect_err("refused").refusal().expect("a refusal, no fault").kind
    }

    #[test]
    fn a_wide_logo_is_kept_smaller_and_as_png() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let kept = remade(&picture(1_024, 300, format)).expect("accepted");
            let read = image::load_from_memory_with_format(&kept, ImageFormat::Png).expect("a PNG");
            assert_eq!((read.width(), read.height()), (512, 150));
        }
        let small = remade(&picture(40, 20, ImageFormat::Png)).expect("accepted");
        assert_eq!(image::load_from_memory(&small).expect("a PNG").width(), 40);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert_eq!(refused(b""), RefusalKind::WrongKind);
        assert_eq!(refused(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"), RefusalKind::WrongKind);
        assert_eq!(refused(&picture(10, 10, ImageFormat::Png)[..40]), RefusalKind::WrongKind);
    }

    #[test]
    fn a_small_file_that_unpacks_to_a_wall_is_refused() {
        assert_eq!(refused(&picture(4_001, 2, ImageFormat::Png)), RefusalKind::TooLarge);
    }
}
