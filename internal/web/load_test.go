package web_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audelor/halles/internal/pg/pgtest"
)

// timed asks n times, one after the other, and returns how long each took.
func timed(t *testing.T, n int, ask func() error) []time.Duration {
	t.Helper()
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	return took
}

// p99 is the time that one in a hundred exceeds.
func p99(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)*99/100]
}

// asks is a client that posts one query, and wants it answered.
func (s *site) asks(client *http.Client, query, token string) error {
	return asks(s.t.Context(), client, s.URL, query, token)
}

func asks(ctx context.Context, client *http.Client, site, query, token string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, site+"/graphql", strings.NewReader(`{"query":"`+query+`"}`))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusServiceUnavailable {
		return fmt.Errorf("%d %s %w", answer.StatusCode, body, err)
	}
	return nil
}

// Clients that send a byte a second, of their head or of their body, are cut off; others are
// answered meanwhile.
func TestSlowClientsAreCut(t *testing.T) {
	t.Parallel()
	slow, asked := 8, 0
	if os.Getenv("HALLES_LONG") != "" {
		slow, asked = 500, 2000
	}
	s := bare(t, pgtest.New(t, pgtest.Crowd))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.web.Serve(ctx, listener) }()
	t.Cleanup(func() { stop(); t.Log("ended:", <-ended) })
	s.URL = "http://" + listener.Addr().String()
	healthy := func() error { return s.asks(http.DefaultClient, `{ communes { name } }`, "") }
	var before time.Duration
	if asked > 0 {
		before = p99(timed(t, asked, healthy))
	}

	heads := []string{
		"GET / HTTP/1.1\r\nHost: x\r\nX-", // the head does not end
		"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{",
		"POST /comptoir/commande HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\na",
		"POST /session/end HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\na",
	}
	var longest atomic.Int64
	var all sync.WaitGroup
	for i := range slow {
		all.Go(func() {
			conn, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			began := time.Now()
			if _, err := io.WriteString(conn, heads[i%len(heads)]); err != nil {
				t.Error(err)
				return
			}
			gone := make(chan struct{})
			go func() { // until it is cut; what it says before is of no account
				defer close(gone)
				_, _ = io.Copy(io.Discard, conn)
			}()
			for {
				select {
				case <-gone:
					for took := int64(time.Since(began)); ; {
						if so := longest.Load(); took <= so || longest.CompareAndSwap(so, took) {
							return
						}
					}
				case <-time.After(time.Second):
					if time.Since(began) > time.Minute {
						t.Errorf("open after a minute: %q", heads[i%len(heads)])
						return
					}
					_, _ = io.WriteString(conn, "a")
				}
			}
		})
	}
	if err := healthy(); err != nil {
		t.Error(err)
	}
	if asked > 0 {
		time.Sleep(time.Second)
		during := p99(timed(t, asked, healthy))
		t.Logf("healthy p99: %s before, %s beside %d slow clients, %.2f times", before, during, slow, float64(during)/float64(before))
	}
	all.Wait()
	t.Logf("%d slow clients, the last was cut after %s", slow, time.Duration(longest.Load()).Round(10*time.Millisecond))
}

// Five hundred visitors who read as fast as they can change little for a merchant, against
// sixteen. Rounds in turn, short ones: what the machine does beside falls on both sides. All of them
// are programs of their own, as they are outside of a test: in the server's they would share its
// turns of goroutines, and its collections of garbage.
func TestVisitorsDoNotStarveMerchants(t *testing.T) {
	if os.Getenv("HALLES_LONG") == "" {
		t.Skip("figures: HALLES_LONG=1")
	}
	s := startOn(t, pgtest.New(t, pgtest.Crowd))
	const mine = `{ viewer { kind shops { name products(first: 20) { nodes { name variants { id stock } } } } } }`
	const theirs = `{ commune(slug: \"lorient\") { name shops(first: 20) { nodes { id name products(first: 5) { nodes { name } } } } } }`
	answered, failed := 0, 0
	beside := func(n int) []time.Duration {
		readers := s.others(othersWork{Query: theirs, Clients: n})
		time.Sleep(time.Second)
		merchant := s.others(othersWork{Query: mine, Token: s.merchant, Clients: 1, Requests: 200})
		took := merchant.end(t, false).Took
		read := readers.end(t, true)
		answered, failed = answered+len(read.Took), failed+read.Failed
		return took
	}
	var few, many []time.Duration
	for range 10 {
		few, many = append(few, beside(16)...), append(many, beside(500)...)
	}
	beside16, beside500 := p99(few), p99(many)
	ratio := float64(beside500) / float64(beside16)
	t.Logf("a merchant's p99: %s beside 16 visitors, %s beside 500, %.2f times (p50 %s, %s); %d answers, %d failed",
		beside16, beside500, ratio, few[len(few)/2], many[len(many)/2], answered, failed)
	if ratio > 2 || failed > 0 {
		t.Errorf("%.2f times, %d failed", ratio, failed)
	}
}
