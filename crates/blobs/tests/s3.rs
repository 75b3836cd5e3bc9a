//! The archive in a bucket: the real client against a real S3 service (`s3s-fs`, which keeps objects as files and checks every
//! request's signature) in this process.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test binary of an edge crate"
)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use alloy_primitives::B256;
use chlom_blobs::{
    BlobMeta, Geometry,
    archive::{
        Archive, ArchiveError, Archived, Sharding,
        s3::{S3Config, S3Credentials},
    },
};
use hyper::service::service_fn;
use hyper_util::{rt::TokioIo, server::conn::auto};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;

const KEY_ID: &str = "an-access-key";
const SECRET: &str = "a secret/with+signs";

/// A service with one bucket in a folder.
struct Bucket {
    folder: TempDir,
    /// Requests that are answered with 503 before anything is served.
    busy: Arc<AtomicUsize>,
}

impl Bucket {
    /// Objects below a folder of the bucket, sorted.
    fn objects(&self) -> Vec<PathBuf> {
        fn below(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().is_dir() {
                    below(&entry.path(), found);
                } else if !entry.file_name().to_string_lossy().starts_with('.') {
                    // Files that begin with a dot are the service's own notes.
                    found.push(entry.path());
                }
            }
        }
        let mut found = Vec::new();
        below(&self.folder.path().join("bucket"), &mut found);
        found.sort();
        found
    }
}

async fn start() -> (Bucket, S3Config) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("bucket")).unwrap();
    let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
    service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
    let (service, busy) = (service.build(), Arc::new(AtomicUsize::new(0)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let refusals = busy.clone();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (service, refusals) = (service.clone(), refusals.clone());
            let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let (service, refusals) = (service.clone(), refusals.clone());
                async move {
                    if refusals.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
                        let mut busy = hyper::Response::new(s3s::Body::empty());
                        *busy.status_mut() = hyper::StatusCode::SERVICE_UNAVAILABLE;
                        return Ok(busy);
                    }
                    service.call(request.map(s3s::Body::from)).await
                }
            });
            let executor = hyper_util::rt::TokioExecutor::new();
            tokio::spawn(async move {
                let _ = auto::Builder::new(executor).serve_connection(TokioIo::new(socket), answer).await;
            });
        }
    });
    let config = S3Config {
        bucket: "bucket".into(),
        region: "us-east-1".into(),
        endpoint: Some(endpoint),
        prefix: "node-1".into(),
        allow_http: true,
        credentials: credentials(SECRET).unwrap(),
    };
    (Bucket { folder, busy }, config)
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
async fn dam_14_a_bucket_keeps_blobs_as_a_folder_does() {
    let ((bucket, config), (meta, data)) = (start().await, blob());
    let archive = Archive::s3(&config, Sharding::default()).unwrap();
    archive.check().await.unwrap();
    assert!(matches!(archive.restore(&meta.id).await, Err(ArchiveError::Unknown { .. })));
    assert!(!archive.has(&meta.id).await.unwrap());
    assert_eq!(archive.put(&meta, data.clone()).await.unwrap(), Archived { uploaded: 6, already: 0 });
    assert_eq!(archive.put(&meta, data.clone()).await.unwrap(), Archived { uploaded: 0, already: 6 });
    assert!(archive.has(&meta.id).await.unwrap());
    archive.check().await.unwrap();
    let objects = bucket.objects();
    let first = format!("bucket/node-1/blobs/{}/4-of-6/0", "09".repeat(32));
    assert_eq!((objects.len(), &objects[0]), (6, &bucket.folder.path().join(first)));
    fs::remove_file(&objects[1]).unwrap();
    fs::write(&objects[2], b"damaged").unwrap();
    let restored = archive.restore(&meta.id).await.unwrap();
    assert_eq!((&restored.meta, &restored.data, restored.damaged.len()), (&meta, &data, 1));
    let audit = archive.repair(&meta.id).await.unwrap();
    assert_eq!((audit.missing, audit.damaged), (vec![1], vec![2]));
    assert!(archive.audit(&meta.id).await.unwrap().is_whole());
    assert_eq!(archive.remove(&meta.id).await.unwrap(), 6);
    assert!(bucket.objects().is_empty());
}

#[tokio::test]
async fn a_wrong_secret_is_a_refusal_and_never_shown() {
    let ((bucket, config), (meta, data)) = (start().await, blob());
    let wrong = S3Config { credentials: credentials("another-secret").unwrap(), ..config };
    let archive = Archive::s3(&wrong, Sharding::default()).unwrap();
    for refused in [archive.put(&meta, data).await.unwrap_err(), archive.check().await.unwrap_err()] {
        assert!(matches!(refused, ArchiveError::Store { .. }) && refused.is_refusal(), "{refused}");
        assert!(!format!("{refused} {refused:?} {wrong:?} {archive:?}").contains("another-secret"));
    }
    assert!(bucket.objects().is_empty());
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_a_refusal_and_a_service_that_is_not_there_is_none() {
    let (_bucket, config) = start().await;
    let nowhere = S3Config { bucket: "elsewhere".into(), ..config.clone() };
    let refused = Archive::s3(&nowhere, Sharding::default()).unwrap().check().await.unwrap_err();
    assert!(refused.is_refusal(), "{refused}");
    // A port that nobody listens on: bound and let go.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let out = S3Config { endpoint: Some(format!("http://{free}")), ..config };
    let error = Archive::s3(&out, Sharding::default()).unwrap().check().await.unwrap_err();
    assert!(!error.is_refusal(), "{error}");
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
    let (_bucket, config) = start().await;
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
