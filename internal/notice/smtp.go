package notice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"
	gomail "github.com/wneessen/go-mail"
)

// sendTime is how long a mail server may take over one mail; the job's own timeout is longer.
const sendTime = 30 * time.Second

// SMTP is a mail server that mails are handed to.
type SMTP struct {
	host     string
	port     int
	implicit bool // TLS from the first byte; else by STARTTLS
	plain    bool // without TLS: the server is this machine
	user     string
	password string
	From     mail.Address
}

// ParseSMTP reads where mails go and whom they are from: smtps://USER:PASSWORD@HOST for TLS from
// the first byte (port 465), smtp://USER:PASSWORD@HOST for STARTTLS (port 587), which only a
// server on this machine may do without. from is "Name <address>" or an address.
func ParseSMTP(text, from string) (*SMTP, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("write the mail server as smtps://USER:PASSWORD@HOST or smtp://USER:PASSWORD@HOST:PORT") // not repeated: it may hold a password
	}
	s := &SMTP{host: u.Hostname(), implicit: u.Scheme == "smtps", user: u.User.Username(), port: 587}
	s.password, _ = u.User.Password()
	if s.implicit {
		s.port = 465
	}
	if u.Port() != "" {
		if s.port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, fmt.Errorf("port %s", u.Port())
		}
	}
	ip := net.ParseIP(s.host)
	s.plain = !s.implicit && (s.host == "localhost" || ip != nil && ip.IsLoopback())
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("%q is no sender; write it as Mes halles <ne-pas-repondre@halles.example>", from)
	}
	s.From = *sender
	return s, nil
}

// domain is what Message-IDs end with.
func (s *SMTP) domain() string { return s.From.Address[strings.LastIndexByte(s.From.Address, '@')+1:] }

// Mail is a mail to one person.
type Mail struct {
	ID      string // Message-ID without brackets: the same whenever it is sent again
	To      mail.Address
	Subject string
	Text    string
	HTML    string
	At      time.Time // when the occasion was
}

// Send hands a mail over, on a connection of its own. An error that comes back a second time as
// it came the first, an unknown mailbox, ends the job.
func (s *SMTP) Send(ctx context.Context, m *Mail) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	options := []gomail.Option{gomail.WithPort(s.port), gomail.WithTimeout(sendTime), gomail.WithHELO(s.domain()), gomail.WithoutNoop(), gomail.WithTLSPolicy(gomail.TLSMandatory)}
	switch {
	case s.implicit:
		options = append(options, gomail.WithSSL())
	case s.plain:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	}
	if s.user != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.user), gomail.WithPassword(s.password))
	}
	client, err := gomail.NewClient(s.host, options...)
	if err != nil {
		return err
	}
	err = client.DialAndSendWithContext(ctx, s.message(m))
	var refused *gomail.SendError
	if errors.As(err, &refused) && !refused.IsTemp() && (refused.Reason == gomail.ErrSMTPRcptTo || refused.Reason == gomail.ErrSMTPData || refused.Reason == gomail.ErrSMTPDataClose) && refused.ErrorCode() >= 500 {
		return river.JobCancel(err)
	}
	return err
}

func (s *SMTP) message(m *Mail) *gomail.Msg {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&s.From)
	msg.ToMailAddress(&m.To)
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.At)
	msg.SetMessageIDWithValue(m.ID)
	// RFC 3834: no holiday reply, please.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Content-Language", "fr")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return msg
}
