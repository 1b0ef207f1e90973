//! The interface as wit-bindgen generates it from `wit/`. No name is changed and nothing is left
//! out, so what the rest of this crate adds can always be done without.

/// World `listener`: its imports, and the traits of its exports.
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::restriction)]
pub mod listener {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "listener",
        pub_export_macro: true,
        export_macro_name: "export_listener",
        default_bindings_module: "sporegate_guest::bindings::listener",
        additional_derives: [PartialEq],
    });
}

/// What `stateful-listener` has more than `listener`. A module that exports both is one.
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::restriction)]
pub mod handover {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package sporegate:guest-sdk;
            world handover { export sporegate:gateway/state-handover@1.0.0; }
        ",
        world: "sporegate:guest-sdk/handover",
        pub_export_macro: true,
        export_macro_name: "export_handover",
        default_bindings_module: "sporegate_guest::bindings::handover",
        additional_derives: [PartialEq],
    });
}

/// The part of WASI that carries a line to the module's log, where the standard library has none.
/// Imported only by a module that logs: what nobody calls is dropped when the component is made.
#[cfg(all(feature = "log", target_family = "wasm", target_os = "unknown"))]
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::restriction)]
pub(crate) mod wasi {
    wit_bindgen::generate!({
        inline: "
            package sporegate:guest-sdk;

            package wasi:io@0.2.0 {
                interface error {
                    resource error;
                }
                interface streams {
                    use error.{error};
                    variant stream-error {
                        last-operation-failed(error),
                        closed,
                    }
                    resource output-stream {
                        blocking-write-and-flush: func(contents: list<u8>)
                            -> result<_, stream-error>;
                    }
                }
            }

            package wasi:cli@0.2.0 {
                interface stderr {
                    use wasi:io/streams@0.2.0.{output-stream};
                    get-stderr: func() -> output-stream;
                }
            }

            world log { import wasi:cli/stderr@0.2.0; }
        ",
        world: "sporegate:guest-sdk/log",
        generate_all,
    });
}

/// Configuration, as `wasi:config` has it.
#[cfg(feature = "config")]
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::restriction)]
pub mod config {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package sporegate:guest-sdk;
            world config {
                import wasi:config/store@0.2.0-rc.1;
            }
        ",
        world: "sporegate:guest-sdk/config",
        generate_all,
    });
}

/// HTTP requests, as `wasi:http` has them.
#[cfg(feature = "http")]
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::restriction)]
pub mod http {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package sporegate:guest-sdk;
            world http {
                import wasi:http/outgoing-handler@0.2.12;
            }
        ",
        world: "sporegate:guest-sdk/http",
        generate_all,
    });
}

/// Keys and values, as `wasi:keyvalue` has them.
#[cfg(feature = "keyvalue")]
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::restriction)]
pub mod keyvalue {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package sporegate:guest-sdk;
            world keyvalue {
                import wasi:keyvalue/store@0.2.0-draft;
                import wasi:keyvalue/atomics@0.2.0-draft;
                import wasi:keyvalue/batch@0.2.0-draft;
            }
        ",
        world: "sporegate:guest-sdk/keyvalue",
        generate_all,
    });
}

/// Log lines with a level, as `wasi:logging` has them.
#[cfg(feature = "logging")]
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::restriction)]
pub mod logging {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package sporegate:guest-sdk;
            world logging {
                import wasi:logging/logging@0.1.0-draft;
            }
        ",
        world: "sporegate:guest-sdk/logging",
        generate_all,
    });
}
