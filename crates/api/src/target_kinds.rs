//! What this side knows of kinds of target. It cannot reach them: the binary, which knows their connectors, says what their
//! settings are, whether they can be used, and seals their secrets.

use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use secrecy::SecretString;
use serde_json::{Map, Value};

/// A setting of a kind of target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it is for, and what it can be.
    pub what: &'static str,
}

/// A setting that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} {problem}", .name.unwrap_or("a setting"))]
pub struct SettingProblem {
    /// Which one, as far as that is known.
    pub name: Option<&'static str>,
    /// What is wrong with it; continues a sentence that begins with the name.
    pub problem: String,
}

/// A secret could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
#[error("a secret could not be sealed or opened: {0}")]
pub struct NotSealed(pub String);

/// Whose secret it is: what is sealed can be opened in no other place.
#[derive(Clone, Copy, Debug)]
pub struct SecretOf<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The target.
    pub target: TargetId,
    /// Its name.
    pub name: &'a str,
}

/// The kinds of target that there are.
pub trait TargetKinds: Send + Sync {
    /// The settings of a kind; none for a kind that is unknown.
    fn settings(&self, kind: &str) -> &'static [Setting];

    /// All settings of a target, those that are not given as they are when nobody says anything.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    fn complete(&self, kind: &str, given: &Map<String, Value>) -> Result<Map<String, Value>, SettingProblem>;

    /// Whether the addresses among the settings may be named over HTTP, by whoever may set up a target: this server sends the
    /// application's secret there, and stands inside somebody's network. Those that `before` holds too have been agreed to.
    ///
    /// # Errors
    /// The first setting that names another host than the kind's own.
    fn check_addresses(
        &self,
        kind: &str,
        before: &Map<String, Value>,
        settings: &Map<String, Value>,
    ) -> Result<(), SettingProblem>;

    /// Whether a secret of this kind may be what it should be.
    ///
    /// # Errors
    /// What is wrong with it. The secret is not repeated.
    fn check_secret(&self, kind: &str, secret: &SecretString) -> Result<(), SettingProblem>;

    /// Seals a secret.
    ///
    /// # Errors
    /// There is no key, or no randomness.
    fn seal(&self, of: SecretOf<'_>, secret: &SecretString) -> Result<Vec<u8>, NotSealed>;

    /// Opens the first password of a person's account.
    ///
    /// # Errors
    /// It was sealed with a key that is not there any more.
    fn open_first_password(&self, of: SecretOf<'_>, user: ResourceId, sealed: &[u8])
    -> Result<SecretString, NotSealed>;
}
