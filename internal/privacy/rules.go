package privacy

import "context"

// Rule says of one sort of personal data what it is for and how long it is kept. The texts are what
// people read: French.
type Rule struct {
	Key   string // "order_contact"
	What  string // in French: « Votre compte », say
	Why   string // what it is for
	Basis string // the legal ground
	Kept  string // how long, and what then
	apply func(context.Context, *Privacy) (int, error)
}

// Rules are all of them; Columns says which column is under which. apply is what the daily round
// does; where there is none, the job that Kept is true by runs more often and belongs to its feature.
var Rules = []Rule{
	{
		Key: "order_contact", What: "Nom, téléphone, adresse électronique et adresse de livraison d'une commande, votre message et ce que la boutique vous a écrit",
		Why: "Préparer la commande, vous prévenir, vous la remettre, répondre à une réclamation.", Basis: "Exécution du contrat (RGPD, art. 6, 1, b)",
		Kept:  "Effacés trois mois après la fin de la commande.",
		apply: func(ctx context.Context, p *Privacy) (int, error) { return p.Ordering.ForgetContacts(ctx) },
	},
	{
		Key: "order", What: "Articles, prix, dates et états d'une commande et commune de l'acheteur, sans votre nom", Why: "Comptabilité de la boutique, chiffres publiés sous secret statistique.",
		Basis: "Obligation légale (Code de commerce, art. L123-22)", Kept: "Dix ans, sans identité une fois le contact effacé.",
	},
	{
		Key: "guest_link", What: "Lien secret qui ouvre vos commandes et clé qui évite de commander deux fois, sous forme d'empreintes", Why: "Suivre vos commandes sans compte.",
		Basis: "Exécution du contrat (RGPD, art. 6, 1, b)", Kept: "Jusqu'à l'expiration du lien ; la clé, 72 heures.",
	},
	{
		Key: "account", What: "Nom, adresse électronique et identifiant que donne votre fournisseur de connexion, rôles, navigateurs connectés", Why: "Vous reconnaître quand vous vous connectez.",
		Basis: "Exécution du contrat (RGPD, art. 6, 1, b)", Kept: "Tant que vous gardez votre compte ; effacés à votre demande.",
	},
	{
		Key: "invitation", What: "Adresse électronique ou téléphone à qui une invitation est envoyée", Why: "Donner accès aux commerçants et aux agents.",
		Basis: "Mission d'intérêt public (RGPD, art. 6, 1, e)", Kept: "Effacés quand l'invitation a servi ou est retirée.",
	},
	{
		Key: "applicant", What: "Nom, téléphone et adresse électronique de la personne qui inscrit une boutique, et la réponse qui lui est faite", Why: "Instruire le dossier d'inscription.",
		Basis: "Consentement recueilli avec le dossier (RGPD, art. 6, 1, a)", Kept: "Un dossier inachevé est supprimé après trois mois ; décidé, il perd la personne après un an.",
		apply: func(ctx context.Context, p *Privacy) (int, error) { return p.Registrations.ForgetApplicants(ctx) },
	},
	{
		Key: "shop", What: "Nom, adresse, téléphone, adresse électronique, SIRET et photos d'une boutique, et ce que disent ses pages : pour un commerçant seul, ils sont aussi les siens", Why: "Faire connaître la boutique et la joindre.",
		Basis: "Mission d'intérêt public (RGPD, art. 6, 1, e)", Kept: "Tant que la boutique est inscrite.",
	},
	{
		Key: "work", What: "Motif d'une délégation ou d'une décision, coordonnées du service de la commune, fichiers importés par un commerçant", Why: "Aider les boutiques et pouvoir dire pourquoi.",
		Basis: "Mission d'intérêt public (RGPD, art. 6, 1, e)", Kept: "Tant que la boutique ou la commune est inscrite ; les fichiers envoyés, quelques jours.",
	},
	{
		Key: "search", What: "Recherches restées sans résultat, comptées ; l'origine, sous forme d'empreinte d'un jour", Why: "Savoir ce qui manque.",
		Basis: "Intérêt légitime (RGPD, art. 6, 1, f)", Kept: "L'empreinte, jusqu'à la fin du jour ; les mots, treize mois, s'ils ont été cherchés par trois personnes au moins.",
	},
	{
		Key: "audit", What: "Journal de ce que font agents, administrateurs et numéro vert, par identifiants seuls, et registre des effacements", Why: "Prouver qui a fait quoi ; tenir un effacement après une restauration.",
		Basis: "Obligation légale (RGPD, art. 5, 2)", Kept: "Sans limite : ni nom, ni texte.",
	},
}
