// Package sink is a mail server that delivers nothing: it keeps the last mails to be looked at.
// The demo has one, so that what it writes to people can be read and reaches nobody; tests ask
// it what was sent.
package sink

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Kept is how many mails are kept, the last ones. They name people: memory forgets them with
// the program, where a table would keep them for nobody.
const Kept = 500

const (
	maxBytes   = 1 << 20 // of a mail
	patience   = 10 * time.Second
	lineLength = 2000 // RFC 5321 says 1,000; with a margin
)

// Mail is a mail as it came in.
type Mail struct {
	Number  int // from 1, in the order of arrival
	At      time.Time
	To      []string // as the envelope says
	Header  mail.Header
	Subject string
	Text    string
	HTML    string
	Raw     []byte
}

// From is the sender as the mail names it.
func (m *Mail) From() string { return decoded(m.Header.Get("From")) }

// ID is the Message-ID, without brackets.
func (m *Mail) ID() string { return strings.Trim(m.Header.Get("Message-ID"), "<>") }

func decoded(header string) string {
	text, err := new(mime.WordDecoder).DecodeHeader(header)
	if err != nil {
		return header
	}
	return text
}

// Sink is a mail server that keeps what it gets. Its fields may be changed while it runs.
type Sink struct {
	listener net.Listener
	server   *smtp.Server

	mu     sync.Mutex
	mails  []*Mail
	number int
	refuse func(to string) error
	before func()
	after  func()
}

// Start listens on an address of this machine: "127.0.0.1:0" for a port that is free.
func Start(address string) (*Sink, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Sink{listener: listener}
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{sink: s}, nil }))
	s.server.Domain = "sink.invalid"
	s.server.MaxMessageBytes, s.server.MaxLineLength, s.server.MaxRecipients = maxBytes, lineLength, 10
	s.server.ReadTimeout, s.server.WriteTimeout = patience, patience
	s.server.EnableSMTPUTF8 = true
	s.server.ErrorLog = silent{}
	go func() { _ = s.server.Serve(listener) }() // ends with Close
	return s, nil
}

// URL is where to send: HALLES_SMTP_URL.
func (s *Sink) URL() string { return "smtp://" + s.listener.Addr().String() }

// Close ends it.
func (s *Sink) Close() error { return s.server.Close() }

// Refuse makes the server answer recipients with an error, an *smtp.SMTPError or one of 451;
// nil as it was before.
func (s *Sink) Refuse(by func(to string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = by
}

// Around has the server call functions before it keeps a mail and after, while its client waits
// for the answer; nil for none.
func (s *Sink) Around(before, after func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.after = before, after
}

// Mails are those kept, the latest first.
func (s *Sink) Mails() []*Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Mail, len(s.mails))
	for i, m := range s.mails {
		list[len(list)-1-i] = m
	}
	return list
}

// Mail is the mail of a number; nil when it is not kept.
func (s *Sink) Mail(number int) *Mail {
	for _, m := range s.Mails() {
		if m.Number == number {
			return m
		}
	}
	return nil
}

func (s *Sink) keep(m *Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	m.Number = s.number
	if s.mails = append(s.mails, m); len(s.mails) > Kept {
		s.mails = append([]*Mail(nil), s.mails[1:]...)
	}
}

type session struct {
	sink *Sink
	to   []string
}

func (c *session) Reset()                               { c.to = nil }
func (c *session) Logout() error                        { return nil }
func (c *session) Mail(string, *smtp.MailOptions) error { return nil }

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.sink.mu.Lock()
	refuse := c.sink.refuse
	c.sink.mu.Unlock()
	if refuse != nil {
		if err := refuse(to); err != nil {
			return err
		}
	}
	c.to = append(c.to, to)
	return nil
}

func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := read(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "not a mail: " + err.Error()}
	}
	m.To = c.to
	c.sink.mu.Lock()
	before, after := c.sink.before, c.sink.after
	c.sink.mu.Unlock()
	if before != nil {
		before()
	}
	c.sink.keep(m)
	if after != nil {
		after()
	}
	return nil
}

// read takes a mail apart.
func read(raw []byte) (*Mail, error) {
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	m := &Mail{At: time.Now(), Header: parsed.Header, Raw: raw, Subject: decoded(parsed.Header.Get("Subject"))}
	return m, m.readPart(parsed.Header.Get("Content-Type"), parsed.Header.Get("Content-Transfer-Encoding"), parsed.Body)
}

func (m *Mail) readPart(contentType, encoding string, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return err
	}
	if strings.HasPrefix(kind, "multipart/") {
		for parts := multipart.NewReader(body, params["boundary"]); ; {
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := m.readPart(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part); err != nil {
				return err
			}
		}
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if kind == "text/html" {
		m.HTML = string(text)
	} else {
		m.Text = string(text)
	}
	return err
}

// silent: a client that hangs up is no news here.
type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}
