//! Locks of data that a panic leaves whole.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The data behind a lock, also after a task that held it has panicked.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
