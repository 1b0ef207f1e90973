;; A component that imports what no listener is granted: it must be refused, naming the import.
(component
  (import "wasi:nn/tensor@0.2.0-rc-2024-10-28" (instance
    (export "tensor" (type (sub resource)))
  ))
)
