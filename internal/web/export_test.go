package web

import (
	"net/http"

	"github.com/audelor/halles/internal/identity"
)

// SignedIn is the middleware of the pages that come later.
func (s *Server) SignedIn(kinds ...identity.Kind) func(http.Handler) http.Handler {
	return s.signedIn(kinds...)
}
