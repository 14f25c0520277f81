//! Values kept in memory between requests, apart for each scope: what was read under one is never shown under another.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::scope::LabScope;

/// The value of one scope. Who reads it anew holds the lock, so that others wait for the one reading.
pub type Slot<T> = Arc<tokio::sync::Mutex<Option<T>>>;

/// Values of this many scopes are kept; the one that was not asked for the longest goes first.
const SCOPES: usize = 32;

/// Slots by scope, the one that was asked for last first.
type Slots<T> = VecDeque<(LabScope, Slot<T>)>;

/// One value a scope.
#[derive(Debug, Clone)]
pub struct PerScope<T>(Arc<Mutex<Slots<T>>>);

impl<T> Default for PerScope<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> PerScope<T> {
    /// The slot of a scope.
    #[must_use]
    pub fn slot(&self, scope: &LabScope) -> Slot<T> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = slots.iter().position(|(of, _)| of == scope).and_then(|i| slots.remove(i));
        let (of, slot) = found.unwrap_or_else(|| (scope.clone(), Slot::default()));
        slots.push_front((of, Arc::clone(&slot)));
        slots.truncate(SCOPES);
        slot
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn only(lab: &str) -> LabScope {
        LabScope::Only(BTreeSet::from([lab.to_owned()]))
    }

    #[tokio::test]
    async fn a_scope_finds_its_own_value_and_no_other() {
        let kept = PerScope::<u8>::default();
        *kept.slot(&LabScope::All).lock().await = Some(1);
        *kept.slot(&only("a")).lock().await = Some(2);
        assert_eq!(*kept.slot(&LabScope::All).lock().await, Some(1));
        assert_eq!(*kept.slot(&only("a")).lock().await, Some(2));
        assert_eq!(*kept.slot(&only("b")).lock().await, None);
        assert_eq!(*kept.slot(&only("*")).lock().await, None, "a lab named * is not all labs");
    }

    #[tokio::test]
    async fn many_scopes_do_not_grow_for_ever() {
        let kept = PerScope::<u8>::default();
        *kept.slot(&only("first")).lock().await = Some(1);
        for i in 0..SCOPES {
            drop(kept.slot(&only(&i.to_string())));
        }
        assert_eq!(*kept.slot(&only("first")).lock().await, None);
        assert_eq!(kept.0.lock().unwrap().len(), SCOPES);
    }
}
