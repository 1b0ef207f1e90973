//! `wasi:config/store`: what the sidecar of a module says in `[config]`. A module sees its own only.

use super::bindings::granted::wasi::config::store::{Error, Host};
use super::state::InstanceState;

impl Host for InstanceState {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<String>, Error>> {
        self.count_host_call()?;
        Ok(Ok(self.context.values.get(&key).cloned()))
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, Error>> {
        self.count_host_call()?;
        let all = self.context.values.iter();
        Ok(Ok(all.map(|(key, value)| (key.clone(), value.clone())).collect()))
    }
}
