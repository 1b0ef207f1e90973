module examples

go 1.24

require sporegate v0.0.0

replace sporegate => ../../guest-sdk/go
