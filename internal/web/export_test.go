package web

import (
	"net/http"
	"net/netip"

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
