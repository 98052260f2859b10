//go:build !linux

package web_test

import "time"

var began = time.Now()

// threadTime is the time that passes: the CPU time of one thread cannot be had here.
func threadTime() time.Duration { return time.Since(began) }
