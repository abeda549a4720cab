//! How a PostgreSQL copy is put together: tables one after the other, parents before children, each as a beginning, its
//! data in the text form of `COPY`, and an end that tells how many rows there were.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::Incoming;

/// Longest frame that is believed: far above what is written.
const LONGEST: usize = 64 << 20;
const HEAD: usize = 5;

/// What a table's beginning says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TableHead {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Table(TableHead),
    Data(Bytes),
    TableEnd { rows: u64 },
    End,
}

/// A copy does not read as one.
#[derive(Debug, thiserror::Error)]
#[error("it does not read as a copy")]
pub(super) struct Malformed;

impl Frame {
    pub(super) fn written(&self) -> Result<Bytes, serde_json::Error> {
        let (tag, payload) = match self {
            Self::Table(head) => (b'T', Bytes::from(serde_json::to_vec(head)?)),
            Self::Data(data) => (b'D', data.clone()),
            Self::TableEnd { rows } => (b'E', Bytes::copy_from_slice(&rows.to_be_bytes())),
            Self::End => (b'Z', Bytes::new()),
        };
        let mut written = BytesMut::with_capacity(HEAD + payload.len());
        written.put_u8(tag);
        written.put_u32(u32::try_from(payload.len()).unwrap_or(u32::MAX));
        written.put(payload);
        Ok(written.freeze())
    }

    fn read(tag: u8, payload: Bytes) -> Result<Self, Malformed> {
        match tag {
            b'T' => serde_json::from_slice(&payload).map(Self::Table).map_err(|_| Malformed),
            b'D' => Ok(Self::Data(payload)),
            b'E' => {
                let rows = payload.as_ref().try_into().map_err(|_| Malformed)?;
                Ok(Self::TableEnd { rows: u64::from_be_bytes(rows) })
            }
            b'Z' if payload.is_empty() => Ok(Self::End),
            _ => Err(Malformed),
        }
    }
}

/// Takes frames out of the pieces they came in.
pub(super) struct Frames<'a, E> {
    pieces: Incoming<'a, E>,
    buffer: BytesMut,
}

/// Why there is no next frame.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped<E: std::error::Error> {
    /// The pieces ended with an error.
    #[error(transparent)]
    Source(E),
    /// They are no copy.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl<'a, E: std::error::Error> Frames<'a, E> {
    pub(super) fn of(pieces: Incoming<'a, E>) -> Self {
        Self { pieces, buffer: BytesMut::new() }
    }

    async fn has(&mut self, bytes: usize) -> Result<bool, Stopped<E>> {
        while self.buffer.len() < bytes {
            match self.pieces.try_next().await.map_err(Stopped::Source)? {
                Some(piece) => self.buffer.extend_from_slice(&piece),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The next frame; nothing is read behind the last one, and a copy without it is none.
    pub(super) async fn next(&mut self) -> Result<Frame, Stopped<E>> {
        if !self.has(HEAD).await? {
            return Err(Malformed.into());
        }
        let tag = self.buffer[0];
        let length = (&self.buffer[1..HEAD]).get_u32() as usize;
        if length > LONGEST || !self.has(HEAD + length).await? {
            return Err(Malformed.into());
        }
        self.buffer.advance(HEAD);
        let frame = Frame::read(tag, self.buffer.split_to(length).freeze())?;
        if frame == Frame::End && (!self.buffer.is_empty() || self.has(1).await?) {
            return Err(Malformed.into());
        }
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;

    fn pieces_of(bytes: &[u8], size: usize) -> Frames<'static, std::io::Error> {
        let pieces: Vec<_> = bytes.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        Frames::of(futures::stream::iter(pieces).boxed())
    }

    #[tokio::test]
    async fn frames_come_back_however_they_are_cut() {
        let frames = [
            Frame::Table(TableHead { name: "coach".to_owned(), columns: vec!["id".to_owned()] }),
            Frame::Data(Bytes::from_static(b"1\n2\n")),
            Frame::TableEnd { rows: 2 },
            Frame::End,
        ];
        let written: Vec<u8> = frames.iter().flat_map(|frame| frame.written().expect("writes").to_vec()).collect();
        for size in [1, 3, 7, written.len()] {
            let mut read = pieces_of(&written, size);
            for frame in &frames {
                assert_eq!(read.next().await.expect("reads"), *frame);
            }
        }
        for cut in 0..written.len() {
            let mut read = pieces_of(&written[..cut], 5);
            let mut ended = false;
            while let Ok(frame) = read.next().await {
                ended = frame == Frame::End;
            }
            assert!(!ended, "cut after {cut} bytes it is still taken for the whole");
        }
    }
}
