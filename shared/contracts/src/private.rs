//! What must not be seen: the words people type, and secrets.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Something a person wrote or was told. It travels and is stored as it is, but its `Debug` shows only that it is there,
/// so that no log line can hold it.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub struct Private<T>(pub T);

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(private)")
    }
}

impl<T> From<T> for Private<T> {
    fn from(inner: T) -> Self {
        Self(inner)
    }
}

impl std::ops::Deref for Private<String> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}
