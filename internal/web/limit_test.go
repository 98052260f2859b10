package web_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/google/uuid"
	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/rate"
	"github.com/audelor/halles/internal/web"
)

// ticker is a clock that stands until it is moved.
type ticker struct {
	mu sync.Mutex
	at time.Time
}

func (c *ticker) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *ticker) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// limited is a server with limits, whose clock stands.
func limited(t *testing.T, l web.Limits) (*site, *ticker) {
	t.Helper()
	clock := &ticker{at: time.Date(2020, 10, 30, 9, 0, 0, 0, time.UTC)}
	l.Now = clock.now
	return start(t, func(o *web.Options) { o.Limits = l }), clock
}

// slow lets so many points through and then nothing for a long time.
func slow(points int) rate.Limit { return rate.Limit{PerSecond: 0.001, Burst: points} }

// who costs two points: one for the request and one for the viewer.
const who = "{ viewer { kind } }"

// from asks who is asking, from an address.
func (s *site) from(address string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.post(address, `{"query":"`+who+`"}`, headers...)
}

func (s *site) post(address, body string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
	r.RemoteAddr = address
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.web.Handler().ServeHTTP(w, r)
	return w
}

// passes and refused look at an answer.
func passes(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "errors") {
		t.Errorf("%s is refused: %d %s", name, w.Code, w.Body)
	}
}

func refused(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	wait := w.Header().Get("Retry-After")
	if w.Code != http.StatusTooManyRequests || wait == "" || wait == "0" ||
		!strings.Contains(w.Body.String(), `"code":"LIMITED"`) || !strings.Contains(w.Body.String(), `"retryAfterSeconds":`+wait) || strings.Contains(w.Body.String(), `"data"`) {
		t.Errorf("%s: %d, Retry-After %q, %s", name, w.Code, wait, w.Body)
	}
}

// However a client writes where it comes from, it is counted by where it comes from.
func TestNoHeaderEscapesTheLimit(t *testing.T) {
	t.Parallel()
	forged := 300
	if os.Getenv("HALLES_LONG") != "" {
		forged = 10_000
	}
	headers := []string{"X-Forwarded-For", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "Forwarded", "X-Cluster-Client-IP", "X-Original-Forwarded-For"}
	forge := func(chance *rand.Rand) (name, value string) {
		name = headers[chance.IntN(len(headers))]
		var hops []string
		for range 1 + chance.IntN(4) {
			hop := fmt.Sprintf("%d.%d.%d.%d", 1+chance.IntN(220), chance.IntN(256), chance.IntN(256), chance.IntN(256))
			switch chance.IntN(8) {
			case 0:
				hop = fmt.Sprintf("2a01:%x::%x", chance.IntN(65536), chance.IntN(65536))
			case 1:
				hop = "::ffff:" + hop
			case 2:
				hop += ":443"
			case 3:
				hop = []string{"unknown", "", "10.0.0.7", "127.0.0.1", "\"[2a01::1]:80\"", "a b", "999.1.1.1", strings.Repeat("1", 500)}[chance.IntN(8)]
			}
			hops = append(hops, hop)
		}
		value = strings.Join(hops, []string{",", ", ", " ,\t"}[chance.IntN(3)])
		if name == "Forwarded" {
			value = "for=" + value
		}
		return name, value
	}
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	for name, way := range map[string]func(forgedName, forgedValue string) (peer string, headers []string){
		"Direct": func(name, value string) (string, []string) { return "81.50.7.9:4711", []string{name, value} },
		"BehindAProxy": func(name, value string) (string, []string) {
			if name == "X-Forwarded-For" {
				return "10.0.0.5:80", []string{name, value + ", 81.50.7.9"}
			}
			return "10.0.0.5:80", []string{name, value, "X-Forwarded-For", "81.50.7.9"}
		},
		"BehindTwoProxiesAndInTwoHeaders": func(name, value string) (string, []string) {
			return "[2001:db8::1]:80", []string{name, value, "X-Forwarded-For", "81.50.7.9, 10.3.3.3"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := limited(t, web.Limits{Network: slow(20), Proxies: proxies})
			chance := rand.New(rand.NewPCG(1, 2))
			through := 0
			for range forged {
				address, headers := way(forge(chance))
				if s.from(address, headers...).Code == http.StatusOK {
					through++
				}
			}
			if through != 10 {
				t.Errorf("of %d requests under forged headers %d were let through, and 10 should be", forged, through)
			}
			address, headers := way("X-Nothing", "")
			refused(t, "itself", s.from(address, headers...))
			passes(t, "another network", s.from("92.1.1.1:5"))
		})
	}
}

func TestWhoIsCountedTogether(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	s, _ := limited(t, web.Limits{Proxies: proxies})
	// counted is the network that a request is counted under, which is what the log tells of an address.
	counted := func(address string, headers []string) string {
		id := s.from(address, headers...).Header().Get("X-Request-Id")
		for line := range strings.Lines(s.log.String()) {
			if l := gjson.Parse(line); l.Get("request").String() == id {
				return l.Get("network").String()
			}
		}
		return ""
	}
	behind := func(hops ...string) (string, []string) {
		return "10.0.0.1:80", []string{"X-Forwarded-For", strings.Join(hops, ", ")}
	}
	for name, c := range map[string]struct {
		first, second func() (string, []string)
		together      bool
	}{
		"OneAddress":             {peer("81.50.7.9:1"), peer("81.50.7.9:2"), true},
		"NeighboursInIPv4":       {peer("81.50.7.9:1"), peer("81.50.7.200:1"), true},
		"TheNextNetworkInIPv4":   {peer("81.50.7.9:1"), peer("81.50.8.9:1"), false},
		"AHomeInIPv6":            {peer("[2a01:cb00:1:2::1]:1"), peer("[2a01:cb00:1:2:3:4:5:6]:1"), true},
		"NeighboursInIPv6":       {peer("[2a01:cb00:1:200::1]:1"), peer("[2a01:cb00:1:ff00::1]:1"), true},
		"TheNextNetworkInIPv6":   {peer("[2a01:cb00:1::1]:1"), peer("[2a01:cb00:2::1]:1"), false},
		"IPv4WrittenAsIPv6":      {peer("81.50.7.9:1"), peer("[::ffff:81.50.7.9]:1"), true},
		"TheSameBehindAProxy":    {peer("81.50.7.9:1"), func() (string, []string) { return behind("81.50.7.9") }, true},
		"AProxyWithAPort":        {peer("81.50.7.9:1"), func() (string, []string) { return behind("81.50.7.9:4711") }, true},
		"OthersBehindAProxy":     {func() (string, []string) { return behind("81.50.7.9") }, func() (string, []string) { return behind("92.1.1.1") }, false},
		"HearsayLeftOfTheClient": {func() (string, []string) { return behind("92.1.1.1", "81.50.7.9") }, func() (string, []string) { return behind("93.1.1.1", "81.50.7.9", "10.2.2.2") }, true},
		"NoAddressFromTheProxy":  {func() (string, []string) { return behind("81.50.7.9", "unknown") }, func() (string, []string) { return behind("92.1.1.1", "") }, true},
		"NotOfOurProxies":        {func() (string, []string) { return "11.0.0.1:80", []string{"X-Forwarded-For", "81.50.7.9"} }, func() (string, []string) { return "11.0.0.1:80", []string{"X-Forwarded-For", "92.1.1.1"} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			var networks []string
			for _, request := range []func() (string, []string){c.first, c.second} {
				address, headers := request()
				networks = append(networks, counted(address, headers))
			}
			if together := networks[0] == networks[1]; together != c.together || networks[0] == "" {
				t.Errorf("counted together: %t, under %q", together, networks)
			}
		})
	}
}

func peer(address string) func() (string, []string) {
	return func() (string, []string) { return address, nil }
}

func TestBurstThenRefill(t *testing.T) {
	t.Parallel()
	s, clock := limited(t, web.Limits{Network: rate.Limit{PerSecond: 2, Burst: 300}})
	passes(t, "a small question", s.from("81.50.7.9:1"))
	// A page of 100 shops with 1 product each has 300 objects or more: more than is left.
	dear := s.post("81.50.7.9:1", `{"query":"{ shops(first: 100) { nodes { products(first: 1) { nodes { name } } } } }"}`)
	refused(t, "a dear one", dear)
	passes(t, "a small one meanwhile", s.from("81.50.7.9:1"))
	for range 200 {
		s.from("81.50.7.9:1")
	}
	last := s.from("81.50.7.9:1")
	refused(t, "one too many", last)
	wait, err := strconv.Atoi(last.Header().Get("Retry-After"))
	if err != nil || wait < 1 || wait > 2 {
		t.Fatalf("Retry-After: %q", last.Header().Get("Retry-After"))
	}
	clock.pass(time.Duration(wait) * time.Second)
	passes(t, "one after the wait", s.from("81.50.7.9:1"))
}

func TestAccountsAndWidgetsAreCountedApart(t *testing.T) {
	t.Parallel()
	s, _ := limited(t, web.Limits{Account: slow(5), Network: slow(40)})
	subject, _ := fixture.Account(t, s.db, identity.Merchant, s.shop)
	other := sign(t, subject, time.Hour)
	for range 5 {
		passes(t, "within the limit", s.from("81.50.7.9:1", "Authorization", "Bearer "+s.merchant))
	}
	refused(t, "the account", s.from("81.50.7.9:1", "Authorization", "Bearer "+s.merchant))
	refused(t, "the account elsewhere", s.from("92.1.1.1:1", "Authorization", "Bearer "+s.merchant))
	passes(t, "a colleague in the same office", s.from("81.50.7.9:1", "Authorization", "Bearer "+other))
	passes(t, "a visitor there", s.from("81.50.7.9:1"))

	lorient := fixture.WidgetKey(t, s.db, fixture.Lorient, "https://lorient.bzh")
	groix := fixture.WidgetKey(t, s.db, fixture.Groix, "https://groix.bzh")
	through := func(k *identity.WidgetKey) *httptest.ResponseRecorder {
		return s.post("93.1.1.1:1", `{"query":"{ shops(first: 30) { nodes { name } } }"}`, "X-Halles-Key", k.Key, "Origin", k.Origins[0])
	}
	passes(t, "a commune's site", through(lorient))
	limit := through(lorient)
	refused(t, "the same site's next page", limit)
	if limit.Header().Get("Access-Control-Allow-Origin") != lorient.Origins[0] {
		t.Error("the page cannot read that it must wait")
	}
	passes(t, "another commune's", through(groix))
}

// A socket's messages and a stream's operations pay as requests do, from the same purse, and the
// socket stays open.
func TestSocketsPay(t *testing.T) {
	t.Parallel()
	s, clock := limited(t, web.Limits{Account: slow(20), Network: slow(1000)})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	payload := map[string]any{"authorization": "Bearer " + s.merchant}
	c, code, told := s.init(ctx, "", "", payload) // asks once: two points
	if code != 0 || !strings.Contains(told, "MERCHANT") {
		t.Fatalf("%d %s", code, told)
	}
	over := func(c *websocket.Conn, query string) map[string]any {
		t.Helper()
		if err := wsjson.Write(ctx, c, map[string]any{"id": uuid.NewString(), "type": "subscribe", "payload": map[string]any{"query": query}}); err != nil {
			t.Fatal(err)
		}
		for {
			var m map[string]any
			if err := wsjson.Read(ctx, c, &m); err != nil {
				t.Fatal(err)
			}
			if m["type"] == "next" || m["type"] == "error" {
				return m
			}
		}
	}
	for n := range 9 {
		if m := over(c, who); m["type"] != "next" {
			t.Fatalf("message %d: %v", n, m)
		}
	}
	for name, query := range map[string]string{"Question": who, "Nonsense": "{", "Subscription": `subscription { shopOrders(shops: ["` + s.shop.String() + `"]) { kind } }`} {
		m := over(c, query)
		if text := fmt.Sprint(m); m["type"] != "error" || !strings.Contains(text, "LIMITED") || !strings.Contains(text, "retryAfterSeconds") {
			t.Errorf("%s: %v", name, m)
		}
	}
	if _, _, told := s.init(ctx, "", "", payload); !strings.Contains(told, "LIMITED") {
		t.Errorf("another socket is another purse: %s", told)
	}
	refused(t, "a request of the same account", s.from("81.50.7.9:1", "Authorization", "Bearer "+s.merchant))
	stream := s.do(http.MethodPost, "/graphql", `{"query":"`+who+`"}`, "Content-Type", "application/json", "Accept", "text/event-stream", "Authorization", "Bearer "+s.merchant)
	stream.wants(t, 200, "event: next", `"code":"LIMITED"`, "retryAfterSeconds", "event: complete")
	clock.pass(time.Hour)
	if m := over(c, who); m["type"] != "next" {
		t.Errorf("the socket, after an hour: %v", m)
	}
}

func TestFailedSignInsAreLimited(t *testing.T) {
	t.Parallel()
	s, clock := limited(t, web.Limits{SignIns: rate.Limit{PerSecond: 0.1, Burst: 5}})
	for n := range 5 {
		if a := s.from("81.50.7.9:1", "Authorization", "Bearer guess"+strconv.Itoa(n)); a.Code != http.StatusUnauthorized {
			t.Fatalf("%d %s", a.Code, a.Body)
		}
	}
	refused(t, "the sixth", s.from("81.50.7.9:1", "Authorization", "Bearer guess"))
	passes(t, "a token that holds", s.from("81.50.7.9:1", "Authorization", "Bearer "+s.merchant))
	if a := s.from("81.50.7.10:1", "Authorization", "Bearer guess"); a.Code != http.StatusUnauthorized {
		t.Errorf("a neighbour is told %d", a.Code)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var codes []int
	for range 6 { // from 127.0.0.1
		_, code, _ := s.init(ctx, "", "", map[string]any{"authorization": "Bearer guess"})
		codes = append(codes, code)
	}
	if !slices.Equal(codes, []int{4403, 4403, 4403, 4403, 4403, 1013}) {
		t.Errorf("sockets are closed with %d", codes)
	}
	clock.pass(10 * time.Second)
	if a := s.from("81.50.7.9:1", "Authorization", "Bearer guess"); a.Code != http.StatusUnauthorized {
		t.Errorf("after the wait: %d %s", a.Code, a.Body)
	}
}

func TestGuessesAreLimited(t *testing.T) {
	t.Parallel()
	s, clock := limited(t, web.Limits{Guesses: rate.Limit{PerSecond: 0.1, Burst: 6}, Network: slow(100_000)})
	variant := field(s.ask(`{ shop(id: "`+s.shop.String()+`") { products(first: 1) { nodes { variants { id } } } } }`).body, "id")
	placed := s.ask(`mutation { placeOrders(input: {idempotencyKey: "` + uuid.NewString() + `", contact: {name: "Anna", phone: "+33612345678"},
		orders: [{shop: "` + s.shop.String() + `", mode: PICKUP, lines: [{variant: "` + variant + `", quantity: 1}]}]}) { guestSecret } }`)
	opens := func(address string, secrets ...string) *httptest.ResponseRecorder {
		query := "mutation {"
		for n, secret := range secrets {
			query += fmt.Sprintf(` a%d: exchangeGuestLink(input: {secret: \"%s\"}) { expiresAt }`, n, secret)
		}
		return s.post(address, `{"query":"`+query+` }"}`)
	}
	right := field(placed.body, "guestSecret")
	for range 20 {
		passes(t, "the right link", opens("81.50.7.9:1", right))
	}
	for range 2 {
		if a := opens("81.50.7.9:1", "wrong", "wrong too"); a.Code != 200 || !strings.Contains(a.Body.String(), "NOT_FOUND") {
			t.Fatalf("two wrong links: %d %s", a.Code, a.Body)
		}
	}
	refused(t, "more guesses at once than are left", opens("81.50.7.9:1", "1", "2", "3", right))
	passes(t, "the right link among few", opens("81.50.7.9:1", right))
	opens("81.50.7.9:1", "5", "6")
	refused(t, "a link after six wrong ones", opens("81.50.7.9:1", right))
	passes(t, "a question that is no guess", s.from("81.50.7.9:1"))
	passes(t, "a neighbour's link", opens("81.50.7.10:1", right))

	code := s.post("81.50.7.9:1", `{"query":"mutation { acceptInvitation(input: {code: \"AAAA-BBBB-CCCC\"}) { __typename } }"}`, "Authorization", "Bearer "+s.merchant)
	refused(t, "a code from the same address", code)
	clock.pass(10 * time.Second)
	passes(t, "the right link after the wait", opens("81.50.7.9:1", right))
}

// The federation's router asks for many: it is a proxy by its credential.
func TestRouterIsNoCaller(t *testing.T) {
	t.Parallel()
	s, _ := limited(t, web.Limits{Network: slow(4)})
	for range 20 {
		passes(t, "the router, for nobody knows whom", s.from("92.1.1.1:1", "X-Halles-Router", routerToken))
	}
	for range 2 {
		passes(t, "the router, for a visitor", s.from("92.1.1.1:1", "X-Halles-Router", routerToken, "X-Forwarded-For", "81.50.7.9"))
	}
	refused(t, "the router, for a visitor who asks too often", s.from("92.1.1.1:1", "X-Halles-Router", routerToken, "X-Forwarded-For", "81.50.7.9"))
	passes(t, "the router, for another", s.from("92.1.1.1:1", "X-Halles-Router", routerToken, "X-Forwarded-For", "82.50.7.9"))
	for range 2 {
		passes(t, "no router", s.from("92.1.1.1:1", "X-Halles-Router", "guessed"))
	}
	refused(t, "who only says to be a router", s.from("92.1.1.1:1", "X-Halles-Router", "guessed"))
}

func TestPagesAreLimited(t *testing.T) {
	t.Parallel()
	s, clock := limited(t, web.Limits{Pages: rate.Limit{PerSecond: 1, Burst: 3}})
	for range 3 {
		s.do(http.MethodGet, "/schema.graphql", "").wants(t, 200)
	}
	a := s.do(http.MethodGet, "/", "", "Accept", "text/html")
	a.wants(t, 429, "<h1>Trop de pages sont demandées depuis votre réseau. Réessayez dans une seconde.</h1>")
	if a.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
	}
	s.do(http.MethodGet, "/healthz", "").wants(t, 200)
	s.ask(who).wants(t, 200)
	clock.pass(time.Second)
	s.do(http.MethodGet, "/", "", "Accept", "text/html").wants(t, 200)
}
