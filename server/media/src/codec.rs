//! Which codecs browsers play, and what people call the others.

/// What a browser makes of a picture or sound format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// Accepted, under this stored name.
    Plays(&'static str),
    /// Refused; the name people know it by.
    Refused(&'static str),
}

/// Picture formats by their MP4 sample entry.
pub(crate) fn mp4_video(entry: [u8; 4]) -> Codec {
    match &entry {
        b"avc1" | b"avc2" | b"avc3" | b"avc4" => Codec::Plays("h264"),
        b"hvc1" | b"hev1" | b"dvh1" | b"dvhe" => Codec::Plays("hevc"),
        b"vp08" => Codec::Plays("vp8"),
        b"vp09" => Codec::Plays("vp9"),
        b"av01" => Codec::Plays("av1"),
        b"apcn" | b"apch" | b"apcs" | b"apco" | b"ap4h" | b"ap4x" => Codec::Refused("Apple ProRes"),
        b"AVdn" | b"AVdh" => Codec::Refused("Avid DNx"),
        b"mp4v" => Codec::Refused("MPEG-4 Part 2"),
        b"s263" | b"h263" | b"H263" => Codec::Refused("H.263"),
        b"jpeg" | b"mjpa" | b"mjpb" => Codec::Refused("Motion JPEG"),
        b"mp2v" | b"m2v1" | b"hdv1" | b"hdv2" | b"hdv3" => Codec::Refused("MPEG-2"),
        b"dvc " | b"dvcp" | b"dvpp" | b"dv5n" | b"dv5p" => Codec::Refused("DV"),
        b"SVQ1" | b"SVQ3" => Codec::Refused("Sorenson Video"),
        b"rle " => Codec::Refused("QuickTime Animation"),
        b"CFHD" => Codec::Refused("CineForm"),
        _ => Codec::Refused("an unknown format"),
    }
}

/// Sound formats by their MP4 sample entry, except `mp4a`, whose descriptor decides (see [`mp4_object_type`]).
pub(crate) fn mp4_audio(entry: [u8; 4]) -> Codec {
    match &entry {
        b".mp3" => Codec::Plays("mp3"),
        b"Opus" => Codec::Plays("opus"),
        b"fLaC" => Codec::Plays("flac"),
        b"ac-3" | b"ec-3" | b"ac-4" => Codec::Refused("Dolby sound"),
        b"dtsc" | b"dtse" | b"dtsh" | b"dtsl" => Codec::Refused("DTS"),
        b"alac" => Codec::Refused("Apple Lossless"),
        b"samr" | b"sawb" => Codec::Refused("AMR"),
        b"lpcm" | b"sowt" | b"twos" | b"in24" | b"in32" | b"fl32" | b"fl64" | b"raw " | b"ipcm" | b"fpcm" => {
            Codec::Refused("uncompressed sound (PCM)")
        }
        _ => Codec::Refused("an unknown format"),
    }
}

/// Sound in an `mp4a` entry by its object type indication (ISO 14496-1, registered at mp4ra.org).
pub(crate) fn mp4_object_type(indication: u8) -> Codec {
    match indication {
        0x40 | 0x66..=0x68 => Codec::Plays("aac"),
        0x69 | 0x6B => Codec::Plays("mp3"),
        0xAD => Codec::Plays("opus"),
        0xDD => Codec::Plays("vorbis"),
        0xC1 => Codec::Plays("flac"),
        0xA5 | 0xA6 => Codec::Refused("Dolby sound"),
        0xA9 | 0xAC => Codec::Refused("DTS"),
        _ => Codec::Refused("an unknown format"),
    }
}

/// Picture formats by Matroska codec id.
pub(crate) fn matroska_video(id: &[u8]) -> Codec {
    match id {
        b"V_MPEG4/ISO/AVC" => Codec::Plays("h264"),
        b"V_MPEGH/ISO/HEVC" => Codec::Plays("hevc"),
        b"V_VP8" => Codec::Plays("vp8"),
        b"V_VP9" => Codec::Plays("vp9"),
        b"V_AV1" => Codec::Plays("av1"),
        b"V_THEORA" => Codec::Refused("Theora"),
        b"V_PRORES" => Codec::Refused("Apple ProRes"),
        b"V_FFV1" => Codec::Refused("FFV1"),
        b"V_MPEG1" | b"V_MPEG2" => Codec::Refused("MPEG-2"),
        b"V_MPEG4/ISO/SP" | b"V_MPEG4/ISO/ASP" | b"V_MPEG4/ISO/AP" => Codec::Refused("MPEG-4 Part 2"),
        _ => Codec::Refused("an unknown format"),
    }
}

/// Sound formats by Matroska codec id.
pub(crate) fn matroska_audio(id: &[u8]) -> Codec {
    match id {
        b"A_MPEG/L3" => Codec::Plays("mp3"),
        b"A_OPUS" => Codec::Plays("opus"),
        b"A_VORBIS" => Codec::Plays("vorbis"),
        b"A_FLAC" => Codec::Plays("flac"),
        _ if id.starts_with(b"A_AAC") => Codec::Plays("aac"),
        _ if id.starts_with(b"A_AC3") || id.starts_with(b"A_EAC3") => Codec::Refused("Dolby sound"),
        _ if id.starts_with(b"A_DTS") => Codec::Refused("DTS"),
        _ if id.starts_with(b"A_PCM") => Codec::Refused("uncompressed sound (PCM)"),
        _ => Codec::Refused("an unknown format"),
    }
}
