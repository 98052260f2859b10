package ordering

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/money"
	"github.com/audelor/halles/internal/pg"
)

// Action is what somebody does to an order.
type Action string

// The actions of a whole life.
const (
	Accept       Action = "ACCEPT"
	Reject       Action = "REJECT"
	MarkReady    Action = "MARK_READY"
	Collect      Action = "MARK_COLLECTED"
	SendOut      Action = "MARK_OUT_FOR_DELIVERY"
	Deliver      Action = "MARK_DELIVERED"
	ReportNoShow Action = "MARK_NO_SHOW"
	Cancel       Action = "CANCEL"
	Move         Action = "MOVE" // to another slot: no status of its own, see move.go

	ProposeChange Action = "PROPOSE_CHANGE"
	ConfirmChange Action = "CONFIRM_CHANGE"
	DeclineChange Action = "DECLINE_CHANGE"
)

// actions is every action, in the order in which a screen shows them.
var actions = []Action{ConfirmChange, DeclineChange, Accept, MarkReady, Collect, SendOut, Deliver, ProposeChange, Reject, ReportNoShow, Cancel, Move}

// effects says what an action leads to, and whether the stock that the order holds goes back.
var effects = map[Action]struct {
	to      Status
	returns bool
}{
	Accept:       {Accepted, false},
	Reject:       {Rejected, true},
	MarkReady:    {Ready, false},
	Collect:      {Collected, false},
	SendOut:      {OutForDelivery, false},
	Deliver:      {Delivered, false},
	ReportNoShow: {NoShow, true},
	Cancel:       {Cancelled, true},

	ConfirmChange: {Accepted, false},
	DeclineChange: {Cancelled, true},
	ProposeChange: {}, // the order stays where it stands
}

// kind is what the log says of an action.
func (a Action) kind() EventKind {
	switch a {
	case ProposeChange:
		return ChangeProposed
	case ConfirmChange:
		return ChangeConfirmed
	}
	return EventKind(effects[a].to)
}

// stand is where an order stands for the machine: its status, and whether a proposed change of it
// waits for the customer.
type stand struct {
	status   Status
	proposed bool
}

func (o *Order) stand() stand { return stand{o.Status, o.ChangeVersion != nil} }

// columns are stands as a statement takes them.
func columns(list []stand) (statuses []string, proposed []bool) {
	for _, s := range list {
		statuses, proposed = append(statuses, string(s.status)), append(proposed, s.proposed)
	}
	return statuses, proposed
}

// transition is one row of the state machine: in this status, for orders of this mode (empty:
// both) and with or without a change that waits (empty: either), these may do that.
type transition struct {
	from   Status
	action Action
	mode   directory.FulfilmentMode
	change waits
	who    []Actor
}

type waits string

const (
	withChange    waits = "with"
	withoutChange waits = "without"
)

// transitions is the whole machine; what is not here cannot happen. A final status has no row.
//
// The hotline answers for a merchant who telephones, and for a customer. A customer cancels
// until the order is ready: from then on the goods wait, and the shop decides. A merchant
// rejects what it has not accepted, and cancels what it has. A customer moves an order to another slot
// until the shop has taken it on, for that slot; then the shop does, or the hotline. An agent changes no order. What left
// for delivery and of which nobody says more is taken for delivered (see deliveries.go).
//
// A shop that is short of something proposes the rest (see propose.go). While that waits it makes
// nothing ready; to accept the order then is to take it on as it was ordered, and withdraws
// the proposal. A customer who confirms a proposal for an order that was not accepted yet has it
// accepted: the shop said yes to just that.
var transitions = []transition{
	{Placed, Accept, "", "", []Actor{ByMerchant, ByHotline}},
	{Placed, Reject, "", "", []Actor{ByMerchant, ByHotline}},
	{Placed, Cancel, "", withoutChange, []Actor{ByCustomer, ByHotline, ByAdmin, BySystem}},
	{Placed, Cancel, "", withChange, []Actor{ByCustomer, ByHotline, ByAdmin}},
	{Placed, ProposeChange, "", "", []Actor{ByMerchant, ByHotline}},
	{Placed, ConfirmChange, "", withChange, []Actor{ByCustomer, ByHotline}},
	{Placed, DeclineChange, "", withChange, []Actor{ByCustomer, ByHotline, BySystem}},
	{Accepted, Accept, "", withChange, []Actor{ByMerchant, ByHotline}},
	{Accepted, MarkReady, "", withoutChange, []Actor{ByMerchant}},
	{Accepted, Cancel, "", "", []Actor{ByCustomer, ByMerchant, ByHotline, ByAdmin}},
	{Accepted, ProposeChange, "", "", []Actor{ByMerchant, ByHotline}},
	{Accepted, ConfirmChange, "", withChange, []Actor{ByCustomer, ByHotline}},
	{Accepted, DeclineChange, "", withChange, []Actor{ByCustomer, ByHotline, BySystem}},
	{Ready, Collect, directory.Pickup, "", []Actor{ByMerchant}},
	{Ready, SendOut, directory.Delivery, "", []Actor{ByMerchant}},
	{Ready, ReportNoShow, directory.Pickup, "", []Actor{ByMerchant, BySystem}},
	{Ready, Cancel, "", "", []Actor{ByMerchant, ByHotline, ByAdmin}},
	{OutForDelivery, Deliver, directory.Delivery, "", []Actor{ByMerchant, BySystem}},
	{OutForDelivery, Cancel, "", "", []Actor{ByMerchant, ByHotline, ByAdmin}},
	{Placed, Move, "", "", []Actor{ByCustomer, ByMerchant, ByHotline}},
	{Accepted, Move, "", "", []Actor{ByMerchant, ByHotline}},
	{Ready, Move, "", "", []Actor{ByMerchant, ByHotline}},
}

// froms lists the stands in which an actor may do something to orders of a mode.
func froms(action Action, actor Actor, mode directory.FulfilmentMode) []stand {
	var list []stand
	for _, t := range transitions {
		if t.action != action || t.mode != "" && t.mode != mode || !slices.Contains(t.who, actor) {
			continue
		}
		if t.change != withChange {
			list = append(list, stand{t.from, false})
		}
		if t.change != withoutChange {
			list = append(list, stand{t.from, true})
		}
	}
	return list
}

// ever tells whether an actor may do something to any order in any status.
func ever(action Action, actor Actor) bool {
	return slices.ContainsFunc(transitions, func(t transition) bool { return t.action == action && slices.Contains(t.who, actor) })
}

// capacity is one way in which a viewer stands to an order, and as whom it then acts.
type capacity struct {
	actor Actor
	as    *identity.Viewer // nil for a job, which has its own scope
	job   *pg.Scope
}

// scope is what the capacity's statements run under.
func (c capacity) scope() pg.Scope {
	if c.job != nil {
		return *c.job
	}
	return c.as.Scope()
}

// staff tells whether others trust the actor with orders that are not its own: the audit log
// then says who it was, where the order's own history says the capacity only.
func (c capacity) staff() bool {
	return c.actor == ByAgent || c.actor == ByHotline || c.actor == ByAdmin
}

// state is what a change of the order changes.
func (o *Order) state() any {
	return struct {
		Status     Status
		Version    int
		Reason     *Reason
		ReasonText *string
		Items      money.Cents
		Change     *int
	}{o.Status, o.Version, o.Reason, o.ReasonText, o.ItemsCents, o.ChangeVersion}
}

// capacities lists how the viewer stands to the order: none for most people, two for a
// merchant who buys at its own shop.
func (o *Order) capacities(v *identity.Viewer) []capacity {
	var list []capacity
	switch {
	case v.Runs(o.ShopID()):
		list = append(list, capacity{actor: ByMerchant, as: v})
	case v.Serves(o.CommuneID):
		staff := map[identity.Kind]Actor{identity.Agent: ByAgent, identity.Hotline: ByHotline, identity.Admin: ByAdmin}
		list = append(list, capacity{actor: staff[v.Kind], as: v})
	}
	switch {
	case v.Kind == identity.Guest && slices.Contains(v.Orders, o.ID()):
		list = append(list, capacity{actor: ByCustomer, as: v})
	case v.Account != uuid.Nil && o.CustomerID != nil && *o.CustomerID == v.Account:
		list = append(list, capacity{actor: ByCustomer, as: v.AsCustomer()})
	}
	return list
}

// VisibleTo tells whether the viewer may read the order.
func (o *Order) VisibleTo(v *identity.Viewer) bool { return len(o.capacities(v)) > 0 }

// NoteFor is the customer's note, and ReasonTextFor what was added to a reason: free text may
// name a person, so only customer and merchant read it.
func (o *Order) NoteFor(v *identity.Viewer) *string { return o.between(v, o.Note) }

// ReasonTextFor is what was added to the reason; see NoteFor.
func (o *Order) ReasonTextFor(v *identity.Viewer) *string { return o.between(v, o.ReasonText) }

func (o *Order) between(v *identity.Viewer, text *string) *string {
	if !o.Between(v) {
		return nil
	}
	return text
}

// Between tells whether the viewer is one of the two who deal with each other, customer and
// merchant: they see the contact and the pickup code.
func (o *Order) Between(v *identity.Viewer) bool {
	return slices.ContainsFunc(o.capacities(v), func(c capacity) bool { return c.actor == ByCustomer || c.actor == ByMerchant })
}

// PickupCodeFor is what the customer says at the door; nil to all but customer and merchant.
func (o *Order) PickupCodeFor(v *identity.Viewer) *PickupCode {
	if !o.Between(v) {
		return nil
	}
	return &PickupCode{Text: o.Code}
}

// PickupCode is what the customer says at the door.
type PickupCode struct {
	Text string // "KRT482"
}

// NextActions lists what the viewer may do to the order now.
func (o *Order) NextActions(v *identity.Viewer) []Action {
	next := []Action{}
	for _, a := range actions {
		if a == Move && o.SlotStartsAt == nil {
			continue // who may give it a slot moves it all the same; nobody waits for the offer
		}
		if slices.ContainsFunc(o.capacities(v), func(c capacity) bool {
			return slices.Contains(froms(a, c.actor, o.Mode), o.stand())
		}) {
			next = append(next, a)
		}
	}
	return next
}

// states says where an order stands, after "Cette commande".
var states = map[Status]string{
	Placed: "attend la réponse de la boutique", Accepted: "est en préparation", Ready: "est prête",
	OutForDelivery: "est en cours de livraison", Collected: "a été retirée", Delivered: "a été livrée",
	Rejected: "a été refusée par la boutique", Cancelled: "a été annulée", NoShow: "n'a pas été retirée à temps",
}

// deeds says what can be done, after "vous pouvez".
var deeds = map[Action]string{
	Accept: "l'accepter", Reject: "la refuser", MarkReady: "la déclarer prête", Collect: "la remettre", Cancel: "l'annuler", Move: "changer son créneau",
	ConfirmChange: "confirmer la proposition de la boutique", DeclineChange: "refuser la proposition", ProposeChange: "proposer une commande réduite",
	SendOut: "la déclarer en livraison", Deliver: "la déclarer livrée", ReportNoShow: "dire que personne n'est venu",
}

// illegal refuses an action on the order as it stands, and says what is possible instead.
func (o *Order) illegal(v *identity.Viewer) *Refusal {
	message := "Cette commande " + states[o.Status]
	if o.ChangeVersion != nil {
		message += " et une modification proposée attend le client"
	}
	next := o.NextActions(v)
	switch {
	case len(next) > 0:
		can := make([]string, len(next))
		for i, a := range next {
			can[i] = deeds[a]
		}
		message += " ; vous pouvez " + strings.Join(can, " ou ") + "."
	case o.Status == Ready || o.Status == OutForDelivery:
		message += " ; pour la changer, appelez la boutique."
	case o.Status == Collected || o.Status == Delivered:
		message += " ; on n'y change plus rien. Pour un retour ou une erreur, voyez avec la boutique."
	default:
		message += " ; on n'y change plus rien. Pour la vouloir quand même, commandez de nouveau."
	}
	return &Refusal{Code: IllegalTransition, Message: message, Path: []string{"input", "order"}}
}
