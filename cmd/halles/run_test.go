package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/identity/devissuer"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// TestMain is the program itself when a test starts it: the binary is there already.
func TestMain(m *testing.M) {
	if os.Getenv("HALLES_TEST_PROGRAM") != "" {
		main()
	}
	pgtest.Waiting(m)
}

var secret = base64.StdEncoding.EncodeToString(fixture.Secret)

// output collects what a program prints while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// drill is a test of what is done to servers and databases once in a while, with two of each: it takes as
// long as ten others. CI has them in the run under the race detector.
func drill(t *testing.T) {
	t.Helper()
	if os.Getenv("HALLES_DRILLS") == "" && os.Getenv("HALLES_LONG") == "" {
		t.Skip("a drill of operations, as long as ten other tests: with HALLES_DRILLS=1, as in CI's race run")
	}
	t.Parallel()
}

// halles runs the program to its end.
func halles(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems output
	code = run(t.Context(), args, env, &out, &problems)
	return code, out.String(), problems.String()
}

func TestAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := halles(t, []string{
		"HALLES_DATABASE_URL=mysql://user:hunter2@host/halles", "HALLES_SECRET=short", "HALLES_ORIGINS=https://good.example,https://bad.example/path",
		"HALLES_SMTP_URL=https://user:hunter2@mail.example", "HALLES_URL=halles.example", "HALLES_CALL_AFTER=5m",
		"HALLES_ROUTER_TOKEN=tiny", "HALLES_LISTEN=8080", "HALLES_OPERATIONS_LISTEN=9464", "HALLES_LOG_LEVEL=loud", "HALLES_LOG_FORMAT=xml",
		"HALLES_ISSUERS=https://right.example/realms/town|halles|ES256+EdDSA,https://bare.example,http://clear.example|halles,https://a:hunter2@user.example|halles," +
			"https://twice.example|halles, https://twice.example|other,https://shared.example|halles|HS256,https://x.example||,not a url|halles,http://127.0.0.1:8081|halles",
	}, "serve")
	if code != 2 || stdout != "" {
		t.Errorf("exit code %d, output %q", code, stdout)
	}
	for _, name := range []string{
		"HALLES_DATABASE_URL", "HALLES_SECRET", `"https://bad.example/path"`, "HALLES_ROUTER_TOKEN", "HALLES_SMTP_URL", `HALLES_URL: "halles.example"`, "HALLES_CALL_AFTER and", `"8080"`, `"9464"`, `"loud"`, `"xml"`,
		"HALLES_ISSUERS, number 2: write", "number 3: http://clear.example is not https", "number 4: what stands", "number 6: https://twice.example is there twice",
		`number 7: "HS256" is not an algorithm`, "number 8: write", "number 9: what stands",
	} {
		if !strings.Contains(stderr, name) {
			t.Errorf("%s is not told: %s", name, stderr)
		}
	}
	if n := strings.Count(stderr, "\n  - "); n != 18 {
		t.Errorf("%d mistakes told, not 18: %s", n, stderr)
	}
	if strings.Contains(stderr, "hunter2") || strings.Contains(stderr, "good.example") || strings.Contains(stderr, "right.example") {
		t.Errorf("a password or what is right is told: %s", stderr)
	}
}

// Of how people sign in on pages every mistake is told, and no secret.
func TestMistakesOfPages(t *testing.T) {
	t.Parallel()
	_, _, stderr := halles(t, []string{
		"HALLES_DATABASE_URL=postgres://host/halles", "HALLES_SECRET=" + secret, "HALLES_ISSUERS=https://right.example|halles", "HALLES_URL=http://marche.example",
		"HALLES_CLIENTS=https://right.example|id|hunter2|Compte,https://right.example|id|hunter2|Compte,https://unknown.example|id|hunter2|Compte,id|hunter2,https://right.example||hunter2|Compte",
	}, "serve")
	for _, told := range []string{"http://marche.example is not https", "number 2: https://right.example is there twice", `number 3: "https://unknown.example" is not one of HALLES_ISSUERS`, "number 4: write", "number 5: write"} {
		if !strings.Contains(stderr, told) {
			t.Errorf("%s is not told: %s", told, stderr)
		}
	}
	if n := strings.Count(stderr, "\n  - "); n != 5 || strings.Contains(stderr, "hunter2") {
		t.Errorf("%d mistakes told, not 5, or a secret: %s", n, stderr)
	}
	for url, told := range map[string]string{"": "HALLES_CLIENTS needs HALLES_URL", "https://marche.example/halles": "is not the address of a site", "marche.example": "is not the address of a site"} {
		_, _, stderr := halles(t, []string{
			"HALLES_DATABASE_URL=postgres://host/halles", "HALLES_SECRET=" + secret, "HALLES_ISSUERS=https://right.example|halles", "HALLES_URL=" + url, "HALLES_CLIENTS=https://right.example|id||",
		}, "serve")
		if !strings.Contains(stderr, told) || strings.Count(stderr, "\n  - ") != 1 {
			t.Errorf("HALLES_URL=%s: %s", url, stderr)
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	if code, _, stderr := halles(t, nil, "serve", "--lisen", ":1"); code != 2 || !strings.Contains(stderr, "--lisen") {
		t.Errorf("unknown flag: exit %d, %s", code, stderr)
	}
	if code, _, stderr := halles(t, nil, "migrate"); code != 2 || !strings.Contains(stderr, "HALLES_DATABASE_URL") {
		t.Errorf("migrate without a database: exit %d, %s", code, stderr)
	}
	code, stdout, _ := halles(t, nil, "serve", "--help")
	if code != 0 {
		t.Errorf("--help: exit %d", code)
	}
	for _, name := range []string{"HALLES_DATABASE_URL", "HALLES_DB_PASSWORD_", "HALLES_SECRET", "HALLES_LISTEN", "HALLES_ORIGINS", "HALLES_ROUTER_TOKEN", "HALLES_ISSUERS", "HALLES_URL", "HALLES_CLIENTS"} {
		if !strings.Contains(stdout, name) {
			t.Errorf("--help does not tell %s", name)
		}
	}
}

func TestSchemaIsFederated(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := halles(t, nil, "schema")
	if code != 0 || !strings.Contains(stdout, `@link(`) || !strings.Contains(stdout, `type Commune implements Node @key(fields: "insee") @key(fields: "slug")`) {
		t.Errorf("exit %d, %.300s %s", code, stdout, stderr)
	}
}

// served runs `halles serve` on a free port until the test ends, and gives its address.
func served(t *testing.T, env []string, args ...string) (url string, end func() (code int, stderr string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	problems := &output{}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...), env, io.Discard, problems)
	}()
	end = sync.OnceValues(func() (int, string) {
		cancel()
		return <-ended, problems.String()
	})
	t.Cleanup(func() { end() })
	address := regexp.MustCompile(`url=(\S+)`)
	for range 6000 { // a minute
		if m := address.FindStringSubmatch(problems.String()); m != nil {
			return m[1], end
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("it does not serve: %s", problems)
	return "", nil
}

func get(t *testing.T, url string, headers ...string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(raw)
}

func TestServe(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	subject, account := fixture.Account(t, d, identity.Merchant, shop)
	issuer := devissuer.New("", "market")
	signing := httptest.NewServer(issuer)
	t.Cleanup(signing.Close)
	issuer.URL = signing.URL + devissuer.Path
	d.Exec(t, `update accounts set issuer = $1 where id = $2`, issuer.URL, account)
	env := []string{
		"HALLES_DATABASE_URL=" + d.ServerURL(), "HALLES_SECRET=" + secret,
		"HALLES_ISSUERS=" + issuer.URL + "|market", "HALLES_URL=https://localhost:1", "HALLES_CLIENTS=" + issuer.URL + "|pages||Compte",
	}
	url, end := served(t, env)
	if status, body := get(t, url+"/readyz"); status != 200 {
		t.Errorf("not ready: %s", body)
	}

	t.Run("TokenIsAccepted", func(t *testing.T) {
		for who, kind := range map[string]string{subject: "MERCHANT", "never seen": "CUSTOMER"} {
			token, err := issuer.Sign(who, 5*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			status, body := get(t, url+"/graphql?query=%7Bviewer%7Bkind%7D%7D", "Authorization", "Bearer "+token)
			if status != 200 || !strings.Contains(body, kind) {
				t.Errorf("%s: %d %s", who, status, body)
			}
		}
	})
	t.Run("SignInOnPagesBegins", func(t *testing.T) { // and goes on at the issuer's page
		if status, body := get(t, url+"/session/start?next=/"); status != 200 || !strings.Contains(body, "https://localhost:1/session/callback") {
			t.Errorf("%d %s", status, body)
		}
	})
	t.Run("PortInUse", func(t *testing.T) {
		port := strings.TrimPrefix(url, "http://")
		code, _, stderr := halles(t, env, "serve", "--listen", port)
		if want := "halles: " + port + " is in use: stop the other program or choose another port with --listen\n"; code != 1 || !strings.HasSuffix(stderr, want) {
			t.Errorf("exit %d, %s", code, stderr)
		}
	})
	if code, stderr := end(); code != 0 || !strings.Contains(stderr, "stopped") {
		t.Errorf("it ended with %d: %s", code, stderr)
	}
}

func TestServeRefusesAnOldSchema(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	env := []string{"HALLES_DATABASE_URL=" + d.ServerURL(), "HALLES_SECRET=" + secret, "HALLES_LISTEN=127.0.0.1:0"}
	newest := pgtest.Scan[int64](t, d, "select max(version_id) from goose_db_version")
	d.Exec(t, "delete from goose_db_version where version_id = $1", newest)
	if code, _, stderr := halles(t, env, "serve"); code != 1 || !strings.Contains(stderr, fmt.Sprintf("needs %d: run `halles migrate`", newest)) {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// serve does not start on a database that would not hold the communes apart, and says what is wrong.
func TestServeRefusesADatabaseWithoutItsLocks(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	env := []string{"HALLES_DATABASE_URL=" + d.ServerURL(), "HALLES_SECRET=" + secret, "HALLES_LISTEN=127.0.0.1:0"}
	for _, c := range []struct{ name, wrong, mended, want string }{
		{"TableWithoutForce", `alter table orders no force row level security`, `alter table orders force row level security`, "public.orders: row-level security is not forced"},
		{"TableOnNoList", `create table loose (commune_id text collate "C" not null, id uuid, primary key (commune_id, id))`, `drop table loose`, "public.loose: row-level security is not enabled"},
		{"ViewWithItsOwnersRights", `create view peek as select id from shops`, `drop view peek`, "public.peek: is a view with its owner's rights"},
		{"DefinerFunctionWithoutSearchPath", `create function peek() returns bigint language sql security definer as 'select count(*) from shops'`, `drop function peek()`, "function peek(): is a definer function without a fixed search_path"},
	} {
		d.Exec(t, "set role halles_owner; "+c.wrong+"; reset role")
		if code, _, stderr := halles(t, env, "serve"); code != 1 || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d, %s", c.name, code, stderr)
		}
		d.Exec(t, "set role halles_owner; "+c.mended+"; reset role")
	}
}

// Nor does it start as a role that no lock holds for. Roles are the cluster's: this has its own.
func TestServeRefusesARoleThatMayTooMuch(t *testing.T) {
	t.Parallel()
	d := pgtest.Own(t) // roles are a cluster's
	admin := d.AdminURL()
	env := []string{"HALLES_DATABASE_URL=" + admin, "HALLES_SECRET=" + secret, "HALLES_LISTEN=127.0.0.1:0"}
	conn, err := pgx.Connect(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, one := range []struct{ name, wrong, mended, want string }{
		{"Superuser", `alter role halles_app superuser`, `alter role halles_app nosuperuser`, "role halles_app: is a superuser"},
		{"BypassRLS", `alter role halles_public bypassrls`, `alter role halles_public nobypassrls`, "role halles_public: has BYPASSRLS"},
		{"Owner", `create table own (id int primary key); alter table own owner to halles_app`, `drop table own`, "role halles_app: owns "},
		{"MemberOfTheOwner", `grant halles_owner to halles_worker`, `revoke halles_owner from halles_worker`, "role halles_worker: is a member of"},
	} {
		if _, err := conn.Exec(t.Context(), one.wrong); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := halles(t, env, "serve"); code != 1 || !strings.Contains(stderr, one.want) {
			t.Errorf("%s: exit %d, %s", one.name, code, stderr)
		}
		if _, err := conn.Exec(t.Context(), one.mended); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMigrateMakesRolesAndSchema(t *testing.T) {
	t.Parallel()
	d := pgtest.Empty(t, "")
	env := []string{"HALLES_DATABASE_URL=" + d.ServerURL(), "HALLES_SECRET=" + secret, "HALLES_LISTEN=127.0.0.1:0"}
	if code, _, stderr := halles(t, env, "serve"); code != 1 || !strings.Contains(stderr, "halles migrate") {
		t.Errorf("an empty database is served: exit %d, %s", code, stderr)
	}
	code, stdout, stderr := halles(t, env, "migrate", "--roles", d.AdminURL())
	if code != 0 || !strings.Contains(stdout, "roles are there") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	if code, stdout, _ := halles(t, env, "migrate"); code != 0 || !strings.HasPrefix(stdout, "0 migrations applied") {
		t.Errorf("a second time: exit %d, %s", code, stdout)
	}
	url, _ := served(t, env)
	if status, body := get(t, url+"/graphql?query=%7Bcommunes%7Bname%7D%7D"); status != 200 || !strings.Contains(body, "Larmor-Plage") {
		t.Errorf("%d %s", status, body)
	}
}

// TestProgram ends a process as a user and as a system would.
func TestProgram(t *testing.T) {
	t.Parallel()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d := pgtest.New(t)
	for name, signal := range map[string]syscall.Signal{"Interrupt": syscall.SIGINT, "Terminate": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := listener.Addr().String()
			listener.Close()
			program := exec.CommandContext(t.Context(), binary, "serve", "--listen", address)
			program.Env = []string{"HALLES_TEST_PROGRAM=1", "HALLES_DATABASE_URL=" + d.ServerURL(), "HALLES_SECRET=" + secret}
			problems := &output{}
			program.Stderr = problems
			if err := program.Start(); err != nil {
				t.Fatal(err)
			}
			for range 6000 { // a minute
				if strings.Contains(problems.String(), "url=") {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			if status, _ := get(t, "http://"+address+"/healthz"); status != 200 {
				t.Errorf("status %d", status)
			}
			if err := program.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := program.Wait(); err != nil || !strings.Contains(problems.String(), "msg=stopped") {
				t.Errorf("%v: %s", err, problems)
			}
		})
	}
}
