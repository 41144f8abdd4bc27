//! The memory cache: from a request to its token, without a lock that a fetch could hold.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use azure_core::http::Context;
use papaya::{HashMap, Operation, ResizeMode};
use seize::Collector;
use tracing::debug;

use crate::{
    Environment, IdentityError,
    token::{AccessTokenInfo, ChainContext, TokenRequest},
};

use super::{
    TokenSource,
    flight::{Flights, Landed},
    key::{Key, KeyRef},
};

/// A token with no more than this left is not handed out without trying to get another first, in seconds.
const LEAST_LEFT: i64 = 60;

/// A token for which no renewal time is known is renewed this long before it expires, in seconds.
const RENEW_BEFORE_EXPIRY: i64 = 300;

/// How long no renewal is tried after one has failed, and the least time between two renewals, in seconds.
const RENEWAL_PAUSE: i64 = 30;

/// After this many insertions, and after as many as an eighth of what is there, expired tokens are swept out.
const SWEEP_EVERY: usize = 1024;

/// `renew_at` of a token whose renewal is under way.
const RENEWING: i64 = i64::MAX;

/// Frees what a map has let go of once nobody reads it any more. One for all maps: each would take 16 KiB of memory.
static COLLECTOR: LazyLock<Arc<Collector>> = LazyLock::new(|| Arc::new(Collector::new()));

/// A token and when to do something about it, in Unix seconds.
struct Entry {
    info: AccessTokenInfo,
    /// Which fetch it came from; a later one wins.
    fetch: u64,
    /// When a background renewal may start; [`RENEWING`] while one runs.
    renew_at: AtomicI64,
    /// Until when no renewal is tried, because the last one failed.
    paused_until: AtomicI64,
}

impl Entry {
    fn new(info: AccessTokenInfo, fetch: u64, now: i64) -> Self {
        let due = info.refresh_on_seconds().unwrap_or_else(|| {
            info.expires_on_seconds()
                .saturating_sub(RENEW_BEFORE_EXPIRY)
        });
        Self {
            info,
            fetch,
            renew_at: AtomicI64::new(due.max(now.saturating_add(RENEWAL_PAUSE))),
            paused_until: AtomicI64::new(0),
        }
    }

    /// No renewal before `when`, because one has failed.
    fn rest_until(&self, when: i64) {
        self.paused_until.store(when, Ordering::Relaxed);
        let renew_at = self.renew_at.load(Ordering::Relaxed);
        if renew_at == RENEWING || renew_at < when {
            self.renew_at.store(when, Ordering::Relaxed);
        }
    }

    /// Lets the next caller try again, if a renewal was under way.
    fn end_renewal(&self, now: i64) {
        let _ = self
            .renew_at
            .compare_exchange(RENEWING, now, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// The answer of a look-up: what was taken of the token.
enum Found<T> {
    /// Valid, and nothing to do.
    Valid(T),
    /// Valid, but its renewal is due. The caller has taken on to start it.
    Due(T, u64),
    /// Not there, expired, or about to expire. In the latter cases: which fetch the useless token came from.
    Nothing(Option<u64>),
}

/// A [`TokenSource`] behind a memory of its tokens. Dropping it cancels the renewals that run in the background.
pub(crate) struct TokenCache {
    shared: Arc<Shared>,
}

/// What fetches hold on to.
pub(super) struct Shared {
    pub(super) environment: Environment,
    pub(super) source: Arc<dyn TokenSource>,
    pub(super) flights: Flights,
    tokens: HashMap<Key, Entry, foldhash::quality::RandomState>,
    inserted_since_sweep: AtomicUsize,
    /// Most tokens to keep.
    limit: usize,
}

impl TokenCache {
    /// Keeps at most `limit` tokens. Where there would be more, those that expire first go.
    pub(crate) fn new(
        source: Arc<dyn TokenSource>,
        environment: Environment,
        limit: usize,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                environment,
                source,
                flights: Flights::default(),
                // Where entries move one by one, look-ups pay for two tables until the last has moved.
                tokens: HashMap::builder()
                    .shared_collector(COLLECTOR.clone())
                    .resize_mode(ResizeMode::Blocking)
                    .hasher(foldhash::quality::RandomState::default())
                    .build(),
                inserted_since_sweep: AtomicUsize::new(0),
                limit,
            }),
        }
    }

    /// What `take` makes of the token from memory, if there is a valid one. Starts its renewal in the background when that
    /// is due, and where there is no runtime to do so, finds nothing instead.
    pub(crate) fn cached<T>(
        &self,
        key: KeyRef<'_>,
        take: impl FnOnce(&AccessTokenInfo) -> T,
    ) -> Option<T> {
        match self.shared.find(key, take) {
            Found::Valid(taken) => Some(taken),
            Found::Due(taken, _) => {
                if self.renew_in_background(key) {
                    return Some(taken);
                }
                // Nothing can run in the background here, so `get` has to renew while its caller waits.
                self.shared.release_renewal(key);
                None
            }
            Found::Nothing(_) => None,
        }
    }

    /// The token from memory if [`cached`](Self::cached) would find one, else from the source. A request with claims
    /// always goes to the source.
    pub(crate) async fn get(
        &self,
        request: TokenRequest,
    ) -> Result<AccessTokenInfo, IdentityError> {
        let mut seen = None;
        if request.claims.is_none() {
            let scopes: Vec<&str> = request.scopes.iter().map(String::as_str).collect();
            let key = KeyRef {
                tenant: &request.tenant,
                user: request.user.as_ref(),
                scopes: &scopes,
                enable_cae: request.enable_cae,
            };
            match self.shared.find(key, AccessTokenInfo::clone) {
                Found::Valid(info) => return Ok(info),
                Found::Due(info, fetch) => {
                    if self.renew_in_background(key) {
                        return Ok(info);
                    }
                    seen = Some(fetch);
                }
                Found::Nothing(fetch) => seen = fetch,
            }
        }
        self.fetch(request, seen).await
    }

    /// Starts the renewal of a token. False where no runtime is there to run it.
    fn renew_in_background(&self, key: KeyRef<'_>) -> bool {
        let request = TokenRequest {
            scopes: key.scopes.iter().map(|&scope| scope.to_owned()).collect(),
            tenant: key.tenant.to_owned(),
            user: key.user.cloned(),
            claims: None,
            enable_cae: key.enable_cae,
            chain: ChainContext::None,
            context: Context::new(),
        };
        self.shared.flights.renew(&self.shared, request)
    }

    async fn fetch(
        &self,
        request: TokenRequest,
        seen: Option<u64>,
    ) -> Result<AccessTokenInfo, IdentityError> {
        let key = Key::of(&request);
        let with_claims = request.claims.is_some();
        let fetched = self
            .shared
            .flights
            .join_or_start(&self.shared, request, seen);
        match fetched.await {
            Err(error) if !with_claims => match self.shared.unexpired(&key) {
                Some(info) => {
                    debug!(%error, "renewal failed; the token at hand is still valid");
                    Ok(info)
                }
                None => Err(error),
            },
            result => result,
        }
    }
}

impl Drop for TokenCache {
    fn drop(&mut self) {
        self.shared.flights.cancel_renewals();
    }
}

impl Shared {
    /// What is taken is taken while the entry is held fast: threads that only read share no counter, and so don't slow each
    /// other down.
    fn find<T>(&self, key: KeyRef<'_>, take: impl FnOnce(&AccessTokenInfo) -> T) -> Found<T> {
        let tokens = self.tokens.pin();
        let Some(entry) = tokens.get(&key) else {
            return Found::Nothing(None);
        };
        let now = self.environment.unix_now();
        let left = entry.info.expires_on_seconds() - now;
        if left <= LEAST_LEFT {
            // A pause after a failed renewal holds here too, as long as the token is valid at all.
            let paused = left > 0 && now < entry.paused_until.load(Ordering::Relaxed);
            return if paused {
                Found::Valid(take(&entry.info))
            } else {
                Found::Nothing(Some(entry.fetch))
            };
        }
        let renew_at = entry.renew_at.load(Ordering::Relaxed);
        let due = now >= renew_at
            && entry
                .renew_at
                .compare_exchange(renew_at, RENEWING, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if due {
            Found::Due(take(&entry.info), entry.fetch)
        } else {
            Found::Valid(take(&entry.info))
        }
    }

    /// Gives back the right to renew that [`Found::Due`] conferred.
    fn release_renewal(&self, key: KeyRef<'_>) {
        if let Some(entry) = self.tokens.pin().get(&key) {
            entry.end_renewal(self.environment.unix_now());
        }
    }

    /// A token with some life in it that another fetch than `seen` has brought.
    pub(super) fn newer_than(&self, key: &Key, seen: Option<u64>) -> Option<AccessTokenInfo> {
        let tokens = self.tokens.pin();
        let entry = tokens.get(key).filter(|entry| Some(entry.fetch) != seen)?;
        let left = entry.info.expires_on_seconds() - self.environment.unix_now();
        (left > LEAST_LEFT).then(|| entry.info.clone())
    }

    /// The token at hand, however little is left of it.
    fn unexpired(&self, key: &Key) -> Option<AccessTokenInfo> {
        let tokens = self.tokens.pin();
        let entry = tokens.get(key)?;
        (entry.info.expires_on_seconds() > self.environment.unix_now()).then(|| entry.info.clone())
    }

    /// Takes in how a fetch ended.
    pub(super) fn settle(&self, key: &Key, fetch: u64, with_claims: bool, landed: &Landed) {
        let now = self.environment.unix_now();
        match landed {
            Landed::Token(info) => self.insert(key, fetch, info, now),
            // What became of a request with claims says nothing about the token at hand.
            Landed::Failed(_) | Landed::Abandoned if with_claims => {}
            Landed::Failed(_) => {
                if let Some(entry) = self.tokens.pin().get(key) {
                    entry.rest_until(now.saturating_add(RENEWAL_PAUSE));
                }
            }
            // Nobody's fault, so no pause.
            Landed::Abandoned => {
                if let Some(entry) = self.tokens.pin().get(key) {
                    entry.end_renewal(now);
                }
            }
        }
    }

    fn insert(&self, key: &Key, fetch: u64, info: &AccessTokenInfo, now: i64) {
        let tokens = self.tokens.pin();
        tokens.compute(key.clone(), |current| match current {
            // A request that began later, with claims perhaps, knows better than this one.
            Some((_, entry)) if entry.fetch > fetch && entry.info.expires_on_seconds() > now => {
                Operation::Abort(())
            }
            _ => Operation::Insert(Entry::new(info.clone(), fetch, now)),
        });
        let inserted = self.inserted_since_sweep.fetch_add(1, Ordering::Relaxed) + 1;
        let count = tokens.len();
        // Often enough to hold little that is of no use, rarely enough to cost next to nothing for each insertion.
        let sweep = inserted >= SWEEP_EVERY.max(count / 8);
        if sweep || count > self.limit {
            self.inserted_since_sweep.store(0, Ordering::Relaxed);
            tokens.retain(|_, entry| entry.info.expires_on_seconds() > now);
        }
        if tokens.len() > self.limit {
            self.make_room();
        }
    }

    /// Drops the tokens that expire first, an eighth more than needed, so that it is not needed again at once.
    fn make_room(&self) {
        let tokens = self.tokens.pin();
        // Fetches are told apart by their numbers, so that of tokens with the same life not all go.
        let age = |entry: &Entry| (entry.info.expires_on_seconds(), entry.fetch);
        let mut ages: Vec<_> = tokens.values().map(age).collect();
        let keep = self.limit - self.limit / 8;
        let surplus = ages.len().saturating_sub(keep);
        if surplus == 0 {
            return;
        }
        let (_, &mut last, _) = ages.select_nth_unstable(surplus - 1);
        tokens.retain(|_, entry| age(entry) > last);
    }
}
