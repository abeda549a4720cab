//! Writing an archive: rows of one snapshot, then files, then what is missing, then the manifest over all of it.

mod files;
mod filling;
mod sheets;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use domain::Moment;
use domain::ids::ExportId;
use futures::StreamExt;
use futures::future::BoxFuture;
use persistence::sealed::SubjectKey;
use tokio::io::AsyncWriteExt;

use self::filling::Filling;
use super::Error;
use super::manifest::{FORMAT, MANIFEST, Manifest, SIGNATURE, Signature};
use super::packer::{Entry, Packer};
use super::rows::Snapshot;
use super::tables::{ArchivePlan, Home};
use crate::erasure::{Person, Stores};
use crate::plan::Root;
use crate::receipt::Signer;
use crate::{DataMap, canonical};

/// Told what is done, how many rows are written and how many there are; answers whether to go on.
pub type Progress = dyn Fn(&'static str, u64, u64) -> BoxFuture<'static, bool> + Send + Sync;

/// Where an archive goes.
pub enum Outlet<'a> {
    /// Into the storage, sealed.
    Stored {
        /// The object.
        object: &'a str,
        /// The archive's own key.
        key: SubjectKey,
    },
    /// Into a file, as it is; there only once it is whole.
    File(&'a Path),
}

/// An archive to be written.
pub struct Writing<'a> {
    /// Everywhere data sits.
    pub stores: &'a Stores,
    /// Whose.
    pub person: Person,
    /// Its id.
    pub archive: ExportId,
    /// Signs the manifest.
    pub signer: &'a Signer,
    /// Where people write about privacy.
    pub contact: &'a str,
    /// The service's own address.
    pub base_url: &'a str,
    /// Now.
    pub now: Moment,
    /// See [`Progress`].
    pub progress: &'a Progress,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Made {
    /// Bytes of the ZIP.
    pub size_bytes: u64,
    /// Their checksum.
    pub sha256: [u8; 32],
    /// Things it should hold and does not; it lists them.
    pub missing: u32,
    /// Rows in it.
    pub rows: u64,
}

impl Writing<'_> {
    /// Writes it.
    ///
    /// # Errors
    /// When a store fails, and when nobody wants it any more. Nothing that looks whole is left then.
    pub async fn write(&self, outlet: Outlet<'_>) -> Result<Made, Error> {
        let seal = match &outlet {
            Outlet::Stored { key, .. } => Some((key.clone(), *self.archive.as_bytes())),
            Outlet::File(_) => None,
        };
        let (packer, packing, thread) = Packer::start(seal, self.now);
        let writing = self.fill(packer);
        let storing = async {
            let chunks = futures::stream::unfold(packing, |mut packing| async move {
                packing.recv().await.map(|chunk| (chunk, packing))
            });
            match &outlet {
                Outlet::Stored { object, .. } => {
                    Ok::<(), Error>(self.stores.bucket.put_stream(object, chunks.boxed()).await?)
                }
                Outlet::File(path) => into_file(path, chunks.boxed()).await,
            }
        };
        let (written, stored) = tokio::join!(writing, storing);
        let packed = thread.await?;
        // A pipe that broke is told by whoever broke it: a reason to stop first, then the storage, then the packing.
        match (written, stored) {
            (Ok((missing, rows)), Ok(())) => {
                let packed = packed?;
                Ok(Made { size_bytes: packed.size_bytes, sha256: packed.sha256, missing, rows })
            }
            (Err(error), Ok(())) => Err(error),
            (Err(error), Err(_)) if !matches!(error, Error::Stopped) => Err(error),
            (Err(error), Err(_)) if matches!(packed, Err(Error::Stopped)) => Err(error),
            (_, Err(error)) => Err(error),
        }
    }

    async fn fill(&self, packer: Packer) -> Result<(u32, u64), Error> {
        let plan = ArchivePlan::new(DataMap::current(), self.person.root())?;
        let fresh = self.missing_checksums().await?;
        let transaction = self.stores.database.snapshot().await?;
        let from = Snapshot { conn: &transaction, person: self.person.id() };
        let mut total = 0;
        for table in &plan.tables {
            total += from.count(table).await?;
        }
        for table in ["registration", "beat"].into_iter().filter_map(|name| plan.data(name)) {
            total += from.count(table).await?;
        }
        let mut filling = Filling {
            writing: self,
            plan: &plan,
            packer: &packer,
            done: 0,
            looked_at: 0,
            total,
            missing: Vec::new(),
            unreadable: BTreeMap::new(),
            media: BTreeMap::new(),
            fresh,
            rows_of_class: BTreeMap::new(),
        };
        filling.look("Writing what is said of your rights").await?;
        filling.preface(&transaction).await?;
        for home in [Home::Data, Home::Access] {
            for table in plan.of(home) {
                filling.table(from, table).await?;
            }
        }
        for name in ["registration", "beat"] {
            if let Some(table) = plan.data(name) {
                filling.look("Writing tables for a spreadsheet").await?;
                filling.sheet(from, table).await?;
            }
        }
        let resting = filling.resting(from).await?;
        // From here on only files are read: a long copy does not keep deleted rows from being scrubbed.
        transaction.commit().await?;
        filling.look("Copying recordings").await?;
        filling.media().await?;
        filling.look("Sealing").await?;
        let (missing, rows) = (filling.omissions(resting).await?, filling.done);
        self.sign(&packer, missing).await?;
        packer.close().await?;
        Ok((missing, rows))
    }

    async fn sign(&self, packer: &Packer, missing: u32) -> Result<(), Error> {
        let kind = match self.person.root() {
            Root::Coach => "coach",
            Root::Subject => "viewer",
        };
        let manifest = Manifest {
            format: FORMAT.to_owned(),
            archive: self.archive.to_string(),
            kind: kind.to_owned(),
            person: self.person.id().to_string(),
            controller: self.person.coach().to_string(),
            snapshot_at: self.now.to_string(),
            map_sha256: hex::encode(DataMap::hash()),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            state: if missing == 0 { "ready" } else { "incomplete" }.to_owned(),
            files: packer.entries().await?,
        };
        let text = canonical::to_string(&serde_json::to_value(&manifest)?)?;
        let signature = canonical::to_string(&serde_json::to_value(Signature::of(self.signer, text.as_bytes()))?)?;
        packer.file(named(MANIFEST), text).await?;
        packer.file(named(SIGNATURE), signature).await
    }
}

async fn into_file(
    path: &Path,
    mut chunks: futures::stream::BoxStream<'_, Result<Bytes, storage::Error>>,
) -> Result<(), Error> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    let write = async {
        let mut file = tokio::fs::File::create(&partial).await?;
        while let Some(chunk) = chunks.next().await {
            file.write_all(&chunk?).await?;
        }
        file.sync_all().await?;
        Ok::<_, Error>(tokio::fs::rename(&partial, path).await?)
    };
    let written = write.await;
    if written.is_err() && tokio::fs::try_exists(&partial).await? {
        tokio::fs::remove_file(&partial).await?;
    }
    written
}

fn named(path: &str) -> Entry {
    Entry { path: path.to_owned(), ..Entry::default() }
}
