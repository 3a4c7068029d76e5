//! What a handle is made from: endpoints, organisation and sandbox, credentials, limits.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

/// Everything a handle on one sandbox needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The base URLs.
    pub endpoints: Endpoints,
    /// The organisation, such as `0123456789ABCDEF@AdobeOrg`.
    pub ims_org_id: String,
    /// The sandbox's name in lower case (not its title).
    pub sandbox_name: String,
    /// The credentials.
    pub credentials: Credentials,
    /// The rate limit.
    pub limits: Limits,
    /// The longest a single attempt may take, body included. 30 seconds is a good value.
    pub timeout: Duration,
}

/// Base URLs without a trailing slash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoints {
    /// Adobe's identity service.
    pub ims: String,
    /// The gateway in front of all other services.
    pub platform: String,
}

impl Default for Endpoints {
    /// Adobe's production.
    fn default() -> Self {
        Self {
            ims: "https://ims-na1.adobelogin.com".into(),
            platform: "https://platform.adobe.io".into(),
        }
    }
}

/// The limits that all clones of one handle share. Zero counts as one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limits {
    /// Requests per second in the long run.
    pub requests_per_second: u32,
    /// Requests that may be sent at once after an idle time.
    pub burst: u32,
    /// Requests that may be in flight at the same time.
    pub max_concurrent_requests: u32,
}

/// The credentials of the calls. `Debug` shows no secret.
#[derive(Clone)]
pub enum Credentials {
    /// OAuth server-to-server: access tokens are fetched from IMS and renewed before they expire.
    OAuth {
        /// The client id, which is also the API key.
        client_id: String,
        /// The client secret.
        client_secret: SecretString,
        /// The scopes to ask for, as shown for the credential in Adobe's developer console.
        scopes: Vec<String>,
    },
    /// An access token that someone else renews.
    Token {
        /// The client id the token was issued to, which is also the API key.
        client_id: String,
        /// The token.
        access_token: SecretString,
    },
}

impl Credentials {
    /// A fingerprint of other secrets, keyed with ours: it shows whether they have changed, and without the key it does not
    /// reveal what they are.
    #[must_use]
    pub fn fingerprint<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret().expose_secret().as_bytes());
        let mut context = hmac::Context::with_key(&key);
        for part in parts {
            // The length keeps "ab", "c" apart from "a", "bc".
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        // Half of it is enough to notice a change.
        let half = tag.as_ref().first_chunk().copied().unwrap_or_default();
        format!("{:032x}", u128::from_be_bytes(half))
    }

    /// The client id, sent as the API key.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::OAuth { client_id, .. } | Self::Token { client_id, .. } => client_id,
        }
    }

    /// The scopes of a token to be fetched; none for a fixed token.
    pub(super) fn scopes(&self) -> &[String] {
        match self {
            Self::OAuth { scopes, .. } => scopes,
            Self::Token { .. } => &[],
        }
    }

    /// Whether both are the same, secrets included.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        let same_secrets = self.secret().expose_secret() == other.secret().expose_secret();
        let same_kind = std::mem::discriminant(self) == std::mem::discriminant(other);
        let same_scopes = self.scopes() == other.scopes();
        same_secrets && same_kind && same_scopes && self.client_id() == other.client_id()
    }

    /// The client secret, or the fixed token.
    pub(super) fn secret(&self) -> &SecretString {
        match self {
            Self::OAuth { client_secret, .. } => client_secret,
            Self::Token { access_token, .. } => access_token,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OAuth {
                client_id, scopes, ..
            } => f
                .debug_struct("OAuth")
                .field("client_id", client_id)
                .field("scopes", scopes)
                .finish_non_exhaustive(),
            Self::Token { client_id, .. } => f
                .debug_struct("Token")
                .field("client_id", client_id)
                .finish_non_exhaustive(),
        }
    }
}
