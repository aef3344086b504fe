//! What all AWS clients of a process have in common: region, credentials, endpoint.

use aws_config::{BehaviorVersion, SdkConfig};
use tokio::sync::OnceCell;

/// The configuration of the environment, read at first use and once: every client of a process is made from it, with the
/// timeouts that its service needs.
pub async fn config() -> &'static SdkConfig {
    static CONFIG: OnceCell<SdkConfig> = OnceCell::const_new();
    CONFIG.get_or_init(|| aws_config::defaults(BehaviorVersion::latest()).load()).await
}
