;; A component that imports what no listener is granted: it must be refused, naming the import.
(component
  (import "wasi:sockets/instance-network@0.2.0" (instance
    (export "network" (type (sub resource)))
  ))
)
