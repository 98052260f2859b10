package identity

import "github.com/google/uuid"

// Platform is whoever works on a server itself, by a command or by what the server does unasked:
// it may do what admins may, in the communes given, and has no account.
func Platform(communes []string) *Viewer {
	return &Viewer{Kind: Admin, all: communes, Communes: communes}
}

// IsPlatform tells Platform's viewer from a person.
func (v *Viewer) IsPlatform() bool { return v.Kind == Admin && v.Account == uuid.Nil }

// Public is everybody, asking about the communes given: who reads what is published for all.
func Public(communes []string) *Viewer { return &Viewer{Kind: Visitor, all: communes} }
