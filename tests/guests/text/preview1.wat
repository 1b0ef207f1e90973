;; A core module on WASI preview 1, as compilers without the component model make it. It writes a
;; line to standard error at start, and answers every message with "preview 1 at " and the clock's
;; seconds as eight raw bytes, in one binary message.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  ;; name, path, content, roles, priority, where the result goes
  (import "sporegate:gateway/listeners@1.0.0" "add-message-listener"
    (func $add_message_listener (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  ;; client id, message, where the result goes
  (import "sporegate:gateway/clients@1.0.0" "send-message"
    (func $send_message (param i32 i32 i32 i32 i32 i32)))

  (memory (export "memory") 4)
  (data (i32.const 16) "preview1")
  (data (i32.const 32) "started on preview 1\n")
  ;; The line as an iovec.
  (data (i32.const 64) "\20\00\00\00" "\15\00\00\00")
  ;; The answer, and room for the seconds behind its 13 bytes.
  (data (i32.const 80) "preview 1 at ")
  ;; What an export returns: the ok case and `stop`, the second case of `outcome`.
  (data (i32.const 128) "\00\00\00\00" "\01")

  ;; Free memory. What start has used stays in use: the adapter of preview 1 keeps its state there.
  ;; What lies above are arguments, until the call returns.
  (global $next (mut i32) (i32.const 1024))
  (global $arguments (mut i32) (i32.const 0))

  (func (export "cabi_realloc")
    (param $old i32) (param $old_bytes i32) (param $align i32) (param $bytes i32) (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $bytes)))
    (if (i32.gt_u (global.get $next) (i32.const 262144)) (then unreachable))
    (memory.copy (local.get $at) (local.get $old) (local.get $old_bytes))
    (local.get $at))

  (func (export "sporegate:gateway/lifecycle@1.0.0#start") (result i32)
    (if (call $fd_write (i32.const 2) (i32.const 64) (i32.const 1) (i32.const 160))
      (then unreachable))
    (call $add_message_listener
      (i32.const 16) (i32.const 8)
      (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0)
      (i32.const 0)
      (i32.const 192))
    (if (i32.load8_u (i32.const 192)) (then unreachable))
    (global.set $arguments (global.get $next))
    (i32.const 128))

  (func (export "sporegate:gateway/message-handler@1.0.0#on-message")
    (param $event i32) (result i32)
    (if (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 256)) (then unreachable))
    (i64.store (i32.const 93) (i64.div_u (i64.load (i32.const 256)) (i64.const 1000000000)))
    (call $send_message
      (i32.load offset=8 (local.get $event)) (i32.load offset=12 (local.get $event))
      (i32.const 1) (i32.const 80) (i32.const 21)
      (i32.const 192))
    (if (i32.load8_u (i32.const 192)) (then unreachable))
    (global.set $next (global.get $arguments))
    (i32.const 128))

  (func (export "sporegate:gateway/disconnect-handler@1.0.0#on-disconnect")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (global.set $next (global.get $arguments))
    (i32.const 128)))
