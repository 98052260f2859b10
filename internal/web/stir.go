package web

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/audelor/halles/internal/ordering"
)

// beat is how often a page's stream says that it is alive; proxies cut what is silent for a minute.
const beat = 12 * time.Second

// stir tells a page that something happened to what it shows, as server-sent events without any
// content: the page asks for itself again, with the rights that it has then. The events that
// streams begin with, the present state, stir as well; the page lets several that come together
// be one.
func (s *Server) stir(w http.ResponseWriter, r *http.Request, err error, streams ...*ordering.Stream) {
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep it back
	out := http.NewResponseController(w)
	write := func(text string) bool {
		_, err := fmt.Fprint(w, text)
		return err == nil && out.Flush() == nil
	}
	if !write("retry: 2000\n\n") {
		return
	}
	happened := make(chan struct{}, 1)
	ended := make(chan struct{})
	var end sync.Once
	for _, stream := range streams {
		go func() {
			for range stream.Events(r.Context()) {
				select {
				case happened <- struct{}{}:
				default: // one waits already
				}
			}
			end.Do(func() { close(ended) })
		}()
	}
	ticks := time.NewTicker(beat)
	defer ticks.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-ended: // a slow reader, a right that was taken away: the browser comes back and is judged anew
			return
		case <-ticks.C:
			if !write(":\n\n") {
				return
			}
		case <-happened:
			if !write("data: changed\n\n") {
				return
			}
		}
	}
}

// dialled is a number as one dials it in France.
func dialled(e164 string) string {
	local, french := strings.CutPrefix(e164, "+33")
	if !french || len(local) != 9 {
		return e164
	}
	local = "0" + local
	return strings.Join([]string{local[:2], local[2:4], local[4:6], local[6:8], local[8:]}, " ")
}
