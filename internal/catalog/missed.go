package catalog

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/pg"
)

const (
	// missedSessions is how many distinct sessions of one day must search the same in vain before
	// it is written down in words: what one person types may be a name (RGPD, art. 5).
	missedSessions = 3
	// missedTerm is the longest text that is written down, in characters: longer ones are no
	// search that three people repeat.
	missedTerm = 60
	// missedADay bounds the searches of a place and day whose words are looked at. The rest is counted
	// only: who sends millions of made-up words fills no disk.
	missedADay = 20_000
	// missedWait is how long an answer waits to be counted: some milliseconds are enough, and a
	// search must not fail for it.
	missedWait = time.Second
	// missedKept is how long words that were searched in vain are kept: a season and the one before.
	missedKept = 13 * 30 * 24 * time.Hour
)

// missed counts a search that found nothing, for search_misses: in its commune, or where it spans
// several in the place "". Its words are written down once three sessions of the day have searched
// them there; until then they are digests under a salt that the day's end deletes, see ForgetSearches.
//
// Only what words alone did not find counts: with a category, a mode or an hour, something else
// kept it out. A search that does not get counted is told to the log and answered all the same.
func (c *Catalog) missed(ctx context.Context, v *identity.Viewer, q *SearchQuery) {
	term := missedText(q.Text)
	if f := q.Filter; f.Category != nil || f.Fulfilment != nil || f.OpenNow != nil || !strings.ContainsFunc(term, unicode.IsLetter) {
		return
	}
	communes := q.communesOf(v)
	if len(communes) == 0 {
		return
	}
	place := ""
	if len(communes) == 1 {
		place = communes[0]
	}
	ctx, cancel := context.WithTimeout(ctx, c.missedWait)
	defer cancel()
	if err := c.countMissed(ctx, v, place, term, calendar.DateOf(q.now).String()); err != nil {
		c.Log.WarnContext(ctx, "a search without result is not counted", "error", err)
	}
}

// countMissed is one transaction. The row of the count is locked first: of two sessions at the
// same time the second sees what the first left, and no third is missed.
func (c *Catalog) countMissed(ctx context.Context, v *identity.Viewer, place, term, day string) error {
	return c.DB.Write(ctx, pg.Scope{Role: pg.App}, func(ctx context.Context, tx pgx.Tx) error {
		n := 0
		err := tx.QueryRow(ctx, `
			insert into search_misses as m (place, day, searches) values ($1, $2::date, 1)
			on conflict (place, day) do update set searches = m.searches + 1 returning searches`, place, day).Scan(&n)
		if err != nil || n > missedADay || !mayBeKept(term) {
			return err
		}
		fresh := make([]byte, sha256.Size)
		_, _ = rand.Read(fresh) // never fails (crypto/rand)
		var salt []byte
		if _, err := tx.Exec(ctx, `insert into search_salts (day, salt) values ($1::date, $2) on conflict do nothing`, day, fresh); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `select salt from search_salts where day = $1::date`, day).Scan(&salt); err != nil {
			return err
		}
		termMAC := missedMAC(salt, "term", term)
		if _, err := tx.Exec(ctx, `insert into search_sightings (place, day, term, session) values ($1, $2::date, $3, $4) on conflict do nothing`,
			place, day, termMAC, missedMAC(salt, "session", v.Mark())); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			insert into search_miss_terms as t (place, day, term, sessions)
			select $1, $2::date, $4, n from (select count(*) as n from search_sightings where place = $1 and day = $2::date and term = $3) s where n >= $5
			on conflict (place, day, term) do update set sessions = excluded.sessions where t.sessions <> excluded.sessions`,
			place, day, termMAC, term, missedSessions)
		return err
	})
}

func missedMAC(salt []byte, purpose, text string) []byte {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte(purpose + "\x00" + text))
	return mac.Sum(nil)
}

// missedText is what was searched, so that "Saxophones  ALTO" and "saxophones alto" are one.
func missedText(typed string) string {
	return strings.ToLower(strings.Join(strings.Fields(typed), " "))
}

// mayBeKept refuses to write down what can be an address or a number of somebody, however many
// typed it.
func mayBeKept(term string) bool {
	digits := 0
	for _, r := range term {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	return utf8.RuneCountInString(term) <= missedTerm && digits < 6 && !strings.ContainsRune(term, '@')
}

// ForgetSearches deletes who searched what in vain on days that are over, with the salts that made
// digests of it, and words that are 13 months old. Counts are of nobody and stay.
func (c *Catalog) ForgetSearches(ctx context.Context) error {
	now := c.now()
	return c.DB.Write(ctx, pg.Scope{Role: pg.Worker, Kind: "job"}, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `delete from search_salts where day < $1::date`, calendar.DateOf(now).String()); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `delete from search_miss_terms where day < $1::date`, calendar.DateOf(now.Add(-missedKept)).String())
		return err
	})
}

// ForgetWords deletes words that nothing published has any more from what completes and corrects
// what people type.
func (c *Catalog) ForgetWords(ctx context.Context) error {
	_, err := c.DB.Pool(pg.Worker).Exec(ctx, `select search_forget()`)
	return err
}
