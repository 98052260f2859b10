package web

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/migrations"
)

// healthz says that the process answers, whatever else is away: to restart it would mend
// nothing.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, "application/json; charset=utf-8", http.StatusOK, map[string]any{"alive": true})
}

// readyz says whether to send requests here.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	reasons := s.Unready(r.Context())
	status := http.StatusOK
	if len(reasons) > 0 {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, "application/json; charset=utf-8", status, map[string]any{"ready": len(reasons) == 0, "reasons": reasons})
}

// readyTime bounds each look at the database: probes ask every few seconds, and the first one
// opens a connection for each role.
const readyTime = 3 * time.Second

// Unready lists why this server should get no request; empty when it should. The sentences
// name no host and no statement: anybody may read /readyz.
func (s *Server) Unready(ctx context.Context) []string {
	reasons := []string{}
	if s.leaving.Load() { // at once: the balancer is waited for
		return append(reasons, "the server is stopping")
	}
	roles := s.db.Roles()
	unreached := make([]error, len(roles))
	pings, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	var wait sync.WaitGroup
	for i, role := range roles {
		wait.Go(func() { unreached[i] = s.db.Pool(role).Ping(pings) })
	}
	wait.Wait()
	for i, err := range unreached {
		if err != nil {
			s.log.WarnContext(ctx, "database out of reach", "role", roles[i], "error", err)
			reasons = append(reasons, fmt.Sprintf("the database does not answer as %s", roles[i]))
		}
	}
	// Without its listener a server goes on, and only hears of others' changes up to a second late.
	if len(reasons) > 0 {
		return reasons
	}
	ctx, cancel = context.WithTimeout(ctx, readyTime)
	defer cancel()
	// A newer database is fine: a migration is written so that the running version survives it.
	applied, err := migrations.Applied(ctx, s.db.Pool(pg.Worker))
	switch {
	case err != nil:
		s.log.WarnContext(ctx, "migrations cannot be read", "error", err)
		reasons = append(reasons, "the database does not say which migrations it has")
	case applied < s.newest:
		reasons = append(reasons, fmt.Sprintf("the database is at migration %d and this program needs %d: run `halles migrate`", applied, s.newest))
	}
	return reasons
}
