package main

import (
	"fmt"
	"os"
)

// step prints a line for a step, and stops at the first that fails.
func step(name string, err error) {
	if err != nil {
		fmt.Printf("not ok %s: %v\n", name, err)
		os.Exit(1)
	}
	fmt.Printf("ok %s\n", name)
}

// check fails with a message unless it holds.
func check(holds bool, otherwise string, values ...any) error {
	if holds {
		return nil
	}
	return fmt.Errorf(otherwise, values...)
}
