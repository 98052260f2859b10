package web_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// othersEnv makes the test binary a program that asks a server, with what it holds.
const othersEnv = "HALLES_TEST_OTHERS"

// othersWork is what such a program does: so many clients ask, one question after the other, so many
// requests each, or until the program's input ends.
type othersWork struct {
	URL, Query, Token string
	Clients, Requests int
}

// othersDone is what it tells at the end.
type othersDone struct {
	Took   []time.Duration // of each request that was answered
	Failed int
}

// others starts one that asks the site.
type others struct {
	cmd *exec.Cmd
	in  io.Closer
	out io.Reader
}

func (s *site) others(work othersWork) *others {
	s.t.Helper()
	work.URL = s.URL
	told, err := json.Marshal(work)
	if err != nil {
		s.t.Fatal(err)
	}
	o := &others{cmd: exec.CommandContext(s.t.Context(), os.Args[0])}
	o.cmd.Env = append(os.Environ(), othersEnv+"="+string(told))
	o.cmd.Stderr = s.t.Output()
	if o.in, err = o.cmd.StdinPipe(); err != nil {
		s.t.Fatal(err)
	}
	if o.out, err = o.cmd.StdoutPipe(); err != nil {
		s.t.Fatal(err)
	}
	if err := o.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return o
}

// end waits until it has asked all, or ends it now.
func (o *others) end(t *testing.T, now bool) (done othersDone) {
	t.Helper()
	if now {
		_ = o.in.Close()
	}
	if err := json.NewDecoder(o.out).Decode(&done); err != nil {
		t.Fatal(err)
	}
	if err := o.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return done
}

// beOthers does the work, and ends the program.
func beOthers(told string) {
	var work othersWork
	if err := json.Unmarshal([]byte(told), &work); err != nil {
		panic(err)
	}
	asking, enough := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		enough()
	}()
	var done othersDone
	var mu sync.Mutex
	var all sync.WaitGroup
	for range work.Clients {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			var took []time.Duration
			failed := 0
			for n := 0; asking.Err() == nil && (work.Requests == 0 || n < work.Requests); n++ {
				began := time.Now()
				if err := asks(context.Background(), client, work.URL, work.Query, work.Token); err != nil {
					failed++
					continue
				}
				took = append(took, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			done.Took, done.Failed = append(done.Took, took...), done.Failed+failed
		})
	}
	all.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(done); err != nil {
		panic(err)
	}
	os.Exit(0)
}
