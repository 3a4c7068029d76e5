//! One watch over all namespaces that are to be watched.

use std::collections::{BTreeMap, HashSet};

use futures::stream::{BoxStream, select_all};
use futures::{Stream, StreamExt};
use k8s_openapi::NamespaceResourceScope;
use kube::api::Api;
use kube::core::Resource;
use kube::runtime::reflector::Store;
use kube::runtime::{WatchStreamExt, watcher, watcher::Event};
use kube::{Client, ResourceExt};
use serde::de::DeserializeOwned;

/// What a watch brings, and from which of the namespaces.
pub type Seen<K> = (usize, watcher::Result<Event<K>>);

/// Watches each of the namespaces, or all there are if none is named.
pub fn watch<K>(client: &Client, namespaces: &[String]) -> impl Stream<Item = Seen<K>> + use<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let apis: Vec<Api<K>> = if namespaces.is_empty() {
        vec![Api::all(client.clone())]
    } else {
        let apis = namespaces.iter();
        apis.map(|it| Api::namespaced(client.clone(), it)).collect()
    };
    let watches = apis.into_iter().enumerate().map(|(from, api)| {
        let events = watcher(api, watcher::Config::default()).default_backoff();
        events.map(move |event| (from, event)).boxed()
    });
    select_all(watches.collect::<Vec<BoxStream<_>>>())
}

/// Several watches as one, for a cache that knows one list: the first lists of all namespaces make it together, and a later
/// list of a single namespace is taken as the changes that it shows.
#[derive(Debug)]
pub struct Merge<K> {
    namespaces: Vec<String>,
    /// What the first lists have shown so far, until all are complete.
    first: Option<Vec<First<K>>>,
    /// The names in a later list that is under way.
    later: BTreeMap<usize, HashSet<String>>,
}

#[derive(Debug)]
struct First<K> {
    objects: BTreeMap<String, K>,
    complete: bool,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Merge<K> {
    /// For watches of these namespaces.
    pub fn of(namespaces: &[String]) -> Self {
        let first = || First {
            objects: BTreeMap::new(),
            complete: false,
        };
        let first = std::iter::repeat_with(first).take(namespaces.len());
        Self {
            namespaces: namespaces.to_vec(),
            first: Some(first.collect()),
            later: BTreeMap::new(),
        }
    }

    /// What the cache shall be told of an event of one watch; `store` is what it holds.
    pub fn events(&mut self, from: usize, event: Event<K>, store: &Store<K>) -> Vec<Event<K>> {
        if self.namespaces.len() < 2 {
            return vec![event];
        }
        if self.first.is_some() {
            return self.gather(from, event);
        }
        match event {
            Event::Init => {
                self.later.insert(from, HashSet::new());
                Vec::new()
            }
            Event::InitApply(object) => {
                let names = self.later.entry(from).or_default();
                names.insert(object.name_any());
                vec![Event::Apply(object)]
            }
            Event::InitDone => {
                let listed = self.later.remove(&from).unwrap_or_default();
                let here = Some(self.namespaces[from].as_str());
                let held = store.state().into_iter();
                let held = held.filter(|it| it.meta().namespace.as_deref() == here);
                let lost = held.filter(|it| !listed.contains(&it.name_any()));
                lost.map(|it| Event::Delete((*it).clone())).collect()
            }
            change => vec![change],
        }
    }

    fn gather(&mut self, from: usize, event: Event<K>) -> Vec<Event<K>> {
        let Some(all) = &mut self.first else {
            return Vec::new();
        };
        let one = &mut all[from];
        match event {
            Event::Init => {
                one.objects.clear();
                one.complete = false;
            }
            Event::InitApply(object) | Event::Apply(object) => {
                one.objects.insert(object.name_any(), object);
            }
            Event::Delete(object) => drop(one.objects.remove(&object.name_any())),
            Event::InitDone => one.complete = true,
        }
        if all.iter().any(|it| !it.complete) {
            return Vec::new();
        }
        let all = self.first.take().into_iter().flatten();
        let objects = all.flat_map(|it| it.objects.into_values());
        let mut events = vec![Event::Init];
        events.extend(objects.map(Event::InitApply));
        events.push(Event::InitDone);
        events
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::ObjectMeta;
    use kube::runtime::reflector::{store, store::Writer};

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

    struct Cache {
        merge: Merge<ConfigMap>,
        store: Store<ConfigMap>,
        writer: Writer<ConfigMap>,
    }

    impl Cache {
        fn new() -> Self {
            let (store, writer) = store();
            let merge = Merge::of(&["a".into(), "b".into()]);
            Self {
                merge,
                store,
                writer,
            }
        }

        fn tell(&mut self, from: usize, event: Event<ConfigMap>) {
            for event in self.merge.events(from, event, &self.store) {
                self.writer.apply_watcher_event(&event);
            }
        }

        fn list(&mut self, from: usize, names: &[&str]) {
            let namespace = ["a", "b"][from];
            self.tell(from, Event::Init);
            for name in names {
                self.tell(from, Event::InitApply(object(namespace, name)));
            }
            self.tell(from, Event::InitDone);
        }

        fn holds(&self) -> Vec<String> {
            let held = self.store.state();
            let names = held.iter().map(|it| {
                let namespace = it.namespace().unwrap_or_default();
                format!("{namespace}/{}", it.name_any())
            });
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        }
    }

    #[test]
    fn nothing_is_shown_before_every_namespace_is_listed() {
        let mut cache = Cache::new();
        cache.list(0, &["x", "y"]);
        cache.tell(0, Event::Delete(object("a", "y")));
        cache.tell(0, Event::Apply(object("a", "z")));
        assert!(cache.holds().is_empty());
        cache.list(1, &["x"]);
        assert_eq!(cache.holds(), ["a/x", "a/z", "b/x"]);
    }

    #[test]
    fn a_list_that_was_cut_off_counts_for_nothing() {
        let mut cache = Cache::new();
        cache.tell(0, Event::Init);
        cache.tell(0, Event::InitApply(object("a", "gone")));
        cache.list(0, &["x"]);
        cache.list(1, &[]);
        assert_eq!(cache.holds(), ["a/x"]);
    }

    #[test]
    fn a_list_that_is_taken_again_is_waited_for() {
        let mut cache = Cache::new();
        cache.list(0, &["x", "y"]);
        cache.tell(0, Event::Init);
        cache.tell(0, Event::InitApply(object("a", "x")));
        cache.list(1, &["x"]);
        assert!(cache.holds().is_empty());
        cache.tell(0, Event::InitApply(object("a", "y")));
        cache.tell(0, Event::InitDone);
        assert_eq!(cache.holds(), ["a/x", "a/y", "b/x"]);
    }

    #[test]
    fn a_later_list_of_one_namespace_leaves_the_others_alone() {
        let mut cache = Cache::new();
        cache.list(0, &["x", "y"]);
        cache.list(1, &["x"]);
        cache.list(0, &["y", "z"]);
        assert_eq!(cache.holds(), ["a/y", "a/z", "b/x"]);
    }
}
