package main

import (
	"fmt"
	"os"
)

// step prints one line for a step. It exits if the step failed.
func step(name string, err error) {
	if err != nil {
		fmt.Printf("not ok %s: %v\n", name, err)
		os.Exit(1)
	}
	fmt.Printf("ok %s\n", name)
}

// check returns an error with the message unless the condition is true.
func check(condition bool, message string, values ...any) error {
	if condition {
		return nil
	}
	return fmt.Errorf(message, values...)
}
