//! What a recording is, and what must be done before a browser likes it: telling media from other files by content,
//! reading length and codecs, moving an index to the front, taking stills and reading captions.
//!
//! Everything here reads bytes a stranger sent. No function panics on them, none allocates by a size they claim, and
//! every loop over them has a bound.
//!
//! MP4 and Matroska headers are read by our own small parsers rather than a demuxer crate: a demuxer builds a table per
//! sample and wants `Read + Seek`, while a probe needs a dozen fields from a few ranges of a remote object.

pub mod captions;
pub mod faststart;
pub mod ffmpeg;
pub mod probe;
pub mod sniff;
pub mod source;

mod codec;
mod matroska;
mod mp4;

#[cfg(test)]
mod samples;
