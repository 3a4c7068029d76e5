//! Objects in the last list that are there, but cannot be read.

use crate::adobe::Unreadable;
use crate::engine::mark::Mark;

/// Objects in the last list that cannot be read.
#[derive(Debug, Default)]
pub struct UnreadableObjects(Vec<(Vec<Mark>, Unreadable)>);

impl UnreadableObjects {
    /// Those of one list.
    #[must_use]
    pub fn of(listed: Vec<Unreadable>) -> Self {
        let listed = listed.into_iter();
        Self(listed.map(|it| (claims(&it), it)).collect())
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The ids of the first few.
    #[must_use]
    pub fn named(&self, most: usize) -> Vec<&str> {
        let ids = self.0.iter().filter_map(|(_, it)| it.id.as_deref());
        ids.take(most).collect()
    }

    /// One that carries this claim, or has this id.
    #[must_use]
    pub fn find(&self, claim: &Mark, id: Option<&str>) -> Option<&Unreadable> {
        let is_it = |(claims, it): &&(Vec<Mark>, Unreadable)| {
            claims.contains(claim) || (id.is_some() && it.id.as_deref() == id)
        };
        self.0.iter().find(is_it).map(|(_, it)| it)
    }

    /// Whether the object is there, and cannot be read.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|(_, it)| it.id.as_deref() == Some(id))
    }

    /// The claims on those that mention another object, which they may use.
    pub fn users<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Mark> {
        let users = self.0.iter();
        let users = users.filter(move |(_, it)| it.id.as_deref() != Some(id) && it.mentions(id));
        users.flat_map(|(claims, _)| claims)
    }

    /// The object was read, or is gone.
    pub fn remove(&mut self, id: &str) {
        self.0.retain(|(_, it)| it.id.as_deref() != Some(id));
    }
}

/// The marks in an object, wherever they are: in a text, or as a tag.
fn claims(object: &Unreadable) -> Vec<Mark> {
    let marks = object.texts();
    let marks = marks.filter_map(|text| Mark::read(text).or_else(|| Mark::read_tag(text)));
    marks.map(|mark| mark.claim()).collect()
}
