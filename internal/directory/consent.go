package directory

import "time"

// ConsentChannel is how somebody agreed.
type ConsentChannel string

// The channels.
const (
	ConsentOnWeb   ConsentChannel = "WEB"
	ConsentByPhone ConsentChannel = "PHONE" // read out by an operator
)

// Consent is what was agreed to when a shop was registered, when and how (RGPD, art. 7.1: who
// relies on a consent must be able to show it).
type Consent struct {
	Version string
	Text    string
	At      time.Time
	Channel ConsentChannel
}

// ConsentText is a text to show or to read out before a dossier is submitted.
type ConsentText struct {
	Version string
	Text    string
}

// consentVersion is the text that is agreed to now.
const consentVersion = "2026-11"

// consentTexts are all that anybody ever agreed to: a version is never changed, a new one is added.
var consentTexts = map[string]string{
	"2026-11": "Je demande que ma boutique figure sur la place de marché des communes de Lorient Agglomération. " +
		"J'accepte que son nom, son adresse, ses coordonnées professionnelles, ses horaires et ses produits y soient publiés, " +
		"et repris en données ouvertes sous Licence Ouverte 2.0. " +
		"Mon nom et mes coordonnées de contact servent à traiter mon dossier et à m'aider ; seuls l'agent de ma commune et le numéro vert les voient. " +
		"Lorient Agglomération et ma commune en sont responsables ensemble. " +
		"Je peux retirer mon accord, faire corriger ou effacer ces données à tout moment, au 0 805 05 00 26.",
}

// CurrentConsent is the text to agree to.
func CurrentConsent() ConsentText {
	return ConsentText{Version: consentVersion, Text: consentTexts[consentVersion]}
}
