package main

import (
	"fmt"
	"time"
)

// durationFlag is a positive duration on the command line.
type durationFlag time.Duration

func (d *durationFlag) String() string { return time.Duration(*d).String() }

// Set reads the flag.
func (d *durationFlag) Set(text string) error {
	got, err := time.ParseDuration(text)
	if err != nil || got <= 0 {
		return fmt.Errorf("write a positive duration such as 5s or 12m")
	}
	*d = durationFlag(got)
	return nil
}
