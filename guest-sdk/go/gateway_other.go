//go:build !wasip1

package sporegate

// There is no gateway on other systems; tests of this package put one here.
var gateway host
