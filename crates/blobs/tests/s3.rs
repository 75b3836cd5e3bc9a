//! The archive in a bucket: the real client against a server on this machine that speaks the part of S3 that is used, keeps
//! objects in memory, and recomputes every request's signature.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test binary of an edge crate"
)]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use alloy_primitives::B256;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use chlom_blobs::{
    BlobMeta, Geometry,
    archive::{
        Archive, ArchiveError, Archived, Sharding,
        s3::{S3Config, S3Credentials},
    },
};
use sha2::{Digest, Sha256};

const KEY_ID: &str = "an-access-key";
const SECRET: &str = "a secret/with+signs";

#[derive(Clone, Default)]
struct Bucket {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    /// Requests that are answered with 503 before anything is served.
    busy: Arc<AtomicUsize>,
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    assert!(key.len() <= 64);
    let pad = |byte: u8| -> Vec<u8> { (0..64).map(|i| key.get(i).copied().unwrap_or(0) ^ byte).collect() };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

/// AWS signature version 4, as its documentation describes it.
fn is_signed(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
    let authorization = header("authorization");
    let field =
        |name: &str| authorization.split([' ', ',']).find_map(|part| part.strip_prefix(name)).unwrap_or("");
    let scope = field("Credential=").strip_prefix(&format!("{KEY_ID}/")).unwrap_or("");
    let (signed, payload) = (field("SignedHeaders="), hex::encode(Sha256::digest(body)));
    let mut query: Vec<_> = uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty()).collect();
    query.sort_unstable();
    let query: Vec<_> = query
        .iter()
        .map(|pair| if pair.contains('=') { pair.to_string() } else { format!("{pair}=") })
        .collect();
    let canonical: String = signed.split(';').map(|name| format!("{name}:{}\n", header(name))).collect();
    let request = format!("{method}\n{}\n{}\n{canonical}\n{signed}\n{payload}", uri.path(), query.join("&"));
    let request = hex::encode(Sha256::digest(request));
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{request}", header("x-amz-date"));
    let key = scope
        .split('/')
        .fold(format!("AWS4{SECRET}").into_bytes(), |key, part| hmac(&key, part.as_bytes()).to_vec());
    header("x-amz-content-sha256") == payload
        && field("Signature=") == hex::encode(hmac(&key, to_sign.as_bytes()))
}

fn found(object: &Bytes) -> Response {
    let headers = [("etag", "\"e\""), ("last-modified", "Sat, 01 Aug 2026 00:00:00 GMT")];
    (headers, object.clone()).into_response()
}

async fn serve(
    State(bucket): State<Bucket>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if bucket.busy.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if !is_signed(&method, &uri, &headers, &body) {
        return (StatusCode::FORBIDDEN, "<Error><Code>SignatureDoesNotMatch</Code></Error>").into_response();
    }
    let Some(path) = uri.path().strip_prefix("/bucket") else { return StatusCode::NOT_FOUND.into_response() };
    let (key, query) = (path.trim_start_matches('/').to_string(), uri.query().unwrap_or(""));
    let mut objects = bucket.objects.lock().unwrap();
    match method {
        Method::PUT => {
            objects.insert(key, body);
            ([("etag", "\"e\"")], "").into_response()
        }
        Method::GET if query.contains("list-type=2") => {
            let prefix = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("prefix="))
                .unwrap_or("")
                .replace("%2F", "/");
            let entries: String = objects
                .iter()
                .filter(|(key, _)| key.starts_with(&prefix))
                .map(|(key, object)| format!("<Contents><Key>{key}</Key><LastModified>2026-08-01T00:00:00.000Z</LastModified><ETag>e</ETag><Size>{}</Size></Contents>", object.len()))
                .collect();
            format!("<ListBucketResult>{entries}</ListBucketResult>").into_response()
        }
        Method::GET | Method::HEAD => objects.get(&key).map_or(StatusCode::NOT_FOUND.into_response(), found),
        Method::DELETE => {
            objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        Method::POST if query.contains("delete") => {
            let text = String::from_utf8(body.to_vec()).unwrap();
            let keys =
                text.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>")).map(|(key, _)| key);
            let deleted: String = keys
                .inspect(|key| drop(objects.remove(*key)))
                .map(|key| format!("<Deleted><Key>{key}</Key></Deleted>"))
                .collect();
            format!("<DeleteResult>{deleted}</DeleteResult>").into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn start() -> (Bucket, S3Config) {
    let bucket = Bucket::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new()
        .fallback(serve)
        .layer(axum::extract::DefaultBodyLimit::max(8 << 20))
        .with_state(bucket.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let config = S3Config {
        bucket: "bucket".into(),
        region: "us-east-1".into(),
        endpoint: Some(endpoint),
        prefix: "node-1".into(),
        allow_http: true,
        credentials: credentials(SECRET).unwrap(),
    };
    (bucket, config)
}

fn credentials(secret: &str) -> Result<S3Credentials, ArchiveError> {
    credentials_file(&format!("AWS_ACCESS_KEY_ID = {KEY_ID}\nAWS_SECRET_ACCESS_KEY={secret}\n"), 0o600)
}

fn credentials_file(text: &str, mode: u32) -> Result<S3Credentials, ArchiveError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s3.credentials");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    S3Credentials::from_file(&file)
}

fn blob() -> (BlobMeta, Vec<u8>) {
    let geometry = Geometry::new(2).unwrap();
    let meta = BlobMeta {
        id: B256::repeat_byte(9),
        geometry,
        header: [7; 109],
        commitments: vec![[1; 48]; 2],
        expires_at: u64::MAX,
    };
    (meta, (0..geometry.data_bytes()).map(|i| ((i * 7) >> 2) as u8).collect())
}

#[tokio::test]
async fn a_bucket_keeps_blobs_as_a_folder_does() {
    let ((bucket, config), (meta, data)) = (start().await, blob());
    let archive = Archive::s3(&config, Sharding::default()).unwrap();
    assert!(matches!(archive.restore(&meta.id).await, Err(ArchiveError::Unknown { .. })));
    assert_eq!(archive.put(&meta, data.clone()).await.unwrap(), Archived { uploaded: 6, already: 0 });
    assert_eq!(archive.put(&meta, data.clone()).await.unwrap(), Archived { uploaded: 0, already: 6 });
    let names: Vec<_> = bucket.objects.lock().unwrap().keys().cloned().collect();
    assert_eq!(names[0], format!("node-1/blobs/{}/4-of-6/0", "09".repeat(32)));
    bucket.objects.lock().unwrap().remove(&names[1]);
    bucket.objects.lock().unwrap().insert(names[2].clone(), Bytes::from_static(b"damaged"));
    let restored = archive.restore(&meta.id).await.unwrap();
    assert_eq!((&restored.meta, &restored.data, restored.damaged.len()), (&meta, &data, 1));
    let audit = archive.repair(&meta.id).await.unwrap();
    assert_eq!((audit.missing, audit.damaged), (vec![1], vec![2]));
    assert!(archive.audit(&meta.id).await.unwrap().is_whole());
    assert_eq!(archive.remove(&meta.id).await.unwrap(), 6);
    assert!(bucket.objects.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_wrong_secret_is_an_error_and_never_shown() {
    let ((bucket, config), (meta, data)) = (start().await, blob());
    let wrong = S3Config { credentials: credentials("another-secret").unwrap(), ..config };
    let archive = Archive::s3(&wrong, Sharding::default()).unwrap();
    let refused = archive.put(&meta, data).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::Store { .. }), "{refused}");
    assert!(bucket.objects.lock().unwrap().is_empty());
    assert!(!format!("{refused} {refused:?} {wrong:?} {archive:?}").contains("another-secret"));
}

#[tokio::test]
async fn a_busy_service_is_asked_again() {
    let ((bucket, config), (meta, data)) = (start().await, blob());
    bucket.busy.store(3, SeqCst);
    let archive = Archive::s3(&config, Sharding::default()).unwrap();
    assert_eq!(archive.put(&meta, data).await.unwrap().uploaded, 6);
    assert_eq!(bucket.busy.load(SeqCst), 0);
}

#[tokio::test]
async fn an_endpoint_without_tls_must_be_allowed() {
    let (_, config) = start().await;
    let refused = Archive::s3(&S3Config { allow_http: false, ..config }, Sharding::default()).unwrap_err();
    assert!(matches!(refused, ArchiveError::Config { .. }), "{refused}");
}

#[test]
fn tls_is_rustls_with_ring() {
    let config = S3Config {
        bucket: "bucket".into(),
        region: "eu-central-1".into(),
        endpoint: None,
        prefix: String::new(),
        allow_http: false,
        credentials: credentials(SECRET).unwrap(),
    };
    Archive::s3(&config, Sharding::default()).unwrap();
    let provider = rustls::crypto::CryptoProvider::get_default().unwrap();
    assert!(format!("{:?}", provider.key_provider).contains("Ring"), "{:?}", provider.key_provider);
}

#[test]
fn credentials_that_others_may_read_or_that_lack_a_part_are_refused() {
    let whole = format!("AWS_ACCESS_KEY_ID={KEY_ID}\nAWS_SECRET_ACCESS_KEY={SECRET}\n");
    for mode in [0o640, 0o604, 0o660, 0o644] {
        let refused = credentials_file(&whole, mode).unwrap_err().to_string();
        assert!(refused.contains(&format!("{mode:o}")) && refused.contains("chmod 600"), "{refused}");
    }
    let refused = credentials_file("AWS_ACCESS_KEY_ID=x\nAWS_SECRET_ACCESS_KEY=\n", 0o600).unwrap_err();
    assert!(refused.to_string().contains("does not set AWS_SECRET_ACCESS_KEY"), "{refused}");
    assert!(S3Credentials::from_file("no/such/file".as_ref()).is_err());
    assert!(!format!("{:?}", credentials_file(&whole, 0o600).unwrap()).contains(SECRET));
}
