;; A listener whose start returns an error: its revision is refused with that text.
(module
  (memory (export "memory") 1)
  (data (i32.const 16) "not today")
  ;; A result<_, string>: the error case, then pointer and length of the text.
  (data (i32.const 32) "\01\00\00\00" "\10\00\00\00" "\09\00\00\00")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "sporegate:gateway/lifecycle@1.0.0#start") (result i32) i32.const 32)
  ;; Nothing gets past start.
  (func (export "sporegate:gateway/message-handler@1.0.0#on-message") (param i32) (result i32)
    unreachable)
  (func (export "sporegate:gateway/disconnect-handler@1.0.0#on-disconnect")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable))
