package config

import (
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time, 0 or more, written as in Go: 500ms, 30s, 1m30s.
type Duration time.Duration

// Std returns d as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// UnmarshalText reads a duration. Only 0 goes without a unit.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	span, err := time.ParseDuration(s)
	switch {
	case err != nil && number(s):
		return fmt.Errorf("%s has no unit; try %ss", s, s)
	case err != nil:
		return fmt.Errorf("%s is not a duration; try 30s", quote(s))
	case span < 0:
		return fmt.Errorf("%s is below zero; try 30s", s)
	}
	*d = Duration(span)
	return nil
}

// String writes d as UnmarshalText reads it, without units that are zero.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Size is a count of bytes, 0 or more, written with a unit: 512B, 256KiB, 32MiB, 1GiB, or by
// thousands 256kB, 32MB, 1GB.
type Size int64

// unit is how a size may end. The order is that in which String tries those of 1024.
type unit struct {
	name  string
	bytes int64
}

func units() []unit {
	return []unit{
		{"GiB", 1 << 30},
		{"MiB", 1 << 20},
		{"KiB", 1 << 10},
		{"GB", 1e9},
		{"MB", 1e6},
		{"kB", 1e3},
		{"B", 1},
	}
}

// UnmarshalText reads a size: a whole number and a unit. Only 0 goes without a unit.
func (z *Size) UnmarshalText(text []byte) error {
	s := string(text)
	digits := strings.TrimRight(s, "BKMGTikmgtb")
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil:
		return fmt.Errorf("%s is not a size; try 256KiB", quote(s))
	case n < 0:
		return fmt.Errorf("%s is below zero; try 256KiB", s)
	case digits == s && n != 0:
		return fmt.Errorf("%s has no unit; try %sKiB, or %sB for bytes", s, s, s)
	case digits == s:
		*z = 0
		return nil
	}
	for _, u := range units() {
		if s[len(digits):] != u.name {
			continue
		}
		if n > math.MaxInt64/u.bytes {
			return fmt.Errorf("%s is more than %dGiB", s, int64(math.MaxInt64)>>30)
		}
		*z = Size(n * u.bytes)
		return nil
	}
	return fmt.Errorf("%s is not a size: there is no unit %s; try 256KiB", s, s[len(digits):])
}

// String writes z in the largest unit of 1024 that divides it.
func (z Size) String() string {
	for _, u := range units()[:3] {
		if z != 0 && int64(z)%u.bytes == 0 {
			return fmt.Sprintf("%d%s", int64(z)/u.bytes, u.name)
		}
	}
	return fmt.Sprintf("%dB", int64(z))
}

// Address is where to listen, host:port, or empty for nowhere. The host may be missing, for all
// of this machine's; the port is a number.
type Address string

// UnmarshalText reads an address.
func (a *Address) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" {
		*a = ""
		return nil
	}
	_, port, err := net.SplitHostPort(s)
	if err != nil && number(s) {
		return fmt.Errorf("%s is not an address; try :%s", s, s)
	}
	if err != nil {
		return fmt.Errorf("%s is not an address host:port; try :1935", quote(s))
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s: port %s is not a number from 0 to 65535", s, quote(port))
	}
	*a = Address(s)
	return nil
}

// MergeWindow is how long media is gathered before it is written to a viewer: Adaptive, or a time
// from 0 to MaxMergeWindow.
type MergeWindow time.Duration

// Adaptive leaves the window to the node, which widens it with the load.
const Adaptive MergeWindow = -1

// MaxMergeWindow is the greatest window.
const MaxMergeWindow = MergeWindow(350 * time.Millisecond)

// Fixed returns the window, and false if it is Adaptive.
func (w MergeWindow) Fixed() (time.Duration, bool) {
	if w == Adaptive {
		return 0, false
	}
	return time.Duration(w), true
}

// UnmarshalText reads a window.
func (w *MergeWindow) UnmarshalText(text []byte) error {
	if string(text) == "adaptive" {
		*w = Adaptive
		return nil
	}
	var d Duration
	if err := d.UnmarshalText(text); err != nil {
		return fmt.Errorf("%w, or adaptive", err)
	}
	if MergeWindow(d) > MaxMergeWindow {
		return fmt.Errorf("%s is out of range; allowed: adaptive, or 0s to %s",
			text, time.Duration(MaxMergeWindow))
	}
	*w = MergeWindow(d)
	return nil
}

// String writes w as UnmarshalText reads it.
func (w MergeWindow) String() string {
	if w == Adaptive {
		return "adaptive"
	}
	return Duration(w).String()
}

// number tells whether s is a plain number, which lacks something around it.
func number(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// quote sets a value apart only where it would else be lost in the sentence.
func quote(s string) string {
	if s == "" || strings.TrimSpace(s) != s || strconv.Quote(s) != `"`+s+`"` {
		return strconv.Quote(s)
	}
	return s
}
