package web

import (
	"time"

	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
)

// jobs is what a server does beside answering, feature by feature. Every server of a deployment
// takes part.
func (s *Server) jobs() *job.Jobs {
	o := job.Options{Pool: s.db.Pool(pg.Worker), Log: s.log, Done: s.vitals.Job}
	if s.spans != nil {
		o.Begin = s.spans.Job
	}
	j := job.New(o)
	s.notices.Jobs(j)
	s.catalog.Jobs(j)
	s.ordering.Jobs(j)
	s.directory.Jobs(j)
	job.Every(j, "intake_expire", time.Hour, s.intake.Expire)
	job.Every(j, "media_expire", time.Hour, s.media.Expire)
	s.registrations.Jobs(j)
	s.insight.Jobs(j)
	s.privacy.Jobs(j)
	s.versions.Jobs(j)
	return j
}
