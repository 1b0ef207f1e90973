;; A good component, for a world that is not ours: it exports only `run`.
(component
  (core module $code (func (export "run")))
  (core instance $instance (instantiate $code))
  (func (export "run") (canon lift (core func $instance "run")))
)
