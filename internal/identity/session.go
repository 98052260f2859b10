package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg"
)

const (
	// sessionIdle is how long a session waits for the next use: a counter that is closed in the
	// evening asks again in the morning.
	sessionIdle = 12 * time.Hour
	// sessionEnds is how long one lasts at most; then the issuer is asked again who that is.
	sessionEnds = 7 * 24 * time.Hour
	// sessionTouch is how often use moves the end on: a write for each request would be one too many.
	sessionTouch = time.Minute
)

// Sessions are the browsers in which somebody signed in on pages of ours.
//
// The cookie is 32 random bytes, drawn anew at each sign-in and never taken from a request: one
// that was planted in a browser before is no session, and stays none. We keep an HMAC of it.
type Sessions struct {
	DB     *pg.DB
	Now    func() time.Time
	pepper []byte
	forms  []byte
	hints  *page.Sealer
}

// NewSessions derives its keys from the deployment's secret, as NewGuests does.
func NewSessions(db *pg.DB, secret []byte) *Sessions {
	return &Sessions{
		DB: db, Now: time.Now, pepper: derive(secret, "halles page session"), forms: derive(secret, "halles page forms"),
		hints: page.NewSealer(derive(secret, "halles sign-out hint")),
	}
}

func (s *Sessions) digest(cookie string) []byte {
	mac := hmac.New(sha256.New, s.pepper)
	mac.Write([]byte(cookie))
	return mac.Sum(nil)
}

// Guard is what a page shows beside its cookie to change something: only pages of the session
// have it, and no cookie carries it along by itself.
func (s *Sessions) Guard(cookie string) string {
	mac := hmac.New(sha256.New, s.forms)
	mac.Write([]byte(cookie))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// Guarded tells whether what came beside the cookie is its guard.
func (s *Sessions) Guarded(cookie, guard string) bool {
	return hmac.Equal([]byte(guard), []byte(s.Guard(cookie)))
}

// Session is a sign-in of our pages.
type Session struct {
	AccountID uuid.UUID
	Issuer    string // the URL of who signed the person in
	GoodUntil time.Time
	EndsAt    time.Time
}

// begin keeps a session and returns its cookie. Those that are over are taken out by the way: one
// a person, and a few more.
func (s *Sessions) begin(ctx context.Context, account uuid.UUID, issuer, token string) (cookie string, ends time.Time, err error) {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	cookie = base64.RawURLEncoding.EncodeToString(raw[:])
	now := s.now()
	digest, ends := s.digest(cookie), now.Add(sessionEnds)
	b := &pgx.Batch{}
	b.Queue(`delete from sessions where digest in (select digest from sessions where good_until <= $1 order by good_until limit 100 for update skip locked)`, now)
	b.Queue(`insert into sessions (digest, account_id, issuer, hint, created_at, good_until, ends_at) values ($1, $2, $3, $4, $5, $6, $7)`,
		digest, account, issuer, []byte(s.hints.Seal(string(digest), token)), now, now.Add(sessionIdle), ends)
	return cookie, ends, s.DB.Pool(pg.Identity).SendBatch(ctx, b).Close()
}

var errSignedOut = fault.Errorf(fault.Unauthenticated, "Votre session est terminée. Connectez-vous de nouveau.")

// use finds the session of a digest and moves its end on, or says UNAUTHENTICATED.
func (s *Sessions) use(ctx context.Context, digest []byte) (*Session, error) {
	now, pool := s.now(), s.DB.Pool(pg.Identity)
	rows, err := pool.Query(ctx, `select account_id, issuer, good_until, ends_at from sessions where digest = $1 and good_until > $2`, digest, now)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Session])
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errSignedOut
	}
	one := &found[0]
	if until := earlier(now.Add(sessionIdle), one.EndsAt); until.Sub(one.GoodUntil) >= sessionTouch {
		_, err = pool.Exec(ctx, `update sessions set good_until = $2 where digest = $1 and good_until < $2`, digest, until)
	}
	return one, err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// End ends the session of a cookie, at once everywhere: no server remembers one. It returns who
// had signed the person in and with which token, both empty where there was none.
func (s *Sessions) End(ctx context.Context, cookie string) (issuer, token string, err error) {
	digest := s.digest(cookie)
	var hint []byte
	rows, err := s.DB.Pool(pg.Identity).Query(ctx, `delete from sessions where digest = $1 returning issuer, hint`, digest)
	if err != nil {
		return "", "", err
	}
	if _, err = pgx.ForEachRow(rows, []any{&issuer, &hint}, func() error { return nil }); err != nil {
		return "", "", err
	}
	if s.hints.Open(string(digest), string(hint), &token) != nil { // sealed with another secret
		token = ""
	}
	return issuer, token, nil
}

func (s *Sessions) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// FromSession is the viewer whose browser has the cookie, as FromToken finds that of a token, and
// when the session ends at the latest.
func (r *Resolver) FromSession(ctx context.Context, cookie string) (*Viewer, time.Time, error) {
	digest := r.Sessions.digest(cookie)
	session, err := r.Sessions.use(ctx, digest)
	if err != nil {
		return nil, time.Time{}, err
	}
	v, err := r.Again(ctx, &Viewer{Account: session.AccountID})
	if err != nil {
		return nil, time.Time{}, err
	}
	v.session = digest
	return v, session.EndsAt, nil
}

// InSession tells whether the viewer came by the cookie of our pages.
func (v *Viewer) InSession() bool { return v.session != nil }
