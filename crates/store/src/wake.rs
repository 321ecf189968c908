//! Hearing from other processes, over one connection of its own that LISTENs.
//!
//! A notification is a hint and carries nothing: whoever hears it looks at the tables. While the connection is down
//! notifications are lost, so a new connection counts as a notification on every channel.

use crate::signal::DIRTY_CHANNEL;
use crate::{Store, StoreError};
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use std::collections::VecDeque;

/// The channel on which other processes hear that a credential was added or revoked.
pub(crate) const CREDENTIALS_CHANNEL: &str = "rollcall_credentials";

/// The channel on which other processes hear that a tenant's schemas or the owners of its attributes changed.
pub(crate) const RULES_CHANNEL: &str = "rollcall_rules";

/// What another process (or this one) says has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wake {
    /// Deliveries became dirty: look for due ones.
    Dirty,
    /// Credentials were added or revoked: forget what was remembered about them.
    Credentials,
    /// Schemas or owners of attributes changed: forget what was remembered about them.
    Rules,
}

impl Wake {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Dirty, Self::Credentials, Self::Rules];

    const fn channel(self) -> &'static str {
        match self {
            Self::Dirty => DIRTY_CHANNEL,
            Self::Credentials => CREDENTIALS_CHANNEL,
            Self::Rules => RULES_CHANNEL,
        }
    }
}

/// One ear on all channels.
#[derive(Debug)]
pub struct Listener {
    pool: PgPool,
    /// `None` while there is no connection that can be trusted.
    ear: Option<PgListener>,
    /// Wakes to hand out before listening again.
    owed: VecDeque<Wake>,
}

impl Store {
    /// Starts to listen, over a connection besides those of the store.
    pub async fn listen(&self) -> Result<Listener, StoreError> {
        // The driver's listener wants a pool of the driver's.
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(self.pool().options().clone());
        let ear = Listener::connect(&pool).await?;
        Ok(Listener { pool, ear: Some(ear), owed: VecDeque::new() })
    }
}

impl Listener {
    /// Waits for the next notification. Can be dropped at any time without losing one.
    ///
    /// A lost connection is made anew; afterwards every [`Wake`] is handed out once, because nobody knows what was
    /// said meanwhile. An error means that the database cannot be reached now: wait a while and call again.
    pub async fn next(&mut self) -> Result<Wake, StoreError> {
        loop {
            if let Some(wake) = self.owed.pop_front() {
                return Ok(wake);
            }
            let Some(ear) = &mut self.ear else {
                self.ear = Some(Self::connect(&self.pool).await?);
                self.owed.extend(Wake::ALL);
                continue;
            };
            match ear.try_recv().await {
                Ok(Some(notification)) => {
                    let channel = notification.channel();
                    self.owed.extend(Wake::ALL.into_iter().find(|wake| wake.channel() == channel));
                }
                // The driver would mend some kinds of loss by itself, but not all: a fresh connection mends each.
                Ok(None) => self.ear = None,
                Err(error) => {
                    self.ear = None;
                    return Err(error.into());
                }
            }
        }
    }

    async fn connect(pool: &PgPool) -> Result<PgListener, StoreError> {
        let mut ear = PgListener::connect_with(pool).await?;
        ear.eager_reconnect(false);
        ear.listen_all(Wake::ALL.map(Wake::channel)).await?;
        Ok(ear)
    }
}
