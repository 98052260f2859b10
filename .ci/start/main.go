// Command start runs the program as a newcomer does: `halles demo` in a fresh folder, a question
// to its API, a SIGKILL in the middle, a second start in the same folder that must give the same
// answer, an orderly end when all lies on the disk, and a third start.
//
//	go run ./.ci/start PATH-OF-HALLES
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// question touches communes, shops over all of them, products and variants.
const question = `{
	communes { insee name }
	shops(first: 20) { totalCount nodes { id name commune { name } products(first: 5) { nodes { id name variants { id price { cents } } } } } }
}`

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: start PATH-OF-HALLES")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := check(ctx, os.Args[1]); err != nil {
		fmt.Println("FAIL:", err)
		os.Exit(1)
	}
}

func check(ctx context.Context, program string) error {
	base, err := os.MkdirTemp("", "halles-start-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(base)
	if err := os.Chmod(base, 0o711); err != nil { // as root, Postgres runs as another user
		return err
	}
	data := filepath.Join(base, "data")

	first, err := start(ctx, program, data)
	if err != nil {
		return fmt.Errorf("first start: %w", err)
	}
	defer first.kill()
	before, err := first.ask(ctx)
	if err != nil {
		return fmt.Errorf("first start: %w", err)
	}
	if !strings.Contains(before, `"insee":"56121"`) || !strings.Contains(before, `"cents":`) {
		return fmt.Errorf("first start: no Lorient or no price in %s", before)
	}
	first.kill()
	fmt.Println("killed by SIGKILL")

	second, err := start(ctx, program, data)
	if err != nil {
		return fmt.Errorf("second start, after SIGKILL: %w", err)
	}
	defer second.kill()
	after, err := second.ask(ctx)
	if err != nil {
		return fmt.Errorf("second start: %w", err)
	}
	if before != after {
		return fmt.Errorf("the second start answers otherwise:\n%s\n%s", before, after)
	}
	if err := settled(ctx, data); err != nil {
		return fmt.Errorf("second start: %w", err)
	}
	if err := second.stop(); err != nil {
		return err
	}

	third, err := start(ctx, program, data)
	if err != nil {
		return fmt.Errorf("third start: %w", err)
	}
	defer third.kill()
	if again, err := third.ask(ctx); err != nil || again != before {
		return fmt.Errorf("the third start answers otherwise, or not (%w):\n%s\n%s", err, before, again)
	}
	return third.stop()
}

// settled waits until what the first start filled lies on the disk.
func settled(ctx context.Context, data string) error {
	began := time.Now()
	for {
		if _, err := os.Stat(filepath.Join(data, "unsettled")); errors.Is(err, os.ErrNotExist) {
			fmt.Printf("on the disk after %.2f s more\n", time.Since(began).Seconds())
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("the data are not on the disk in time")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// running is a started program.
type running struct {
	process *exec.Cmd
	said    *bytes.Buffer
	exited  chan error
	graphql string
}

// start runs demo on a free port and waits until it says that it is ready.
func start(ctx context.Context, program, data string) (*running, error) {
	// The file of the last start names its port: only the new one counts.
	note := filepath.Join(data, "demo.json")
	if err := os.Remove(note); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	began := time.Now()
	r := &running{said: &bytes.Buffer{}, exited: make(chan error, 1)}
	r.process = exec.CommandContext(ctx, program, "demo", "--listen", "127.0.0.1:0", "--data", data)
	r.process.Stdout, r.process.Stderr = r.said, r.said
	r.process.WaitDelay = 5 * time.Second
	if err := r.process.Start(); err != nil {
		return nil, err
	}
	go func() { r.exited <- r.process.Wait() }()
	for {
		select {
		case err := <-r.exited:
			r.exited <- err
			return nil, fmt.Errorf("it ended (%v) and said:\n%s", err, r.said)
		case <-ctx.Done():
			r.kill()
			return nil, fmt.Errorf("not ready in time, it said:\n%s", r.said)
		case <-time.After(5 * time.Millisecond): // the time told is the start, not what is slept here
		}
		var urls struct{ URL, GraphQL string }
		content, err := os.ReadFile(note)
		if err != nil || json.Unmarshal(content, &urls) != nil {
			continue
		}
		if status, _, err := fetch(ctx, http.MethodGet, strings.TrimSuffix(urls.URL, "/")+"/readyz", ""); err == nil && status == http.StatusOK {
			r.graphql = urls.GraphQL
			fmt.Printf("ready at %s after %.2f s\n", urls.URL, time.Since(began).Seconds())
			return r, nil
		}
	}
}

// ask puts the question and refuses an answer with errors.
func (r *running) ask(ctx context.Context) (string, error) {
	body, err := json.Marshal(map[string]string{"query": question})
	if err != nil {
		return "", err
	}
	status, answer, err := fetch(ctx, http.MethodPost, r.graphql, string(body))
	switch {
	case err != nil:
		return "", err
	case status != http.StatusOK || strings.Contains(answer, `"errors"`):
		return "", fmt.Errorf("%d: %s", status, answer)
	}
	fmt.Printf("answered %d bytes\n", len(answer))
	return answer, nil
}

// kill ends the program at once and waits until it is gone.
func (r *running) kill() {
	_ = r.process.Process.Kill()
	r.exited <- <-r.exited
}

// stop ends the program in order: SIGTERM, exit code 0, within ten seconds.
func (r *running) stop() error {
	if err := r.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-r.exited:
		r.exited <- err
		if err != nil {
			return fmt.Errorf("stopped with %w, it said:\n%s", err, r.said)
		}
		fmt.Println("stopped in order")
		return nil
	case <-time.After(10 * time.Second):
		r.kill()
		return fmt.Errorf("still there 10 s after SIGTERM, it said:\n%s", r.said)
	}
}

func fetch(ctx context.Context, method, url, body string) (int, string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}
