//! Replacing the key of what is sealed, and telling which key sealed what.

use super::MasterKeys;
use super::key::{Field, Id, Place};
use anyhow::{Context, Result, bail};
use rollcall_store::Store;
use rollcall_store::projection::Sealed;
use std::path::Path;

/// How many values are read at once.
const BATCH: i64 = 100;
/// Enough of a value to know its key.
const PREFIX: i32 = 5;

/// How many values were sealed by which key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seals {
    /// The key; `None` for what was sealed before keys had ids.
    pub(crate) key: Option<Id>,
    /// How many.
    pub(crate) count: i64,
}

/// What came of sealing anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Resealed {
    /// How many values the newest key has sealed now.
    pub(crate) done: u64,
    /// How many no key of the file opens.
    pub(crate) unreadable: u64,
}

fn place(sealed: &Sealed) -> Place<'_> {
    let field = sealed.user.map_or(Field::AppSecret, Field::FirstPassword);
    Place { tenant: sealed.tenant, target: sealed.target, target_name: &sealed.target_name, field }
}

/// How many values each key has sealed.
pub(crate) async fn seals(store: &Store) -> Result<Vec<Seals>> {
    let counts = store.count_sealed(PREFIX).await?;
    let mut seals: Vec<Seals> = Vec::new();
    for count in counts {
        let key = Id::of_sealed(&count.prefix);
        match seals.iter_mut().find(|seals| seals.key == key) {
            Some(seals) => seals.count += count.count,
            None => seals.push(Seals { key, count: count.count }),
        }
    }
    Ok(seals)
}

/// Seals everything with the newest key, in batches, while servers run. Cut short, it is done again.
pub(crate) async fn reseal(store: &Store, keys: &MasterKeys) -> Result<Resealed> {
    let newest = keys.ids().first().copied().context("there is no master key")?.prefix();
    let (mut resealed, mut after) = (Resealed::default(), None);
    loop {
        let batch = store.sealed_otherwise(&newest, after.as_ref(), BATCH).await?;
        let Some(last) = batch.last() else { return Ok(resealed) };
        after = Some(last.clone());
        for sealed in &batch {
            let Ok(secret) = keys.open(&place(sealed), &sealed.value) else {
                tracing::warn!(target_id = %sealed.target, "the sealed secret of a target is opened by no master key");
                resealed.unreadable += 1;
                continue;
            };
            // Somebody may set another secret meanwhile, which is sealed by the newest key then.
            if store.seal_anew(sealed, &keys.seal(&place(sealed), &secret)?).await? {
                resealed.done += 1;
            }
        }
    }
}

/// Refuses to begin with a key file that opens nothing of what is sealed: it is another installation's, or was lost.
pub(crate) async fn check_readable(store: &Store, keys: Option<&MasterKeys>, path: &Path) -> Result<()> {
    let sealed = store.sealed_otherwise(&[0], None, BATCH).await?;
    if sealed.is_empty() {
        return Ok(());
    }
    let file = path.display();
    let Some(keys) = keys else {
        bail!(
            "the master key file {file} is not there, and the secrets of {} were sealed with it; put the file back, or name \
             it with ROLLCALL_MASTER_KEY_FILE",
            targets(&sealed)
        );
    };
    let unreadable: Vec<_> =
        sealed.into_iter().filter(|sealed| keys.open(&place(sealed), &sealed.value).is_err()).collect();
    let all = store.count_sealed(PREFIX).await?.iter().map(|count| count.count).sum::<i64>();
    if i64::try_from(unreadable.len()).is_ok_and(|number| number >= all.min(BATCH)) {
        bail!(
            "the master key file {file} opens none of the sealed secrets (of {}): it is another installation's; put the right \
             file back, or name it with ROLLCALL_MASTER_KEY_FILE",
            targets(&unreadable)
        );
    }
    for sealed in unreadable {
        tracing::error!(target_id = %sealed.target, "the sealed secret of a target is opened by no master key; set it anew");
    }
    Ok(())
}

/// `target dingtalk and 2 others`.
fn targets(sealed: &[Sealed]) -> String {
    let first = sealed.first().map_or("", |sealed| sealed.target_name.as_str());
    match sealed.len() {
        0 | 1 => format!("target {first}"),
        2 => format!("target {first} and another one"),
        number => format!("target {first} and {} others", number - 1),
    }
}
