package web

import (
	"context"
	"net/http"
	"time"

	"github.com/audelor/halles/graph/answers"
	"github.com/audelor/halles/internal/versions"
	"github.com/audelor/halles/internal/vitals"
)

// keepAnswers makes the cache of answers to visitors, in so many bytes; none when zero.
func (s *Server) keepAnswers(bytes int, settle time.Duration) {
	if bytes == 0 {
		return
	}
	s.feed.Heard = s.versions.Nudge
	s.background = append(s.background, After(settle, s.versions.Run))
	s.answers = answers.New(answers.Options{
		Bytes: bytes, Versions: s.versions,
		Named: func(ctx context.Context, slug string) (string, bool) {
			c, err := s.communes.Find(ctx, nil, &slug)
			if err != nil {
				return "", false
			}
			return c.Insee, true
		},
	})
}

// Versions are those of the communes' published rows, as this server has read them.
func (s *Server) Versions() *versions.Versions { return s.versions }

// Kept tells how the kept answers are.
func (s *Server) Kept() answers.Figures { return s.answers.Figures() }

// asksForItself tells a request that carries more than a question: a credential, whom it acts for, or
// what its sender has just written. It is answered from the database.
func (s *Server) asksForItself(r *http.Request) bool {
	for _, name := range []string{"Authorization", actHeader, seenHeader, routerHeader} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return s.cookieOf(r) != ""
}

// answerVitals adds the figures of kept answers.
func (s *Server) answerVitals() {
	if s.answers == nil {
		return
	}
	figure := func(name, help string, counter bool, of func(answers.Figures) int64) vitals.Figure {
		return vitals.Figure{Name: name, Help: help, Counter: counter, Read: func() float64 { return float64(of(s.answers.Figures())) }}
	}
	s.vitals.Read(
		figure("answers_kept_hits_total", "Questions of visitors that a kept answer was given to.", true, func(f answers.Figures) int64 { return f.Hits }),
		figure("answers_kept_misses_total", "Questions of visitors that were looked for and not found, or whose answer held no longer.", true, func(f answers.Figures) int64 { return f.Misses }),
		figure("answers_shared_total", "Of these, those that waited for somebody who had asked the same.", true, func(f answers.Figures) int64 { return f.Shared }),
		figure("answers_kept_bytes", "Bytes that kept answers take.", false, func(f answers.Figures) int64 { return f.Bytes }),
		figure("answers_kept", "Answers that are kept.", false, func(f answers.Figures) int64 { return f.Entries }),
		vitals.Figure{Name: "versions_known", Help: "1 while the communes' versions were read within the last second, else 0: then no kept answer is served.", Read: func() float64 {
			if _, known := s.versions.Now(); known {
				return 1
			}
			return 0
		}},
	)
}
