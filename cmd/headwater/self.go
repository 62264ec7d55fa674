package main

import (
	"github.com/headwater-live/headwater/cluster/control"
	"github.com/headwater-live/headwater/cmd/headwater/config"
)

// selfView is a node by itself as its HTTP API shows it.
func selfView(cfg *config.Config, s sockets) control.NodeView {
	view := control.NodeView{Name: cfg.Node.Name, Roles: []string{"origin", "edge"}}
	if s.rtmp != nil {
		view.RTMP = local(s.rtmp.Addr())
	}
	if s.http != nil {
		view.HTTP = local(s.http.Addr())
	}
	if s.link != nil {
		view.Link = local(s.link.Addr())
	}
	return view
}
