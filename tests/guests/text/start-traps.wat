;; A listener whose start traps.
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "sporegate:gateway/lifecycle@1.0.0#start") (result i32) unreachable)
  (func (export "sporegate:gateway/message-handler@1.0.0#on-message") (param i32) (result i32)
    unreachable)
  (func (export "sporegate:gateway/disconnect-handler@1.0.0#on-disconnect")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
