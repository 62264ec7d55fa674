package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Where every server under test listens, in the namespace.
const (
	rtmpPort    = 1935
	httpPort    = 8080
	rtmpAddress = "127.0.0.1:1935"
	httpAddress = "127.0.0.1:8080"
)

// Where the origin in front of an edge takes broadcasts, and links.
const (
	originRTMP = "127.0.0.1:1936"
	originLink = "127.0.0.1:1937"
	originHTTP = "127.0.0.1:1938"
)

// The names of the servers.
const (
	serverHeadwater = "headwater"
	serverEdge      = "headwater-edge"
	serverBare      = "bare"
	serverNginx     = "nginx-rtmp"
)

// contender is a server in one configuration.
type contender struct {
	name  string
	merge string // as of -merge; empty if the server has no such thing
}

// publishes is where the server takes broadcasts.
func (c contender) publishes() string {
	if c.name == serverEdge {
		return originRTMP
	}
	return rtmpAddress
}

// contenders are the servers of the options that speak the protocol, in all configurations.
func contenders(o *options, protocol string) []contender {
	var all []contender
	for _, name := range o.Servers {
		if name == serverNginx {
			if protocol == protocolRTMP {
				all = append(all, contender{name: name})
			}
			continue
		}
		for _, merge := range o.Merge {
			if name != serverBare || merge != mergeAdaptive {
				all = append(all, contender{name, merge})
			}
		}
	}
	return all
}

// command is how to start the server. Files go to dir.
func (c contender) command(o *options, dir string) ([]string, error) {
	switch c.name {
	case serverHeadwater, serverEdge:
		args := []string{
			o.Headwater, "run", "--rtmp.listen", rtmpAddress, "--http.listen", httpAddress,
			"--viewer.merge-window", c.merge,
		}
		if c.name == serverEdge {
			args = append(args, "--link.origins", "origin-1="+originLink)
		}
		return append(args, strings.Fields(o.HeadwaterArgs)...), nil
	case serverBare:
		self, err := os.Executable()
		return []string{self, roleBare, "-merge", c.merge}, err
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(nginxConfig), 0o644); err != nil {
		return nil, err
	}
	return []string{"nginx", "-p", dir, "-c", file, "-e", filepath.Join(dir, "nginx.log")}, nil
}

// nginxConfig is one process with the module's own settings, except for logs and what so many
// viewers need.
const nginxConfig = `
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
master_process off;
pid nginx.pid;
worker_rlimit_nofile 16384;
error_log nginx.log error;
events { worker_connections 8192; }
rtmp {
  access_log off;
  server {
    listen ` + rtmpAddress + `;
    application ` + app + ` { live on; }
  }
}
`

// origin is how to start the node in front of an edge.
func origin(o *options) []string {
	return []string{
		o.Headwater, "run", "--node.name", "origin-1", "--rtmp.listen", originRTMP,
		"--http.listen", originHTTP, "--link.listen", originLink,
	}
}

// server is a running server.
type server struct {
	cmd    *exec.Cmd
	origin *exec.Cmd // in front of it, nil for none
	log    string
}

// startServer starts the server and waits until it listens.
func startServer(
	ctx context.Context, o *options, c contender, dir, protocol string,
) (*server, error) {
	args, err := c.command(o, dir)
	if err != nil {
		return nil, err
	}
	s := &server{log: filepath.Join(dir, "server.log")}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	addresses := []string{rtmpAddress}
	if c.name == serverEdge {
		s.origin = child(ctx, origin(o))
		s.origin.Stdout, s.origin.Stderr = log, log
		if err := s.origin.Start(); err != nil {
			return nil, err
		}
		addresses = append(addresses, originRTMP)
	}
	s.cmd = child(ctx, args)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.stop()
		return nil, err
	}
	if protocol == protocolFLV {
		addresses = append(addresses, httpAddress)
	}
	for _, a := range addresses {
		if err := listening(ctx, a); err != nil {
			s.stop()
			return nil, fmt.Errorf("%w\n%s", err, s.tail())
		}
	}
	return s, nil
}

// child is a command that dies with this process. Its Start belongs to the main goroutine, whose
// thread is the parent as the kernel sees it.
func child(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (s *server) pid() int { return s.cmd.Process.Pid }

func (s *server) stop() {
	for _, cmd := range []*exec.Cmd{s.cmd, s.origin} {
		if cmd != nil && cmd.Process != nil {
			_ = cmd.Process.Kill() // it may have ended
			_ = cmd.Wait()         // it was killed
		}
	}
}

// tail is the end of what the server has logged.
func (s *server) tail() string {
	b, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-10):], []byte("\n")))
}

// listening waits until something accepts connections.
func listening(ctx context.Context, address string) error {
	for range 250 {
		conn, err := net.DialTimeout("tcp4", address, time.Second)
		if err == nil {
			return conn.Close()
		}
		if !wait(ctx, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
	return fmt.Errorf("nothing listens on %s after 5 s", address)
}
