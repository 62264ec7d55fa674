package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// inside is the environment variable that says that the tool has put itself into its namespace. Its
// value is the directory for what the run leaves behind.
const inside = "HEADWATER_FANOUT_INSIDE"

// mtu is the loopback's, an Ethernet's. At the usual 65536, Nagle's algorithm merges frames at no
// cost to anyone, which flatters servers that would pay for small segments on a real network.
const mtu = 1500

// enter runs the tool again, in place of this process, in a network namespace of its own.
func enter(dir string) error {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"unshare", "--net"}
	if os.Getuid() != 0 {
		args = append(args, "--map-root-user")
	}
	args = append(args, "sh", "-c", fmt.Sprintf(`ip link set lo mtu %d up && exec "$@"`, mtu), "sh")
	args = append(args, self)
	args = append(args, os.Args[1:]...)
	err = syscall.Exec(unshare, args, append(os.Environ(), inside+"="+dir))
	return fmt.Errorf("run %s: %w", unshare, err)
}

// checkNamespace makes sure that nothing but a loopback of the right MTU can be reached.
func checkNamespace() error {
	all, err := net.Interfaces()
	if err != nil {
		return err
	}
	found := false
	for _, i := range all {
		switch {
		case i.Flags&net.FlagUp == 0:
		case i.Flags&net.FlagLoopback == 0:
			return fmt.Errorf("interface %s is up in what should be a namespace of its own", i.Name)
		case i.MTU != mtu:
			return fmt.Errorf("%s has an MTU of %d, want %d", i.Name, i.MTU, mtu)
		default:
			found = true
		}
	}
	if !found {
		return errors.New("no loopback interface is up")
	}
	return nil
}

// raiseLimits lets this process and its children have at least n files open.
func raiseLimits(n int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	want := unix.Rlimit{Cur: uint64(n), Max: max(limit.Max, uint64(n))}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &want); err != nil {
		return fmt.Errorf("%d open files, the limit is %d: %w", n, limit.Max, err)
	}
	return nil
}
