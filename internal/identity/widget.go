package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// WidgetKey is what the website of a commune shows to read that commune's catalogue and to order
// in its shops as a guest.
//
// It stands in pages that everybody can read, and a program can send any Origin that it likes: a
// key proves nothing, and grants nothing that a visitor has not. It narrows: to one commune, and
// in browsers to the pages of its origins.
type WidgetKey struct {
	CommuneID  string
	Row        uuid.UUID `db:"id"`
	Key        string    // pk_lorient_2Jx0v5WcS3m1Yq8kR7tB4g
	Name       string    // what the agents call it
	Origins    []string  // "https://www.lorient.bzh": scheme, host and port, as browsers write them
	CreatedAt  time.Time
	ValidUntil *time.Time // set when another key took over
	RevokedAt  *time.Time
}

const widgetKeyColumns = `k.commune_id, k.id, k.key, k.name, k.origins, k.created_at, k.valid_until, k.revoked_at`

// ID is the key's global ID.
func (k *WidgetKey) ID() tenancy.ID {
	return tenancy.RowID(tenancy.KindWidgetKey, k.CommuneID, k.Row)
}

// IsNode marks a type with an ID of its own.
func (*WidgetKey) IsNode() {}

func (k *WidgetKey) liveAt(now time.Time) bool {
	return k.RevokedAt == nil && (k.ValidUntil == nil || now.Before(*k.ValidUntil))
}

// Keyed tells whether the viewer came through a widget.
func (v *Viewer) Keyed() bool { return v.key != nil }

// KeyID is the row of that key; zero without one.
func (v *Viewer) KeyID() uuid.UUID {
	if v.key == nil {
		return uuid.Nil
	}
	return v.key.Row
}

// Through narrows a visitor, or the guest of a link, to the commune of the widget that it came
// through. An account does not go with a key: what is a person's own has no place on a page that
// another site serves.
func (v *Viewer) Through(k *WidgetKey) (*Viewer, error) {
	own := &Viewer{Kind: Widget, all: []string{k.CommuneID}, key: k}
	switch v.Kind {
	case Visitor, Widget:
	case Guest:
		own.Kind, own.link, own.read = Guest, v.link, v.read
		for _, id := range v.Orders {
			if id.Commune == k.CommuneID {
				own.Orders = append(own.Orders, id)
			}
		}
	default:
		return nil, fault.Errorf(fault.Forbidden, "Une clé de widget ne va pas avec un compte. Retirez la clé, ou le jeton du compte.")
	}
	return own, nil
}

// KeysAge bounds how long a server goes on with what it has read: a key that is revoked on one
// server is refused by all others within it, and a new one is known.
const KeysAge = 20 * time.Second

// WidgetKeys makes keys and knows those that are good. There are a few for each commune: all of
// them are held in memory, so that a guess costs no statement.
type WidgetKeys struct {
	DB       *pg.DB
	Communes *tenancy.Register
	Now      func() time.Time
	live     *pg.Snapshot[*liveKeys]
}

// liveKeys are the keys that were good when they were read.
type liveKeys struct {
	byKey    map[string]*WidgetKey
	byOrigin map[string][]*WidgetKey
}

// NewWidgetKeys returns the keys in db.
func NewWidgetKeys(db *pg.DB, communes *tenancy.Register) *WidgetKeys {
	w := &WidgetKeys{DB: db, Communes: communes, Now: time.Now}
	w.ReadAgainAfter(KeysAge)
	return w
}

// ReadAgainAfter changes how long it goes on with what it has read. Not to be called once it is asked.
func (w *WidgetKeys) ReadAgainAfter(age time.Duration) { w.live = pg.NewSnapshotOf(age, w.load) }

func (w *WidgetKeys) load(ctx context.Context) (*liveKeys, error) {
	all, err := pg.Select[WidgetKey](ctx, w.DB, pg.Scope{Role: pg.Identity}, `
		select `+widgetKeyColumns+` from widget_keys k where k.revoked_at is null and (k.valid_until is null or k.valid_until > $1)`, w.Now())
	l := &liveKeys{byKey: map[string]*WidgetKey{}, byOrigin: map[string][]*WidgetKey{}}
	for i := range all {
		k := &all[i]
		l.byKey[k.Key] = k
		for _, origin := range k.Origins {
			l.byOrigin[origin] = append(l.byOrigin[origin], k)
		}
	}
	return l, err
}

// Use finds the key that a request came with. origin is that of the page in a browser, and must
// be one of the key's; "" for a program, which sends none.
//
// Faults: UNAUTHENTICATED for a key that is unknown, replaced or revoked; FORBIDDEN for a page
// of another origin.
func (w *WidgetKeys) Use(ctx context.Context, key, origin string) (*WidgetKey, error) {
	live, err := w.live.Get(ctx)
	if err != nil {
		return nil, err
	}
	k := live.byKey[key]
	switch {
	case k == nil || !k.liveAt(w.Now()):
		return nil, fault.Errorf(fault.Unauthenticated, "Cette clé de widget n'est pas valable, ou ne l'est plus. Demandez-en une à la commune.")
	case origin != "" && !slices.Contains(k.Origins, origin):
		return nil, fault.Errorf(fault.Forbidden, "Cette clé de widget ne sert pas aux pages de cette origine. Demandez à la commune de l'y ajouter.")
	}
	return k, nil
}

// Known tells whether pages of the origin use any key: all that can be asked before the key
// itself is there, at a preflight and at a socket's handshake.
func (w *WidgetKeys) Known(ctx context.Context, origin string) bool {
	live, err := w.live.Get(ctx)
	now := w.Now()
	return err == nil && slices.ContainsFunc(live.byOrigin[origin], func(k *WidgetKey) bool { return k.liveAt(now) })
}

// List lists the keys of a commune, the newest first, those that are no longer good among them.
func (w *WidgetKeys) List(ctx context.Context, v *Viewer, commune tenancy.ID) ([]*WidgetKey, error) {
	if err := commune.Want(tenancy.KindCommune, "commune"); err != nil {
		return nil, err
	}
	if err := v.administers(commune.Commune); err != nil {
		return nil, err
	}
	all, err := pg.Select[WidgetKey](ctx, w.DB, v.ruling(commune.Commune), `
		select `+widgetKeyColumns+` from widget_keys k where k.commune_id = $1 order by k.created_at desc, k.id desc limit $2`, commune.Commune, maxListed)
	list := make([]*WidgetKey, len(all))
	for i := range all {
		list[i] = &all[i]
	}
	return list, err
}

// ByID finds a key for those who administer its commune; for others there is none.
func (w *WidgetKeys) ByID(ctx context.Context, v *Viewer, id tenancy.ID) (*WidgetKey, error) {
	if v.administers(id.Commune) != nil {
		return nil, id.NotFound()
	}
	all, err := pg.Select[WidgetKey](ctx, w.DB, v.ruling(id.Commune),
		`select `+widgetKeyColumns+` from widget_keys k where k.commune_id = $1 and k.id = $2`, id.Commune, id.Row)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, id.NotFound()
	}
	return &all[0], nil
}

// Bounds of keys: more than a town hall, its tourist office and their test sites need.
const (
	maxLiveKeys   = 20  // of a commune
	maxOrigins    = 20  // of a key; widget_keys_origins
	maxKeyName    = 100 // characters; widget_keys_name
	maxListed     = 100
	defaultHours  = 24      // from a rotation until the old key ends
	maxHours      = 30 * 24 // a website that a contractor changes once a month
	keySecretSize = 16      // bytes: 22 letters
)

// CreateWidgetKeyInput asks for a key.
type CreateWidgetKeyInput struct {
	Commune tenancy.ID
	Name    string
	Origins []string
}

// CreateWidgetKeyPayload is the key that was made.
type CreateWidgetKeyPayload struct{ Key *WidgetKey }

// Create makes a key of a commune, for pages of some origins. It is good at once here, and on
// other servers within KeysAge.
//
// Faults: FORBIDDEN for a commune that the viewer does not administer; INVALID for a name or an
// origin that is none; LIMITED when the commune has maxLiveKeys good ones.
func (w *WidgetKeys) Create(ctx context.Context, v *Viewer, in CreateWidgetKeyInput) (_ *CreateWidgetKeyPayload, err error) {
	defer fault.Wrap(&err, "Create(%s)", in.Commune)
	if err := in.Commune.Want(tenancy.KindCommune, "input", "commune"); err != nil {
		return nil, err
	}
	if err := v.administers(in.Commune.Commune); err != nil {
		return nil, err
	}
	in.Name = strings.TrimSpace(in.Name)
	switch n := utf8.RuneCountInString(in.Name); {
	case n == 0 || n > maxKeyName || strings.ContainsRune(in.Name, 0):
		return nil, fault.At([]string{"input", "name"}, "Le nom de la clé a %d caractères ; il en faut de 1 à %d, comme « Site de la mairie ».", n, maxKeyName)
	case len(in.Origins) == 0 || len(in.Origins) > maxOrigins:
		return nil, fault.At([]string{"input", "origins"}, "La clé a %d origines ; il en faut de 1 à %d.", len(in.Origins), maxOrigins)
	}
	for i, origin := range in.Origins {
		path := []string{"input", "origins", strconv.Itoa(i)}
		if wrong := checkOrigin(origin); wrong != "" {
			return nil, fault.At(path, "%s n'est pas une origine : %s", fault.Shown(origin), wrong)
		}
		if slices.Contains(in.Origins[:i], origin) {
			return nil, fault.At(path, "L'origine %s est nommée deux fois ; une fois suffit.", origin)
		}
	}
	k, err := w.draw(ctx, in.Commune.Commune, in.Name, in.Origins)
	if err != nil {
		return nil, err
	}
	err = w.DB.Write(ctx, v.ruling(k.CommuneID), func(ctx context.Context, tx pgx.Tx) error {
		if err := w.insertTx(ctx, tx, k); err != nil {
			return err
		}
		return auditTx(ctx, tx, AuditEntry{By: v, At: k.CreatedAt, Action: CreatedWidgetKey, Object: k.ID(), After: k})
	})
	if err != nil {
		return nil, err
	}
	w.live.Expire()
	return &CreateWidgetKeyPayload{k}, nil
}

// draw makes a key that nobody has yet.
func (w *WidgetKeys) draw(ctx context.Context, insee, name string, origins []string) (*WidgetKey, error) {
	commune, err := w.Communes.ByInsee(ctx, insee)
	if err != nil {
		return nil, err
	}
	return &WidgetKey{
		CommuneID: insee, Row: tenancy.NewRow(), Key: NewKeyText(commune), Name: name, Origins: origins, CreatedAt: w.now(),
	}, nil
}

// NewKeyText draws the text of a key.
func NewKeyText(commune *tenancy.Commune) string {
	var secret [keySecretSize]byte
	_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
	return "pk_" + commune.Slug + "_" + base64.RawURLEncoding.EncodeToString(secret[:])
}

func (w *WidgetKeys) now() time.Time { return w.Now().UTC().Truncate(time.Microsecond) }

func (w *WidgetKeys) insertTx(ctx context.Context, tx pgx.Tx, k *WidgetKey) error {
	// Two agents at the same moment may make one too many: the bound is there for the memory.
	done, err := tx.Exec(ctx, `
		insert into widget_keys (commune_id, id, key, name, origins, created_at)
		select $1, $2, $3, $4, $5, $6 where $7 > (select count(*) from widget_keys
			where commune_id = $1 and revoked_at is null and (valid_until is null or valid_until > $6))`,
		k.CommuneID, k.Row, k.Key, k.Name, k.Origins, k.CreatedAt, maxLiveKeys)
	if err == nil && done.RowsAffected() == 0 {
		err = fault.Errorf(fault.Limited, "La commune a déjà %d clés valables. Révoquez-en une avant d'en créer une autre.", maxLiveKeys)
	}
	return err
}

// RotateWidgetKeyInput asks for a key in place of another.
type RotateWidgetKeyInput struct {
	Key          tenancy.ID
	OverlapHours *int
}

// RotateWidgetKeyPayload is the key to show from now on, and the one that it replaces.
type RotateWidgetKeyPayload struct {
	Key      *WidgetKey
	Previous *WidgetKey
}

// Rotate makes a key in the place of another, which stays good for a while: pages are changed and
// browsers keep old ones.
//
// Faults: NOT_FOUND for a key that the viewer does not administer; CONFLICT for one that has been
// replaced or revoked.
func (w *WidgetKeys) Rotate(ctx context.Context, v *Viewer, in RotateWidgetKeyInput) (_ *RotateWidgetKeyPayload, err error) {
	defer fault.Wrap(&err, "Rotate(%s)", in.Key)
	if err := in.Key.Want(tenancy.KindWidgetKey, "input", "key"); err != nil {
		return nil, err
	}
	hours := defaultHours
	if in.OverlapHours != nil {
		hours = *in.OverlapHours
	}
	if hours < 0 || hours > maxHours {
		return nil, fault.At([]string{"input", "overlapHours"}, "Le recouvrement est de %d heures ; il en faut de 0 à %d.", hours, maxHours)
	}
	old, err := w.mine(ctx, v, in.Key)
	if err != nil {
		return nil, err
	}
	fresh, err := w.draw(ctx, old.CommuneID, old.Name, old.Origins)
	if err != nil {
		return nil, err
	}
	until := fresh.CreatedAt.Add(time.Duration(hours) * time.Hour)
	var previous *WidgetKey
	err = w.DB.Write(ctx, v.ruling(old.CommuneID), func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `update widget_keys k set valid_until = $3
			where k.commune_id = $1 and k.id = $2 and k.revoked_at is null and k.valid_until is null returning `+widgetKeyColumns,
			old.CommuneID, old.Row, until)
		if err != nil {
			return err
		}
		replaced, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[WidgetKey])
		if err != nil {
			return err
		}
		if len(replaced) == 0 {
			return fault.Errorf(fault.Conflict, "Cette clé a déjà été remplacée ou révoquée. La requête widgetKeys donne celles qui sont valables.")
		}
		previous = replaced[0]
		if err := w.insertTx(ctx, tx, fresh); err != nil {
			return err
		}
		return auditTx(ctx, tx, AuditEntry{By: v, At: fresh.CreatedAt, Action: RotatedWidgetKey, Object: old.ID(), Before: old, After: []*WidgetKey{previous, fresh}})
	})
	if err != nil {
		return nil, err
	}
	w.live.Expire()
	return &RotateWidgetKeyPayload{fresh, previous}, nil
}

// RevokeWidgetKeyInput names a key to end.
type RevokeWidgetKeyInput struct{ Key tenancy.ID }

// RevokeWidgetKeyPayload is the key that was ended.
type RevokeWidgetKeyPayload struct{ Key *WidgetKey }

// Revoke ends a key: here at once, on other servers within KeysAge, on open sockets a moment
// later. One that has ended stays so.
//
// Faults: NOT_FOUND for a key that the viewer does not administer.
func (w *WidgetKeys) Revoke(ctx context.Context, v *Viewer, in RevokeWidgetKeyInput) (_ *RevokeWidgetKeyPayload, err error) {
	defer fault.Wrap(&err, "Revoke(%s)", in.Key)
	if err := in.Key.Want(tenancy.KindWidgetKey, "input", "key"); err != nil {
		return nil, err
	}
	k, err := w.mine(ctx, v, in.Key)
	if err != nil {
		return nil, err
	}
	if k.RevokedAt != nil {
		return &RevokeWidgetKeyPayload{k}, nil
	}
	ended := *k
	now := w.now()
	ended.RevokedAt = &now
	err = w.DB.Write(ctx, v.ruling(k.CommuneID), func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `update widget_keys set revoked_at = $3 where commune_id = $1 and id = $2 and revoked_at is null`, k.CommuneID, k.Row, now)
		if err != nil || done.RowsAffected() == 0 { // by somebody else at the same moment
			return err
		}
		return auditTx(ctx, tx, AuditEntry{By: v, At: now, Action: RevokedWidgetKey, Object: k.ID(), Before: k, After: ended})
	})
	if err != nil {
		return nil, err
	}
	w.live.Expire()
	return &RevokeWidgetKeyPayload{&ended}, nil
}

// mine is a key to change. Who administers no commune is told so, whatever the key; else a key of
// a commune that is another's is one that does not exist.
func (w *WidgetKeys) mine(ctx context.Context, v *Viewer, id tenancy.ID) (*WidgetKey, error) {
	if err := v.SignedIn(); err != nil {
		return nil, err
	}
	if v.Kind != Agent && v.Kind != Admin {
		return nil, v.administers(id.Commune)
	}
	return w.ByID(ctx, v, id)
}

// checkOrigin says in French why s is not an origin as a browser writes it in its header Origin
// (RFC 6454, 6.2), or ""; such a header is compared byte for byte.
func checkOrigin(s string) string {
	const form = "écrivez https://, l'hôte et rien après, comme https://www.lorient.bzh."
	switch {
	case strings.Contains(s, "*"):
		return "un joker n'est pas permis ; nommez chaque hôte."
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return "il contient une espace ou un caractère de contrôle ; " + form
	case strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f }):
		return "un nom d'hôte accentué s'écrit en punycode, xn--…"
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return form
	case u.Scheme != "https" && u.Scheme != "http":
		return "le protocole est https."
	case u.User != nil:
		return "un nom d'utilisateur n'en fait pas partie ; " + form
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return "un chemin n'en fait pas partie ; " + form
	}
	host, port := u.Hostname(), u.Port()
	switch {
	case s != strings.ToLower(s):
		return "il s'écrit en minuscules."
	case strings.HasSuffix(host, "."):
		return "l'hôte finit par un point ; retirez-le."
	case !validHost(host):
		return form
	case port == "" && strings.HasSuffix(u.Host, ":"), u.Scheme == "https" && port == "443", u.Scheme == "http" && port == "80":
		return "le port habituel ne s'écrit pas ; retirez-le."
	case port != "" && !validPort(port):
		return "le port est un nombre de 1 à 65535."
	case u.Scheme == "http" && !loopback(host):
		return "http n'est permis que sur la machine elle-même (localhost) ; écrivez https."
	case u.Scheme+"://"+u.Host != s:
		return form
	}
	return ""
}

func validPort(port string) bool {
	n, err := strconv.Atoi(port)
	return err == nil && n >= 1 && n <= 65535 && strconv.Itoa(n) == port
}

func validHost(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.String() == host && address.Zone() == ""
	}
	if last := host[strings.LastIndexByte(host, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return false // browsers read an address in it, and write that
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return len(host) <= 253
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}
