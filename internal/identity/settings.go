package identity

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// What is done to a commune's settings.
const (
	ChangedSettings AuditAction = "COMMUNE_SETTINGS"
	PausedOrders    AuditAction = "ORDERS_PAUSE"
	ResumedOrders   AuditAction = "ORDERS_RESUME"
	MergedCommune   AuditAction = "COMMUNE_MERGE"
)

// Settings are what communes decide for themselves.
type Settings struct {
	DB       *pg.DB
	Communes *tenancy.Register
	Now      func() time.Time
}

// CommuneNotice is what everybody reads of a commune's settings.
type CommuneNotice struct {
	CommuneID   string
	OpeningText *string // the widget's first words
	Website     *string
	PausedAt    *time.Time // since when its shops take no orders; nil when they do
	PauseText   *string    // why, to customers
}

// CommuneSettings is all that a commune has decided.
type CommuneSettings struct {
	CommuneNotice
	Version     int
	OfficeName  *string // whom registrations go to that the hotline hands over
	OfficeEmail *string
	OfficePhone *string // E.164
	UpdatedAt   *time.Time
}

const noticeColumns = `c.commune_id, c.opening_text, c.website, c.paused_at, c.pause_text`

const settingsColumns = noticeColumns + `, c.version, c.office_name, c.office_email, c.office_phone, c.updated_at`

// NoticesOf finds what everybody reads of communes, in one statement; one that decided nothing,
// or that there is not for the viewer, has an empty notice.
func (s *Settings) NoticesOf(ctx context.Context, v *Viewer, ids []tenancy.ID) (map[tenancy.ID]*CommuneNotice, error) {
	found := make(map[tenancy.ID]*CommuneNotice, len(ids))
	codes, _ := tenancy.Columns(ids)
	for _, id := range ids {
		found[id] = &CommuneNotice{CommuneID: id.Commune}
	}
	codes = v.Spans(codes)
	rows, err := pg.Select[CommuneNotice](ctx, s.DB, v.PublicScope().In(codes...), `select `+noticeColumns+` from commune_settings c where c.commune_id = any($1)`, codes)
	for i := range rows {
		found[tenancy.ID{Kind: tenancy.KindCommune, Commune: rows[i].CommuneID}] = &rows[i]
	}
	return found, err
}

// Of is what a commune has decided, for its staff.
//
// Faults: FORBIDDEN for a commune that the viewer does not serve.
func (s *Settings) Of(ctx context.Context, v *Viewer, commune tenancy.ID) (*CommuneSettings, error) {
	if err := commune.Want(tenancy.KindCommune, "commune"); err != nil {
		return nil, err
	}
	if err := v.administers(commune.Commune); err != nil && (v.Kind != Hotline || !v.Serves(commune.Commune)) {
		return nil, err
	}
	rows, err := pg.Select[CommuneSettings](ctx, s.DB, v.ruling(commune.Commune), `select `+settingsColumns+` from commune_settings c where c.commune_id = $1`, commune.Commune)
	if err != nil || len(rows) == 0 {
		return &CommuneSettings{CommuneNotice: CommuneNotice{CommuneID: commune.Commune}}, err
	}
	return &rows[0], nil
}

// Bounds of the settings' texts, in characters; the table's constraints say them too.
const (
	maxOfficeName  = 100
	maxOpeningText = 1000
	maxWebsite     = 300
	maxPauseText   = 300
)

// SetCommuneSettingsInput is all of a commune's own settings as they shall be; null for none.
type SetCommuneSettingsInput struct {
	Commune     tenancy.ID
	Version     int
	OfficeName  *string
	OfficeEmail *string
	OfficePhone *string
	OpeningText *string
	Website     *string
}

// CommuneSettingsPayload are the settings as they stand now.
type CommuneSettingsPayload struct{ Settings *CommuneSettings }

// Set replaces a commune's own settings.
//
// Faults: FORBIDDEN for a commune that the viewer does not administer, INVALID for what is no name,
// address, number or text, CONFLICT when somebody changed them since.
func (s *Settings) Set(ctx context.Context, v *Viewer, in SetCommuneSettingsInput) (_ *CommuneSettingsPayload, err error) {
	defer fault.Wrap(&err, "Set(%s)", in.Commune)
	if err := s.may(v, in.Commune); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	return s.change(ctx, v, in.Commune.Commune, ChangedSettings, func(now *CommuneSettings) error {
		if now.Version != in.Version {
			return refused(fault.Conflict, []string{"input", "version"},
				"Ces réglages ont changé depuis que vous les avez lus (version %d, vous aviez la %d). Relisez-les et recommencez.", now.Version, in.Version)
		}
		now.OfficeName, now.OfficeEmail, now.OfficePhone, now.OpeningText, now.Website = in.OfficeName, in.OfficeEmail, in.OfficePhone, in.OpeningText, in.Website
		return nil
	})
}

func (s *Settings) may(v *Viewer, commune tenancy.ID) error {
	if err := commune.Want(tenancy.KindCommune, "input", "commune"); err != nil {
		return err
	}
	if err := v.administers(commune.Commune); err != nil {
		return refused(fault.Of(err).Kind, []string{"input", "commune"}, "%s", fault.Of(err).Message)
	}
	return nil
}

func (in *SetCommuneSettingsInput) check() error {
	for _, text := range []struct {
		name  string
		value **string
		most  int
	}{
		{"officeName", &in.OfficeName, maxOfficeName},
		{"officeEmail", &in.OfficeEmail, maxEmail},
		{"officePhone", &in.OfficePhone, maxOfficeName},
		{"openingText", &in.OpeningText, maxOpeningText},
		{"website", &in.Website, maxWebsite},
	} {
		if *text.value = kept(*text.value); *text.value == nil {
			continue
		}
		if err := checkText(**text.value, text.most, "input", text.name); err != nil {
			return err
		}
	}
	if in.OfficeEmail != nil {
		if a, err := mail.ParseAddress(*in.OfficeEmail); err != nil || a.Address != *in.OfficeEmail {
			return fault.At([]string{"input", "officeEmail"}, "%s n'est pas une adresse électronique ; écrivez par exemple commerce@lorient.bzh.", fault.Shown(*in.OfficeEmail))
		}
	}
	if in.OfficePhone != nil {
		number, ok := phoneNumber(*in.OfficePhone)
		if !ok {
			return fault.At([]string{"input", "officePhone"}, "%s n'est pas un numéro de téléphone ; écrivez par exemple 02 97 02 22 00.", fault.Shown(*in.OfficePhone))
		}
		in.OfficePhone = &number
	}
	if in.Website != nil {
		if u, err := url.Parse(*in.Website); err != nil || u.Scheme != "https" || !validHost(u.Hostname()) || u.User != nil || u.Opaque != "" {
			return fault.At([]string{"input", "website"}, "%s n'est pas l'adresse d'un site ; écrivez par exemple https://www.lorient.bzh/.", fault.Shown(*in.Website))
		}
	}
	return nil
}

// kept is a text without the space around it, nil when nothing is left.
func kept(text *string) *string {
	if text == nil {
		return nil
	}
	trimmed := strings.TrimSpace(*text)
	if trimmed == "" {
		return nil
	}
	return &trimmed
}

func checkText(text string, most int, path ...string) error {
	if n := utf8.RuneCountInString(text); n > most {
		return fault.At(path, "Ce texte a %d caractères ; %d au plus.", n, most)
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
		return fault.At(path, "Ce texte contient un caractère de contrôle ; retirez-le.")
	}
	return nil
}

var (
	french = regexp.MustCompile(`^(?:\+33|0033|0)([1-9][0-9]{8})$`)
	abroad = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

// phoneNumber writes a number as E.164; a French one may be written as in France.
func phoneNumber(text string) (string, bool) {
	text = strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", ".", "", "-", "", "(0)", "").Replace(text)
	if m := french.FindStringSubmatch(text); m != nil {
		return "+33" + m[1], true
	}
	return text, abroad.MatchString(text)
}

// PauseOrdersInput stops the orders of a commune's shops.
type PauseOrdersInput struct {
	Commune tenancy.ID
	Text    string
}

// Pause keeps all shops of a commune from taking orders, until Resume: a storm, a cyber-attack on
// the town hall. Those that were placed go on. Paused again it changes the text.
//
// Faults: as Set's, but CONFLICT.
func (s *Settings) Pause(ctx context.Context, v *Viewer, in PauseOrdersInput) (_ *CommuneSettingsPayload, err error) {
	defer fault.Wrap(&err, "Pause(%s)", in.Commune)
	if err := s.may(v, in.Commune); err != nil {
		return nil, err
	}
	text := kept(&in.Text)
	if text == nil {
		return nil, fault.At([]string{"input", "text"}, "Dites aux clients pourquoi, en une phrase.")
	}
	if err := checkText(*text, maxPauseText, "input", "text"); err != nil {
		return nil, err
	}
	return s.change(ctx, v, in.Commune.Commune, PausedOrders, func(now *CommuneSettings) error {
		if now.PausedAt != nil && *now.PauseText == *text {
			return errUnchanged
		}
		if now.PauseText = text; now.PausedAt == nil {
			at := s.now()
			now.PausedAt = &at
		}
		return nil
	})
}

// ResumeOrdersInput lets a commune's shops take orders again.
type ResumeOrdersInput struct{ Commune tenancy.ID }

// Resume ends a pause; where there is none it changes nothing.
func (s *Settings) Resume(ctx context.Context, v *Viewer, in ResumeOrdersInput) (_ *CommuneSettingsPayload, err error) {
	defer fault.Wrap(&err, "Resume(%s)", in.Commune)
	if err := s.may(v, in.Commune); err != nil {
		return nil, err
	}
	return s.change(ctx, v, in.Commune.Commune, ResumedOrders, func(now *CommuneSettings) error {
		if now.PausedAt == nil {
			return errUnchanged
		}
		now.PausedAt, now.PauseText = nil, nil
		return nil
	})
}

// change reads the settings under their lock, lets do change them, and writes them with the entry
// in the log. errUnchanged from do leaves all as it is.
func (s *Settings) change(ctx context.Context, v *Viewer, commune string, action AuditAction, do func(now *CommuneSettings) error) (*CommuneSettingsPayload, error) {
	var now *CommuneSettings
	err := s.DB.Write(ctx, v.ruling(commune), func(ctx context.Context, tx pgx.Tx) error {
		// Whoever comes first makes the row, of version 1; an unchanged one is rolled back.
		at := s.now()
		if _, err := tx.Exec(ctx, `insert into commune_settings (commune_id, version, updated_at) values ($1, 1, $2) on conflict do nothing`, commune, at); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `select `+settingsColumns+` from commune_settings c where c.commune_id = $1 for update`, commune)
		if err != nil {
			return err
		}
		if now, err = pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[CommuneSettings]); err != nil {
			return fmt.Errorf("settings of %s: %w", commune, err)
		}
		if now.UpdatedAt.Equal(at) && now.Version == 1 {
			now.Version, now.UpdatedAt = 0, nil // as Of tells before there is a row
		}
		before := *now
		if err := do(now); err != nil {
			return err
		}
		now.Version, now.UpdatedAt = now.Version+1, &at
		_, err = tx.Exec(ctx, `update commune_settings set version = $2, office_name = $3, office_email = $4, office_phone = $5, opening_text = $6,
			website = $7, paused_at = $8, pause_text = $9, updated_at = $10 where commune_id = $1`,
			commune, now.Version, now.OfficeName, now.OfficeEmail, now.OfficePhone, now.OpeningText, now.Website, now.PausedAt, now.PauseText, at)
		if err != nil {
			return err
		}
		return auditTx(ctx, tx, AuditEntry{By: v, At: at, Action: action, Object: tenancy.ID{Kind: tenancy.KindCommune, Commune: commune}, Before: before, After: now})
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return nil, err
	}
	return &CommuneSettingsPayload{now}, nil
}

// MergeCommuneInput says which commune took over.
type MergeCommuneInput struct {
	Commune   tenancy.ID
	Successor *string // INSEE code; nil: the commune stands
}

// MergeCommunePayload is the commune as it stands now.
type MergeCommunePayload struct{ Commune *tenancy.Commune }

// Merge notes which commune took over after a merger, or that none did. The commune's own key and
// all that has it stay.
//
// Faults: FORBIDDEN but for admins, INVALID for a code that is none or the commune's own.
func (s *Settings) Merge(ctx context.Context, v *Viewer, in MergeCommuneInput) (_ *MergeCommunePayload, err error) {
	defer fault.Wrap(&err, "Merge(%s)", in.Commune)
	if err := s.may(v, in.Commune); err != nil {
		return nil, err
	}
	insee := in.Commune.Commune
	switch {
	case v.Kind != Admin:
		return nil, refused(fault.Forbidden, []string{"input", "commune"}, "Seuls les administrateurs de la plateforme notent une fusion de communes.")
	case in.Successor != nil && !tenancy.ValidInsee(*in.Successor):
		return nil, fault.At([]string{"input", "successor"}, "%s n'est pas un code INSEE ; il a cinq caractères, comme 56121.", fault.Shown(*in.Successor))
	case in.Successor != nil && *in.Successor == insee:
		return nil, fault.At([]string{"input", "successor"}, "Une commune ne se succède pas à elle-même ; pour dire qu'elle demeure, donnez null.")
	}
	err = s.DB.Write(ctx, v.ruling(insee), func(ctx context.Context, tx pgx.Tx) error {
		before, err := tenancy.SucceedTx(ctx, tx, insee, in.Successor)
		if err != nil {
			return err
		}
		if before == in.Successor || before != nil && in.Successor != nil && *before == *in.Successor {
			return errUnchanged
		}
		return auditTx(ctx, tx, AuditEntry{By: v, At: s.now(), Action: MergedCommune, Object: in.Commune, Before: []*string{before}, After: []*string{in.Successor}})
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return nil, err
	}
	s.Communes.Expire()
	commune, err := s.Communes.ByInsee(ctx, insee)
	return &MergeCommunePayload{commune}, err
}

func (s *Settings) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
