package guide

// change is an entry of the schema's changelog.
type change struct {
	Date  string // ISO 8601
	Added []string
}

// changes lists what changed for clients, the latest first. What is taken away is first marked
// @deprecated with the date of its end, six months ahead at least.
var changes = []change{
	{"2026-11-30", []string{
		"`ordersUpdated`: the orders of a basket over several shops by one subscription.",
		"`importShops` takes opening hours, holidays and how orders are handed over.",
		"A registered document's `documentId` may be the first 16 digits of its hash.",
	}},
	{"2026-11-29", []string{
		"`quoteBasket` tells what a basket comes to, and what `placeOrders` would refuse.",
		"`moveOrder` changes the time of an order; `proposeOrderChange` tells the customer what is missing.",
		"`enterPhoneOrder`: an order for somebody who telephones.",
		"`dashboard`: published figures, under statistical secrecy; of a shop for its merchant, exactly.",
		"`importShops`: the shops of a commune from a spreadsheet.",
		"`myData` and `eraseMyData`: what is kept of a person, and its end; `privacyRuns` reports.",
	}},
	{"2026-11-24", []string{
		"Subscriptions as `multipart/mixed;subscriptionSpec=1.0`, for Apollo's clients and routers.",
		"Contracts for three audiences: `/schema.graphql?contract=widget`, `spa` and `staff`.",
		"Registered documents: `documentId`, `/documents.json`; their answers to a GET carry an ETag.",
		"A document has 100 fragments at most; a subscription follows one thing.",
		"Scalars that are texts take texts only, no numbers.",
		"`search`: shops and products by words, with facets and suggestions.",
		"Opening hours with exceptions, closures and `restrictions`; what a restriction leaves open.",
		"Merchants manage products, prices and stock, one by one or by `importProducts`, which `undoImport` takes back.",
		"Registration of a shop, saved answer by answer: `startRegistration`.",
		"Photos of shops and products: `addPhoto`.",
		"An agent acts for a merchant who lets it: `askDelegation`, `delegateShop`.",
		"`communeSettings`, `pauseOrders`; `callList` and `findOrders` for the hotline.",
		"Orders: placed over several shops at once, accepted, made ready, handed over, cancelled.",
		"`orderUpdated`, `shopOrders` and `communeActivity`, which resume after any cursor, on any server.",
		"Members, invitations and roles; the audit trail; widget keys and their rotation.",
	}},
	{"2026-11-23", []string{"The first schema: communes, shops and products, to read."}},
}
