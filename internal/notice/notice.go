// Package notice writes to people: mails and text messages, in French and in plain words, as jobs
// that features queue with the change that they tell of (see internal/job).
//
// A message is made when it is sent. Its template says what, its loader reads to whom from the
// row that the job names; nothing of it is kept but that it was sent. There is no picture, no
// tracking and no unsubscribing: each tells of something that its reader has begun.
package notice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/audelor/halles/internal/french"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/job"
	"github.com/audelor/halles/internal/pg"
)

// Notices sends messages.
type Notices struct {
	DB   *pg.DB
	SMTP *SMTP  // nil: nothing is sent
	Text Texter // LogTexter where no operator was chosen
	URL  string // of the site, "https://halles.bzh/": links begin with it; none are made without
	Log  *slog.Logger
	Now  func() time.Time

	Members     *identity.Members     // makes the codes of invitations
	Delegations *identity.Delegations // makes those of delegations
	ShopLinks   *identity.ShopLinks   // makes those that open one order to its shop; nil: none are made
}

// New sends through a mail server, or nowhere when it is nil; texts go to the log.
func New(db *pg.DB, server *SMTP, url string, log *slog.Logger) *Notices {
	if url != "" {
		url = strings.TrimSuffix(url, "/") + "/"
	}
	return &Notices{DB: db, SMTP: server, Text: LogTexter{log}, URL: url, Log: log, Now: time.Now}
}

// Jobs has a server send what features queue.
func (n *Notices) Jobs(j *job.Jobs) {
	job.Work(j, n.sendMail)
	job.Work(j, n.sendText)
}

// letter is to whom a message goes, and what its template is filled with.
type letter struct {
	Name    string // of the reader; empty where unknown
	Address string // e-mail; empty: no mail is sent
	Phone   string // E.164; empty: no text is sent
	Data    any
}

// loader reads a letter by the row that a job names. errNothing: the occasion is gone, or the
// person erased.
type loader func(ctx context.Context, n *Notices, commune string, row uuid.UUID) (*letter, error)

var errNothing = errors.New("nothing to say any more")

// loaders are the templates' by name. Each name is a file in templates/.
var loaders = map[string]loader{}

// write reads the letter of a job and fills in its template. A letter that nobody can get is
// errNothing.
func (n *Notices) write(ctx context.Context, name, commune string, row uuid.UUID, part string) (*letter, string, error) {
	load := loaders[name]
	if load == nil {
		return nil, "", river.JobCancel(fmt.Errorf("there is no template %q", name))
	}
	l, err := load(ctx, n, commune, row)
	if err != nil {
		return nil, "", err
	}
	text, err := render(name, part, l.Data)
	return l, text, err
}

// sendMail writes a mail, or to who has no address a text message, where the template has one.
func (n *Notices) sendMail(ctx context.Context, r *river.Job[job.Mail]) error {
	id := n.messageID("mail", r.JobRow)
	if was, err := n.wasSent(ctx, r.JobRow, id); was || err != nil {
		return err
	}
	l, body, err := n.write(ctx, r.Args.Template, r.Args.Commune, r.Args.ID, "mail")
	switch {
	case errors.Is(err, errNothing):
		return nil
	case err != nil:
		return err
	case l.Address == "" && l.Phone != "":
		return n.sendText(ctx, &river.Job[job.Text]{JobRow: r.JobRow, Args: job.Text(r.Args)})
	case l.Address == "":
		return nil
	}
	to, err := mail.ParseAddress(l.Address)
	if err != nil || to.Name != "" {
		return river.JobCancel(errors.New("the address is none"))
	}
	to.Name = l.Name
	subject, err := render(r.Args.Template, "subject", l.Data)
	if err != nil {
		return err
	}
	if n.SMTP == nil {
		n.Log.DebugContext(ctx, "mail not sent: HALLES_SMTP_URL is not set", "template", r.Args.Template, "message", id)
		return nil
	}
	body = french.Text(body)
	m := &Mail{ID: id, To: *to, Subject: french.Text(oneLine(subject)), Text: body, HTML: n.html(body), At: r.CreatedAt}
	if err := n.SMTP.Send(ctx, m); err != nil {
		return err
	}
	return n.record(ctx, "MAIL", r.Args, id)
}

func (n *Notices) sendText(ctx context.Context, r *river.Job[job.Text]) error {
	id := n.messageID("text", r.JobRow)
	if was, err := n.wasSent(ctx, r.JobRow, id); was || err != nil {
		return err
	}
	l, body, err := n.write(ctx, r.Args.Template, r.Args.Commune, r.Args.ID, "text")
	switch {
	case errors.Is(err, errNothing):
		return nil
	case err != nil:
		return err
	case l.Phone == "":
		return nil
	}
	if err := n.Text.SendText(ctx, id, l.Phone, oneLine(body)); err != nil {
		return err
	}
	return n.record(ctx, "TEXT", job.Mail(r.Args), id)
}

// messageID is the same for all tries of a job, so that a mailbox, or a person, knows a message
// that comes twice. The time tells apart jobs that got one number before and after a restore.
func (n *Notices) messageID(kind string, r *rivertype.JobRow) string {
	domain := "halles.invalid"
	if n.SMTP != nil {
		domain = n.SMTP.domain()
	}
	return fmt.Sprintf("%s.%d.%x@%s", kind, r.ID, r.CreatedAt.UnixMicro(), domain)
}

// wasSent tells whether an earlier try had sent the message and was killed before its end was
// noted. Before the first try there was none, and nothing to ask.
func (n *Notices) wasSent(ctx context.Context, r *rivertype.JobRow, id string) (was bool, err error) {
	if r.Attempt <= 1 {
		return false, nil
	}
	err = n.DB.Pool(pg.Worker).QueryRow(ctx, `select exists (select from messages where message_id = $1)`, id).Scan(&was)
	return was, err
}

// record notes that a message was sent. Were the note given up when the server stops, the
// message would go out again.
func (n *Notices) record(ctx context.Context, channel string, args job.Mail, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, err := n.DB.Pool(pg.Worker).Exec(ctx, `
		insert into messages (message_id, commune_id, channel, template, object_id, sent_at)
		values ($1, nullif($2, ''), $3, $4, $5, $6) on conflict do nothing`,
		id, args.Commune, channel, args.Template, args.ID, n.Now().UTC())
	return err
}

// worker is the scope in which letters are read: one commune.
func worker(commune string) pg.Scope {
	return pg.Scope{Role: pg.Worker, Kind: "job", Communes: []string{commune}}
}

// oneLine makes a line of what people wrote: nothing of it can begin a line of a mail, or a
// header.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}
