;; A listener that waits: a text is answered with "awake", and over a binary message it sleeps for
;; an hour in WASI's poll, using no CPU time.
(module
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  ;; name, path, content, roles, priority, where the result goes
  (import "sporegate:gateway/listeners@1.0.0" "add-message-listener"
    (func $add_message_listener (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  ;; client id, message, where the result goes
  (import "sporegate:gateway/clients@1.0.0" "send-message"
    (func $send_message (param i32 i32 i32 i32 i32 i32)))

  (memory (export "memory") 4)
  (data (i32.const 16) "sleeper")
  (data (i32.const 32) "awake")
  ;; What an export returns: the ok case and `stop`, the second case of `outcome`.
  (data (i32.const 64) "\00\00\00\00" "\01")
  ;; A subscription to the monotonic clock, 3600 * 10^9 ns from now.
  (data (i32.const 96)
    "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\01\00\00\00\00\00\00\00"
    "\00\a0\b8\30\46\03\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00")

  ;; Arguments lie from here on, until the call returns. What the adapter of preview 1 keeps for a
  ;; poll lies here, too, and would be lost with them; but no poll returns in the life of a test.
  (global $next (mut i32) (i32.const 1024))

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
    (call $add_message_listener
      (i32.const 16) (i32.const 7)
      (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0)
      (i32.const 0)
      (i32.const 192))
    (if (i32.load8_u (i32.const 192)) (then unreachable))
    (i32.const 64))

  (func (export "sporegate:gateway/message-handler@1.0.0#on-message")
    (param $event i32) (result i32)
    ;; The case of the payload.
    (if (i32.load8_u offset=44 (local.get $event))
      (then
        (if (call $poll_oneoff (i32.const 96) (i32.const 256) (i32.const 1) (i32.const 320))
          (then unreachable))))
    (call $send_message
      (i32.load offset=8 (local.get $event)) (i32.load offset=12 (local.get $event))
      (i32.const 0) (i32.const 32) (i32.const 5)
      (i32.const 192))
    (if (i32.load8_u (i32.const 192)) (then unreachable))
    (global.set $next (i32.const 1024))
    (i32.const 64))

  (func (export "sporegate:gateway/disconnect-handler@1.0.0#on-disconnect")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.const 64)))
