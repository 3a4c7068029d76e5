//! One watch over all namespaces that are to be watched, in which every relist also shows what has gone meanwhile.

use std::collections::HashSet;

use futures::stream::{BoxStream, select_all};
use futures::{Stream, StreamExt};
use k8s_openapi::NamespaceResourceScope;
use kube::api::Api;
use kube::core::Resource;
use kube::runtime::{WatchStreamExt, watcher, watcher::Event};
use kube::{Client, ResourceExt};
use serde::de::DeserializeOwned;

use crate::engine::settings::Settings;

/// Namespace and name.
pub type Name = (String, String);

/// What a watch shows.
#[derive(Debug, PartialEq)]
pub enum Notification<K> {
    /// An object as it is now.
    Applied(K),
    /// An object that is gone.
    Gone(Name),
    /// Everything was listed in all namespaces. Shown once.
    Listed,
}

/// Watches each of the namespaces in the settings, or all there are if none is named. `known` returns what the caller knows of one namespace,
/// or of all: what a list lacks of that is gone.
pub fn watch<K>(
    client: &Client,
    settings: &Settings,
    known: impl Fn(Option<&str>) -> Vec<Name> + Send + 'static,
) -> impl Stream<Item = Notification<K>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let metrics = settings.metrics.clone();
    metrics.watches(&K::kind(&()));
    let scopes = scopes(&settings.namespaces);
    let watches = scopes.iter().enumerate().map(|(scope, namespace)| {
        let api: Api<K> = match namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        };
        let events = watcher(api, watcher::Config::default()).default_backoff();
        events.map(move |event| (scope, event)).boxed()
    });
    let watches: Vec<BoxStream<_>> = watches.collect();
    let mut relist = Relist::new(scopes);
    select_all(watches).flat_map(move |(scope, event)| {
        let notifications = match event {
            Ok(event) => relist.take(scope, event, &known),
            Err(error) => {
                metrics.watch_failed(&K::kind(&()));
                relist.warn::<K>(scope, &error);
                Vec::new()
            }
        };
        futures::stream::iter(notifications)
    })
}

fn scopes(namespaces: &[String]) -> Vec<Option<String>> {
    if namespaces.is_empty() {
        return vec![None];
    }
    namespaces.iter().cloned().map(Some).collect()
}

/// The lists under way, by namespace.
#[derive(Debug)]
struct Relist {
    scopes: Vec<Option<String>>,
    /// What each list has shown so far.
    listing: Vec<HashSet<Name>>,
    /// The scopes that were never listed.
    unlisted: HashSet<usize>,
}

impl Relist {
    fn new(scopes: Vec<Option<String>>) -> Self {
        Self {
            listing: vec![HashSet::new(); scopes.len()],
            unlisted: (0..scopes.len()).collect(),
            scopes,
        }
    }

    fn take<K: Resource<DynamicType = ()>>(
        &mut self,
        scope: usize,
        event: Event<K>,
        known: &impl Fn(Option<&str>) -> Vec<Name>,
    ) -> Vec<Notification<K>> {
        match event {
            Event::Init => {
                self.listing[scope].clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                self.listing[scope].insert(name(&object));
                vec![Notification::Applied(object)]
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listing[scope]);
                let gone = known(self.scopes[scope].as_deref()).into_iter();
                let gone = gone.filter(|name| !listed.contains(name));
                let mut notifications: Vec<_> = gone.map(Notification::Gone).collect();
                if self.unlisted.remove(&scope) && self.unlisted.is_empty() {
                    notifications.push(Notification::Listed);
                }
                notifications
            }
            Event::Apply(object) => vec![Notification::Applied(object)],
            Event::Delete(object) => vec![Notification::Gone(name(&object))],
        }
    }

    fn warn<K: Resource<DynamicType = ()>>(&self, scope: usize, error: &watcher::Error) {
        let namespace = self.scopes[scope].as_deref().unwrap_or("all");
        let (kind, hint) = (K::kind(&()), hint(error));
        tracing::warn!(%kind, namespace, %error, "watch interrupted, it will be resumed{hint}");
    }
}

fn name<K: Resource>(object: &K) -> Name {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// What a person can do about a watch that fails.
fn hint(error: &watcher::Error) -> &'static str {
    let code = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code,
        _ => 0,
    };
    match code {
        404 => ": install the CRDs",
        403 => ": allow the operator to list and watch it",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::ObjectMeta;

    use super::*;

    fn object(namespace: &str, name: &str) -> ConfigMap {
        let metadata = ObjectMeta {
            namespace: Some(namespace.into()),
            name: Some(name.into()),
            ..ObjectMeta::default()
        };
        ConfigMap {
            metadata,
            ..ConfigMap::default()
        }
    }

    /// A cache of two namespaces.
    struct Cache {
        relist: Relist,
        held: BTreeSet<Name>,
        listed: bool,
    }

    impl Cache {
        fn new() -> Self {
            Self {
                relist: Relist::new(scopes(&["a".into(), "b".into()])),
                held: BTreeSet::new(),
                listed: false,
            }
        }

        fn take(&mut self, scope: usize, event: Event<ConfigMap>) {
            let held = self.held.clone();
            let known = move |namespace: Option<&str>| {
                let here = held.iter().filter(|it| namespace == Some(it.0.as_str()));
                here.cloned().collect()
            };
            for notification in self.relist.take(scope, event, &known) {
                match notification {
                    Notification::Applied(object) => drop(self.held.insert(name(&object))),
                    Notification::Gone(name) => drop(self.held.remove(&name)),
                    Notification::Listed => self.listed = true,
                }
            }
        }

        fn list(&mut self, scope: usize, names: &[&str]) {
            let namespace = ["a", "b"][scope];
            self.take(scope, Event::Init);
            for name in names {
                self.take(scope, Event::InitApply(object(namespace, name)));
            }
            self.take(scope, Event::InitDone);
        }

        fn holds(&self) -> Vec<String> {
            let held = self.held.iter();
            held.map(|(namespace, name)| format!("{namespace}/{name}"))
                .collect()
        }
    }

    #[test]
    fn everything_counts_as_listed_once_every_namespace_was() {
        let mut cache = Cache::new();
        cache.list(0, &["x", "y"]);
        assert!(!cache.listed);
        cache.list(1, &["x"]);
        assert!(cache.listed);
        assert_eq!(cache.holds(), ["a/x", "a/y", "b/x"]);
    }

    #[test]
    fn what_went_while_the_watch_was_interrupted_is_gone_after_the_relist() {
        let mut cache = Cache::new();
        cache.list(0, &["x", "y"]);
        cache.list(1, &["x"]);
        cache.list(0, &["y", "z"]);
        assert_eq!(cache.holds(), ["a/y", "a/z", "b/x"]);
    }

    #[test]
    fn a_list_that_was_cut_off_takes_nothing_away() {
        let mut cache = Cache::new();
        cache.list(0, &["x", "y"]);
        cache.take(0, Event::Init);
        cache.take(0, Event::InitApply(object("a", "x")));
        cache.take(0, Event::Init);
        assert_eq!(cache.holds(), ["a/x", "a/y"]);
        cache.list(0, &["x"]);
        assert_eq!(cache.holds(), ["a/x"]);
    }

    #[test]
    fn changes_between_lists_are_taken_as_they_come() {
        let mut cache = Cache::new();
        cache.list(0, &["x", "y"]);
        cache.take(0, Event::Delete(object("a", "y")));
        cache.take(0, Event::Apply(object("a", "z")));
        assert_eq!(cache.holds(), ["a/x", "a/z"]);
    }
}
