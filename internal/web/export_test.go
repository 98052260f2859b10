package web

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/audelor/halles/graph/answers"
	"github.com/audelor/halles/internal/identity"
)

// SignedIn is the middleware of the pages that come later.
func (s *Server) SignedIn(kinds ...identity.Kind) func(http.Handler) http.Handler {
	return s.signedIn(kinds...)
}

// SameNetwork tells whether two requests, each a peer and pairs of headers, are counted together.
func SameNetwork(proxies []netip.Prefix, requests ...func() (peer string, headers []string)) bool {
	l := newLimiters(Limits{Proxies: proxies})
	var networks []netip.Prefix
	for _, request := range requests {
		peer, headers := request()
		r := &http.Request{RemoteAddr: peer, Header: http.Header{}}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		client, _ := l.client(r, false)
		networks = append(networks, network(client, networkIPv4, networkIPv6))
	}
	return networks[0] == networks[1]
}

// ReadVersions reads the versions of the communes once, as a server that runs does twice a second.
func (s *Server) ReadVersions(ctx context.Context) { s.versions.Read(ctx) }

// RunVersions reads them until ctx ends.
func (s *Server) RunVersions(ctx context.Context) error { return s.versions.Run(ctx) }

// VersionReads is how often they were read.
func (s *Server) VersionReads() int64 { return s.versions.Reads() }

// Kept tells how the kept answers are.
func (s *Server) Kept() answers.Figures { return s.answers.Figures() }
