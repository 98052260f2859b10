package privacy

// Notice is what a person is told before giving a name and a number (RGPD, art. 13).
type Notice struct {
	Text string
	Page string // a path on this server
}

// Page is where people read the rules.
const Page = "/confidentialite"

// Checkout is the notice beside every checkout.
var Checkout = Notice{
	Text: "Votre nom et votre numéro servent à préparer la commande et à vous prévenir. La boutique et, si vous l'appelez, le numéro vert les lisent ; ils sont effacés trois mois après la fin de la commande. Vous pouvez les obtenir ou les faire effacer à tout moment.",
	Page: Page,
}

// Controllers are who answers for what is kept (RGPD, art. 26).
const Controllers = "Lorient Agglomération, la commune et la boutique sont responsables ensemble de ces données."

// RulesShown are the rules for the API.
func RulesShown() []*Rule {
	list := make([]*Rule, len(Rules))
	for i := range Rules {
		list[i] = &Rules[i]
	}
	return list
}
