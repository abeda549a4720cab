//! `/uploads`: tus 1.0 with creation, termination, checksum and expiration, for our own uploader and for unmodified
//! tus clients.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use backend::Error;
use backend::uploads::{Appended, Checksum, UploadMetadata, UploadStatus, Uploader};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Refusal;
use domain::ids::UploadId;
use domain::video::MAX_UPLOAD_BYTES;

use super::answer::plain;
use crate::state::AppState;

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
/// tus: the checksum does not match.
const CHECKSUM_MISMATCH: u16 = 460;

fn tus(mut response: Response) -> Response {
    response.headers_mut().insert(RESUMABLE, HeaderValue::from_static("1.0.0"));
    response
}

/// What this server can do (tus OPTIONS).
pub async fn options() -> Response {
    let headers = [
        (HeaderName::from_static("tus-version"), "1.0.0".to_owned()),
        (HeaderName::from_static("tus-extension"), "creation,termination,checksum,expiration".to_owned()),
        (HeaderName::from_static("tus-max-size"), MAX_UPLOAD_BYTES.to_string()),
        (HeaderName::from_static("tus-checksum-algorithm"), "sha1,sha256".to_owned()),
    ];
    tus((StatusCode::NO_CONTENT, headers).into_response())
}

async fn uploader(
    state: &AppState,
    token: &app::context::SessionToken,
    headers: &HeaderMap,
) -> Result<Uploader, Error> {
    let bearer = text(headers, &header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    if let Some(token) = bearer {
        return state.backend.uploader_by_token(token);
    }
    match &token.0 {
        Some(token) => {
            let coach = state.backend.coach_by_token(token).await?;
            coach.map(|coach| coach.uploader()).ok_or_else(|| Refusal::sign_in().into())
        }
        None => Err(Refusal::sign_in().into()),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn wrong_version(headers: &HeaderMap) -> Option<Response> {
    if text(headers, &RESUMABLE) == Some("1.0.0") {
        return None;
    }
    let version = [(HeaderName::from_static("tus-version"), "1.0.0")];
    Some(tus((StatusCode::PRECONDITION_FAILED, version, "This server speaks tus 1.0.0.").into_response()))
}

/// Why a request was not done.
#[derive(Debug)]
enum Problem {
    /// A header is malformed: the program's mistake, not something a person could mend.
    Header(String),
    /// Anything else.
    Refused(Error),
}

impl<E: Into<Error>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, Problem> {
    text(headers, name)
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| Problem::Header(format!("The header {name} has to be a whole number.")))
}

fn id(text: &str) -> Result<UploadId, Error> {
    text.parse().map_err(|_| Refusal::not_found().into())
}

/// `key base64,key base64` (tus §3.2.4); unknown keys are passed over.
fn metadata(text: &str) -> Result<UploadMetadata, Problem> {
    let wrong = || Problem::Header("The header Upload-Metadata is malformed.".to_owned());
    let mut found = UploadMetadata::default();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = STANDARD.decode(value.trim()).map_err(|_| wrong())?;
        let value = String::from_utf8(value).map_err(|_| wrong())?;
        match key {
            "filename" | "name" => found.file_name = value,
            "webinar" => found.webinar = Some(value.parse().map_err(|_| Refusal::not_found())?),
            _ => {}
        }
    }
    Ok(found)
}

fn checksum(text: &str) -> Result<Checksum, Problem> {
    let wrong =
        || Problem::Header("The header Upload-Checksum has to name sha1 or sha256 and a base64 value.".to_owned());
    let (algorithm, value) = text.split_once(' ').ok_or_else(wrong)?;
    let value = STANDARD.decode(value.trim()).map_err(|_| wrong())?;
    match (algorithm, value.len()) {
        ("sha1", 20) => Ok(Checksum::Sha1(value)),
        ("sha256", 32) => Ok(Checksum::Sha256(value)),
        _ => Err(wrong()),
    }
}

fn with_status(code: StatusCode, status: &UploadStatus) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(OFFSET, HeaderValue::from(status.offset));
    if !status.complete
        && let Ok(expires) = HeaderValue::from_str(&domain::moment::http_date(status.expires_at))
    {
        headers.insert(EXPIRES, expires);
    }
    (code, headers).into_response()
}

fn refused(problem: Problem) -> Response {
    let mut response = match problem {
        Problem::Header(message) => (StatusCode::BAD_REQUEST, message).into_response(),
        Problem::Refused(error) => plain(error),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    tus(response)
}

/// Begins an upload (tus POST).
pub async fn create(
    State(state): State<AppState>,
    Extension(token): Extension<app::context::SessionToken>,
    headers: HeaderMap,
) -> Response {
    if let Some(response) = wrong_version(&headers) {
        return response;
    }
    let created = async {
        let uploader = uploader(&state, &token, &headers).await?;
        if headers.contains_key("upload-defer-length") {
            return Err(Problem::Header("The length of the file has to be known at the start.".to_owned()));
        }
        let length = number(&headers, &LENGTH)?;
        let metadata = metadata(text(&headers, &METADATA).unwrap_or_default())?;
        Ok(uploader.create_upload(length, metadata).await?)
    };
    match created.await {
        Ok(status) => {
            let mut response = with_status(StatusCode::CREATED, &status);
            let location = state.backend.config().absolute(&format!("/uploads/{}", status.id));
            if let Ok(location) = HeaderValue::from_str(&location) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            tus(response)
        }
        Err(error) => refused(error),
    }
}

/// Where an upload stands (tus HEAD).
pub async fn status(
    State(state): State<AppState>,
    Extension(token): Extension<app::context::SessionToken>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = async { Ok(uploader(&state, &token, &headers).await?.upload_status(id(&name)?).await?) };
    match found.await {
        Ok(status) => {
            let mut response = with_status(StatusCode::OK, &status);
            response.headers_mut().insert(LENGTH, HeaderValue::from(status.length));
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            tus(response)
        }
        Err(error) => refused(error),
    }
}

/// Takes a piece (tus PATCH).
pub async fn append(
    State(state): State<AppState>,
    Extension(token): Extension<app::context::SessionToken>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if let Some(response) = wrong_version(&headers) {
        return response;
    }
    if text(&headers, &header::CONTENT_TYPE) != Some("application/offset+octet-stream") {
        return tus((
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The content type of a piece is application/offset+octet-stream.",
        )
            .into_response());
    }
    let appended = async {
        let uploader = uploader(&state, &token, &headers).await?;
        let checksum = text(&headers, &CHECKSUM).map(checksum).transpose()?;
        let offset = number(&headers, &OFFSET)?;
        Ok(uploader.append(id(&name)?, offset, checksum, body.into_data_stream()).await?)
    };
    match appended.await {
        Ok(Appended::Upto(status)) => tus(with_status(StatusCode::NO_CONTENT, &status)),
        Ok(Appended::WrongOffset) => {
            tus((StatusCode::CONFLICT, "The upload stands elsewhere; ask with HEAD where.").into_response())
        }
        Ok(Appended::ChecksumMismatch) => {
            let code = StatusCode::from_u16(CHECKSUM_MISMATCH).unwrap_or(StatusCode::BAD_REQUEST);
            tus((code, "The piece arrived damaged and was not kept. Send it again.").into_response())
        }
        Err(error) => refused(error),
    }
}

/// For networks that let nothing but GET and POST through: the header names the method meant (tus §3.2.3).
pub async fn overridden(
    state: State<AppState>,
    token: Extension<app::context::SessionToken>,
    name: Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match text(&headers, &METHOD_OVERRIDE) {
        Some("PATCH") => append(state, token, name, headers, body).await,
        Some("DELETE") => terminate(state, token, name, headers).await,
        Some("HEAD") => status(state, token, name, headers).await,
        _ => tus(StatusCode::METHOD_NOT_ALLOWED.into_response()),
    }
}

/// Gives an upload up (tus DELETE).
pub async fn terminate(
    State(state): State<AppState>,
    Extension(token): Extension<app::context::SessionToken>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(response) = wrong_version(&headers) {
        return response;
    }
    let ended = async { Ok(uploader(&state, &token, &headers).await?.terminate_upload(id(&name)?).await?) };
    match ended.await {
        Ok(()) => tus(StatusCode::NO_CONTENT.into_response()),
        Err(error) => refused(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_decoded_and_unknown_keys_are_passed_over() {
        let found = metadata("filename dGFsay5tcDQ=, filetype dmlkZW8vbXA0,is_confidential").expect("valid");
        assert_eq!(found.file_name, "talk.mp4");
        assert!(metadata("filename !!!").is_err());
    }

    #[test]
    fn only_known_checksums_of_the_right_length_are_taken() {
        assert!(checksum("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").is_ok());
        for bad in ["sha1", "md5 AAAA", "sha1 AAAA", "sha1 ???"] {
            assert!(checksum(bad).is_err(), "{bad}");
        }
    }
}
