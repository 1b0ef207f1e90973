//! From the configuration to the values that each part has of its own.

use std::path::{Path, PathBuf};

use super::StartError;
use crate::admission::ConnectionLimits;
use crate::auth::{JwtSettings, KeySource, ProxySettings, Secret};
use crate::close::CloseReason;
use crate::config::{
    self, Config, JwtConfig, JwtKey, OutboundConfig, ProxyConfig, Reconnect, ShutdownCode,
    ShutdownConfig,
};
use crate::gate::GateSettings;
use crate::outbound::OutboundSettings;
use crate::registry::AwayLimits;
use crate::sandbox::{CompileCache, CompileLimits, Compiler, SandboxSettings};
use crate::server::{DrainSettings, ServerSettings};

pub(super) fn sandbox_settings(config: &Config, compiler: &Compiler) -> SandboxSettings {
    SandboxSettings {
        memory_bytes: config.sandbox.memory_bytes,
        compiler: compiler.clone(),
        compile_limits: compile_limits(config),
        cache: match &config.sandbox.cache {
            config::CompileCache::Off => CompileCache::Off,
            config::CompileCache::Dir(path) => CompileCache::Directory(path.clone()),
            config::CompileCache::Auto => {
                default_cache().map_or(CompileCache::Off, CompileCache::Directory)
            }
        },
    }
}

pub(super) fn outbound_settings(config: &Config) -> OutboundSettings {
    let OutboundConfig { requests, ca_file } = &config.outbound;
    OutboundSettings { requests: *requests as usize, ca_file: ca_file.clone() }
}

/// What compiling a module may take.
pub fn compile_limits(config: &Config) -> CompileLimits {
    CompileLimits {
        module_bytes: config.sandbox.max_module_bytes,
        memory_bytes: config.sandbox.compile_memory_bytes,
        cpu_time: config.sandbox.compile_time,
    }
}

/// The user's cache directory (XDG Base Directory Specification); none without a home.
fn default_cache() -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(absolute);
    let base =
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))?;
    Some(base.join(Path::new("sporegate/compiled")))
}

pub(super) fn connection_limits(config: &Config) -> ConnectionLimits {
    let limit = |most: u32| (most > 0).then_some(most as usize);
    ConnectionLimits {
        total: config.max_connections as usize,
        per_user: limit(config.max_connections_per_user),
        per_address: limit(config.max_connections_per_address),
    }
}

pub(super) fn away_limits(config: &Config) -> AwayLimits {
    let Reconnect { sessions, memory_bytes, .. } = config.reconnect;
    AwayLimits { sessions: sessions as usize, bytes: memory_bytes }
}

pub(super) fn gate_settings(config: &Config) -> GateSettings {
    GateSettings {
        base_path: config.path.as_str().into(),
        rules: config.paths.clone(),
        default_policy: config.default_policy.clone(),
        check_origin: config.check_origin,
        hosts: config.hosts.clone(),
    }
}

pub(super) fn server_settings(config: &Config) -> ServerSettings {
    ServerSettings {
        base_path: config.path.as_str().into(),
        test_page: config.test_page,
        handshake_timeout: config.handshake.timeout,
        handshakes: config.handshake.connections,
        handshakes_per_address: config.handshake.connections_per_address,
        connect_rate: config.handshake.connect_rate,
        connect_burst: config
            .handshake
            .connect_burst
            .unwrap_or(config.max_connections.max(config::MIN_DEFAULT_BURST)),
        failed_logins: config.handshake.failed_logins,
        proxies: config.proxies.networks.clone(),
        forwarded_header: config.proxies.header,
        uri_bytes: config.handshake.uri_bytes,
        header_bytes: config.handshake.header_bytes,
        header_count: config.handshake.header_count,
        drain: drain_settings(&config.shutdown),
    }
}

fn drain_settings(shutdown: &ShutdownConfig) -> DrainSettings {
    let ShutdownConfig { timeout, delay, window, code } = *shutdown;
    let farewell = match code {
        ShutdownCode::GoingAway => CloseReason::GOING_AWAY,
        ShutdownCode::ServiceRestart => CloseReason::SERVICE_RESTART,
    };
    DrainSettings { timeout, delay, window, farewell }
}

pub(super) fn proxy_settings(proxy: &ProxyConfig) -> Option<ProxySettings> {
    (!proxy.addresses.is_empty()).then(|| ProxySettings {
        proxies: proxy.addresses.clone(),
        user_header: proxy.user_header.clone(),
        roles_header: proxy.roles_header.clone(),
        roles_separator: proxy.roles_separator,
    })
}

pub(super) fn jwt_settings(jwt: &JwtConfig) -> Result<JwtSettings, StartError> {
    let key = match &jwt.key {
        JwtKey::SecretFile(path) => KeySource::SecretFile(path.clone()),
        JwtKey::PublicKey(path) => KeySource::PublicKeyPem(path.clone()),
        JwtKey::Jwks(path) => KeySource::JwksFile(path.clone()),
        JwtKey::SecretEnv(variable) => {
            KeySource::Secret(std::env::var(variable).map(Secret::new).map_err(|_| {
                StartError::SecretEnv { name: jwt.name.clone(), variable: variable.clone() }
            })?)
        }
    };
    Ok(JwtSettings {
        name: jwt.name.clone(),
        key,
        // Both follow RFC 7518, so every name is known.
        algorithms: jwt
            .algorithms
            .as_ref()
            .map(|names| names.iter().filter_map(|name| name.as_str().parse().ok()).collect()),
        issuer: jwt.issuer.clone(),
        audience: jwt.audience.clone(),
        leeway: jwt.leeway,
        username_claim: jwt.username_claim.clone(),
        roles_claim: jwt.roles_claim.clone(),
    })
}
