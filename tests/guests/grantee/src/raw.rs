//! Requests that the SDK would not make: of parts that do not fit, or that outlive their call.

use serde::Deserialize;
use serde_json::{Value, json};
use sporegate_guest::Result;
use sporegate_guest::bindings::http::wasi::http::outgoing_handler::handle;
use sporegate_guest::bindings::http::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, Method, OutgoingRequest, Scheme,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Raw {
    method: Option<String>,
    scheme: Option<String>,
    authority: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
}

/// A request whose answer nobody has asked for.
pub(crate) struct Kept(FutureIncomingResponse);

impl Raw {
    /// Makes it, or says which part was refused.
    pub(crate) fn send(self) -> Value {
        let headers = Fields::new();
        for (name, value) in &self.headers {
            if let Err(error) = headers.append(name, value.as_bytes()) {
                return json!({"header": name, "error": format!("{error:?}")});
            }
        }
        let request = OutgoingRequest::new(headers);
        if let Some(method) = self.method
            && request.set_method(&Method::Other(method)).is_err()
        {
            return json!({"error": "method"});
        }
        let scheme = self.scheme.map(|scheme| match scheme.as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => Scheme::Other(scheme),
        });
        if request.set_scheme(scheme.as_ref()).is_err() {
            return json!({"error": "scheme"});
        }
        if request.set_authority(self.authority.as_deref()).is_err() {
            return json!({"error": "authority"});
        }
        if request.set_path_with_query(self.path.as_deref()).is_err() {
            return json!({"error": "path"});
        }
        match handle(request, None) {
            Ok(answer) => told(&answer),
            Err(error) => failed(&error),
        }
    }
}

/// Begins a request.
pub(crate) fn keep(url: &str) -> Result<Kept> {
    let request = OutgoingRequest::new(Fields::new());
    let rest = url.strip_prefix("http://").ok_or("http only")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let whole = request.set_scheme(Some(&Scheme::Http)).is_ok()
        && request.set_authority(Some(authority)).is_ok()
        && request.set_path_with_query(Some(path)).is_ok();
    if !whole {
        return Err("no request".into());
    }
    Ok(Kept(handle(request, None)?))
}

impl Kept {
    /// Waits for the answer.
    pub(crate) fn resume(self) -> Value {
        told(&self.0)
    }
}

fn told(answer: &FutureIncomingResponse) -> Value {
    answer.subscribe().block();
    match answer.get() {
        Some(Ok(Ok(response))) => json!({"status": response.status()}),
        Some(Ok(Err(error))) => failed(&error),
        Some(Err(())) | None => json!({"error": "asked twice"}),
    }
}

fn failed(error: &ErrorCode) -> Value {
    json!({"error": format!("{error:?}").trim_start_matches("ErrorCode::")})
}
