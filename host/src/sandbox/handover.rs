//! The state that one instance leaves to the next: `sporegate:gateway/state-handover`. Nothing that
//! an export asks for happens, for the old revision goes on if the swap is given up.

use std::sync::Arc;
use wasmtime::AsContextMut;

use wasmtime::component::{
    Component, ComponentExportIndex, ComponentType, Instance as Raw, Lift, Lower, TypedFunc,
};

use super::component::{PACKAGE, VERSION};

/// What a module leaves to its successor. Opaque to the gateway.
#[derive(Clone, Debug, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Snapshot {
    /// Version of the format, as the module counts.
    pub schema: u32,
    /// What `data` is, as the module calls it.
    #[component(name = "media-type")]
    pub media_type: String,
    /// The state.
    pub data: Vec<u8>,
}

/// Where a component has its two functions.
#[derive(Clone, Copy)]
pub(super) struct HandoverIndices {
    export: ComponentExportIndex,
    import: ComponentExportIndex,
}

/// The two functions of an instance.
#[derive(Clone, Copy)]
pub(super) struct HandoverFuncs {
    pub(super) export: TypedFunc<(), (Result<Snapshot, String>,)>,
    pub(super) import: TypedFunc<(Arc<Snapshot>,), (Result<(), String>,)>,
}

impl HandoverIndices {
    /// Looks them up; none where the component does not hand its state over.
    pub(super) fn of(component: &Component) -> Option<Self> {
        let interface = format!("{PACKAGE}/state-handover@{VERSION}");
        let interface = component.get_export_index(None, &interface)?;
        let function = |name| component.get_export_index(Some(&interface), name);
        Some(Self { export: function("export-state")?, import: function("import-state")? })
    }

    /// The functions of one instance.
    pub(super) fn load(
        &self,
        mut store: impl AsContextMut,
        instance: &Raw,
    ) -> wasmtime::Result<HandoverFuncs> {
        Ok(HandoverFuncs {
            export: instance.get_typed_func(&mut store, self.export)?,
            import: instance.get_typed_func(&mut store, self.import)?,
        })
    }
}
