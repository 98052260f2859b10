// Package register asks the national register of establishments (INSEE's Sirene) about a SIRET,
// through the State's public API Recherche d'entreprises: no key, no account, public data.
//
// It is somebody else's machine: each question has a time limit, a bounded answer and few
// repetitions, and all of them together stay below the rate that it allows. What cannot be
// answered now is for the caller to ask again later; nobody waits for it.
package register

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Public is where the API is (https://recherche-entreprises.api.gouv.fr/docs).
const Public = "https://recherche-entreprises.api.gouv.fr"

// Establishment is what the register says of a SIRET.
type Establishment struct {
	Siret     string
	Name      string // of the sign, else of the enterprise; empty where its owner does not have it published
	NafCode   string // NAF rev. 2: "47.61Z"
	Address   string // in one line; empty as Name may be
	Commune   string // INSEE code
	Latitude  *float64
	Longitude *float64
	Open      bool
	ClosedOn  *time.Time // a day, UTC; nil where open, or where the day is not known
}

// ErrUnknown says that the register has no such establishment.
var ErrUnknown = errors.New("no such establishment")

const (
	// timeout bounds one question, from the name server to the last byte.
	timeout = 5 * time.Second
	// maxBody bounds an answer: one enterprise is 3 to 30 KB.
	maxBody = 1 << 20
	// maxTries bounds how often one call asks.
	maxTries = 3
	// perSecond is less than the 7 questions a second that an address may ask: other servers of
	// ours may share it.
	perSecond = 3
	// patience is the longest wait that the register may ask for within one call.
	patience = 10 * time.Second
)

// Client asks the register. The zero value is of no use; see New.
type Client struct {
	Base  string // Public, or another register's
	HTTP  *http.Client
	Pause time.Duration // before the first repetition; twice that before the next
	pace  pace
}

// New returns a client of the register at base.
func New(base string) *Client {
	return &Client{Base: base, HTTP: &http.Client{
		Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // it has none: whoever redirects is not it
		},
	}, Pause: 500 * time.Millisecond, pace: pace{every: time.Second / perSecond}}
}

// pace lets one pass at a time, so long after another.
type pace struct {
	every time.Duration
	mu    sync.Mutex
	next  time.Time
}

// wait returns when it is the caller's turn, or ctx's error.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(p.every)
	p.mu.Unlock()
	return sleep(ctx, at.Sub(now))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Later is an answer that is none: ask again.
type Later struct {
	Status int           // of HTTP; 0 where there was no answer at all
	After  time.Duration // that the register asks for; 0: it does not say
	cause  error
}

func (l *Later) Error() string {
	if l.cause != nil {
		return "the register did not answer: " + l.cause.Error()
	}
	return fmt.Sprintf("the register answered HTTP %d", l.Status)
}

func (l *Later) Unwrap() error { return l.cause }

// Establishment asks for one. ErrUnknown says that there is none; any other error that there was
// no answer that means anything, now.
func (c *Client) Establishment(ctx context.Context, siret string) (*Establishment, error) {
	pause := c.Pause
	for try := 1; ; try++ {
		if err := c.pace.wait(ctx); err != nil {
			return nil, err
		}
		found, err := c.ask(ctx, siret)
		var later *Later
		if !errors.As(err, &later) || try == maxTries {
			return found, err
		}
		wait := max(pause, later.After)
		if wait > patience {
			return nil, err
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		pause *= 2
	}
}

// answer is as much of the API's answer as we read.
type answer struct {
	Results []struct {
		Name           string          `json:"nom_complet"`
		Naf            string          `json:"activite_principale"`
		Seat           establishment   `json:"siege"`
		Establishments []establishment `json:"matching_etablissements"`
	} `json:"results"`
}

type establishment struct {
	Siret     string   `json:"siret"`
	Naf       string   `json:"activite_principale"`
	Address   string   `json:"adresse"`
	Commune   string   `json:"commune"`
	State     string   `json:"etat_administratif"` // A: open, F: closed
	ClosedOn  string   `json:"date_fermeture"`
	Latitude  string   `json:"latitude"`
	Longitude string   `json:"longitude"`
	TradeName string   `json:"nom_commercial"`
	Signs     []string `json:"liste_enseignes"`
}

// hidden is written in place of what an owner does not have published.
const hidden = "[NON-DIFFUSIBLE]"

func (c *Client) ask(ctx context.Context, siret string) (*Establishment, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	query := url.Values{"q": {siret}, "page": {"1"}, "per_page": {"1"}, "minimal": {"true"}, "include": {"siege,matching_etablissements"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+"/search?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "halles (https://github.com/audelor/halles)")
	response, err := c.HTTP.Do(r)
	if err != nil {
		return nil, &Later{cause: err}
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusTooManyRequests || code >= 500:
		return nil, &Later{Status: code, After: retryAfter(response)}
	case code != http.StatusOK:
		return nil, fmt.Errorf("the register answered HTTP %d", code)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, &Later{cause: err}
	case len(body) > maxBody:
		return nil, fmt.Errorf("the register's answer has more than %d bytes", maxBody)
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, fmt.Errorf("the register's answer: %w", err)
	}
	for i := range a.Results {
		result := &a.Results[i]
		for _, e := range append(result.Establishments, result.Seat) {
			if e.Siret == siret {
				return e.read(result.Name, result.Naf), nil
			}
		}
	}
	return nil, ErrUnknown
}

// retryAfter is how long a server asks to be left alone, in seconds (RFC 9110, 10.2.3); a date is
// not what this one sends.
func retryAfter(r *http.Response) time.Duration {
	n, err := strconv.Atoi(r.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}

func (e *establishment) read(enterprise, naf string) *Establishment {
	found := &Establishment{Siret: e.Siret, Name: e.TradeName, NafCode: e.Naf, Address: e.Address, Commune: e.Commune, Open: e.State == "A"}
	if found.Name == "" && len(e.Signs) > 0 {
		found.Name = e.Signs[0]
	}
	if found.Name == "" {
		found.Name = enterprise
	}
	if found.NafCode == "" {
		found.NafCode = naf
	}
	for _, text := range []*string{&found.Name, &found.Address} {
		if *text == hidden {
			*text = ""
		}
	}
	if day, err := time.Parse(time.DateOnly, e.ClosedOn); err == nil && !found.Open {
		found.ClosedOn = &day
	}
	lat, latErr := strconv.ParseFloat(e.Latitude, 64)
	lon, lonErr := strconv.ParseFloat(e.Longitude, 64)
	if latErr == nil && lonErr == nil && lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180 {
		found.Latitude, found.Longitude = &lat, &lon
	}
	return found
}
