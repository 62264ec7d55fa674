// Command etcd is a member of a real etcd cluster for the end-to-end tests: the server of the
// version that the product embeds, but with as many members as a test wants.
//
// It is a module of its own, so that its dependencies are no matter of the product's.
package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"go.etcd.io/etcd/server/v3/embed"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		os.Exit(1)
	}
}

// run serves until a signal asks it to stop, or until etcd gives up.
func run() error {
	config := embed.NewConfig()
	flag.StringVar(&config.Name, "name", "", "name of this member")
	flag.StringVar(&config.Dir, "dir", "", "where its data is")
	flag.StringVar(&config.InitialCluster, "cluster", "", "all members, NAME=URL,...")
	client := flag.String("client", "", "URL for clients")
	peer := flag.String("peer", "", "URL for the other members")
	flag.Parse()
	at, err := urls(*client)
	if err != nil {
		return err
	}
	config.ListenClientUrls, config.AdvertiseClientUrls = at, at
	if at, err = urls(*peer); err != nil {
		return err
	}
	config.ListenPeerUrls, config.AdvertisePeerUrls = at, at
	config.LogLevel = "warn"
	config.UnsafeNoFsync = true // a test kills processes, not machines
	server, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	defer server.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	select {
	case <-server.Server.ReadyNotify():
		fmt.Println("ready")
	case err := <-server.Err():
		return err
	case <-stop:
		return nil
	}
	select {
	case err := <-server.Err():
		return err
	case <-stop:
		return nil
	}
}

func urls(text string) ([]url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	return []url.URL{*u}, nil
}
