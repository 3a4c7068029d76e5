//! Custom resources that want a name which another object has. Pure.

use std::collections::BTreeMap;

use crate::engine::key::Key;

/// Who waits for a name, and whose object has it, as far as that is one of ours.
#[derive(Debug, Default)]
pub struct Contenders(BTreeMap<Key, Option<Key>>);

impl Contenders {
    /// Notes who waits for whom; returns whether that is news.
    pub fn add(&mut self, key: &Key, holder: Option<Key>) -> bool {
        let before = self.0.insert(key.clone(), holder);
        before.as_ref() != self.0.get(key)
    }

    /// It waits no longer.
    pub fn remove(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// All who wait.
    pub fn all(&self) -> Vec<Key> {
        self.0.keys().cloned().collect()
    }

    /// The others in the circle of those who wait for each other's names, if this one is in a circle.
    pub fn circle(&self, key: &Key) -> Vec<Key> {
        let mut others = Vec::new();
        let mut at = key;
        while let Some(Some(holder)) = self.0.get(at) {
            if holder == key {
                return others;
            }
            if others.contains(holder) {
                break;
            }
            others.push(holder.clone());
            at = holder;
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Kind;

    fn key(name: &str) -> Key {
        Key::new(Kind::PlatformSchema, "ns", name)
    }

    #[test]
    fn those_who_wait_for_each_others_names_are_a_circle_and_nobody_else_is() {
        let mut contenders = Contenders::default();
        contenders.add(&key("a"), Some(key("b")));
        contenders.add(&key("b"), Some(key("c")));
        assert!(contenders.circle(&key("a")).is_empty());
        contenders.add(&key("c"), Some(key("a")));
        contenders.add(&key("d"), Some(key("a")));
        assert_eq!(contenders.circle(&key("a")), [key("b"), key("c")]);
        assert_eq!(contenders.circle(&key("c")), [key("a"), key("b")]);
        assert!(contenders.circle(&key("d")).is_empty());
        contenders.remove(&key("b"));
        assert!(contenders.circle(&key("a")).is_empty());
    }

    #[test]
    fn only_another_holder_is_news() {
        let mut contenders = Contenders::default();
        assert!(contenders.add(&key("a"), None));
        assert!(!contenders.add(&key("a"), None));
        assert!(contenders.add(&key("a"), Some(key("b"))));
        assert_eq!(contenders.all(), [key("a")]);
    }
}
