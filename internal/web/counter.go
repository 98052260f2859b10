package web

import (
	"bytes"
	"context"
	_ "embed" // for the pages
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/french"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/tenancy"
)

// The counter: a merchant's orders of the day on a telephone, made on the server. Every action is
// a form that works without a script; counter.js only brings the page up to date when something
// happens. With the link of a message the same forms stand for one order, without signing in.

//go:embed assets/counter.html
var counterHTML string

var counterTemplate = french.Page{Template: template.Must(template.New("counter").Funcs(template.FuncMap{"dialled": dialled}).Parse(counterHTML))}

// linkCookie keeps an open link for the pages of its order.
const (
	linkCookie = "halles-order"
	linkPath   = "/comptoir/commande"
)

func (s *Server) counterRoutes(r chi.Router, a *assets) {
	same := http.NewCrossOriginProtection() // a link's cookie is sent to same-site requests alone; this holds where browsers differ
	merchant := s.SignedIn(identity.Merchant)
	r.Group(func(r chi.Router) {
		r.Use(s.leafing)
		r.With(merchant).Get("/comptoir", s.counterPage(a))
		r.With(merchant).Get("/comptoir/liste", s.pickingList(a))
		r.With(s.bounded, merchant).Post("/comptoir", s.counterPost(a))
		r.Get(linkPath, s.linkPage(a))
		r.With(s.bounded, same.Handler).Post(linkPath, s.linkPost(a))
		r.With(s.bounded, same.Handler).Post(linkPath+"/ouvrir", s.linkOpen(a))
	})
	r.With(s.leafing, s.ending, merchant).Get("/comptoir/flux", func(w http.ResponseWriter, r *http.Request) {
		v := identity.From(r.Context())
		stream, err := s.feed.ShopOrders(r.Context(), v, v.Shops, nil)
		s.stir(w, r, err, stream)
	})
	r.With(s.leafing, s.ending).Get(linkPath+"/flux", func(w http.ResponseWriter, r *http.Request) {
		link, err := s.shopLinks.Open(r.Context(), valueOf(r, linkCookie))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		ctx, cancel := context.WithDeadline(r.Context(), link.EndsAt)
		defer cancel()
		stream, err := s.feed.OrderUpdated(ctx, link.Merchant, link.Order, nil)
		s.stir(w, r.WithContext(ctx), err, stream)
	})
}

// slip is an order as the counter and a guest's page show it.
type slip struct {
	*ordering.Order
	Lines   []*ordering.Line
	Totals  *ordering.Totals
	Contact *ordering.PersonContact
	Address *ordering.DeliveryAddress // of a delivery, for who may know it
	Change  *ordering.Change
	Choices []slotChoice // the slots that it may be moved to
	Shop    string
	May     map[string]bool // by action
	Said    string          // where it stands
	Placed  string          // "10 h 24"; with the day, where that is not today
	QR      template.HTML   // the pickup code as a symbol; a guest's only
	Post    string          // where its forms lead
	Guard   string          // of a session's forms
}

// Code is what the customer says at the door.
func (s *slip) Code() string { return s.Order.Code }

// said is where an order stands, as a heading.
var said = map[ordering.Status]string{
	ordering.Placed: "À accepter", ordering.Accepted: "À préparer", ordering.Ready: "Prête", ordering.OutForDelivery: "En livraison",
	ordering.Collected: "Remise", ordering.Delivered: "Livrée", ordering.Rejected: "Refusée", ordering.Cancelled: "Annulée", ordering.NoShow: "Non retirée",
}

// openStatuses are those that the counter works on, in the order of the work.
var openStatuses = []ordering.Status{ordering.Placed, ordering.Accepted, ordering.Ready, ordering.OutForDelivery}

// slips reads what pages show of orders, in a statement for each kind of thing.
func (s *Server) slips(ctx context.Context, v *identity.Viewer, orders []*ordering.Order) ([]*slip, error) {
	ids := make([]tenancy.ID, len(orders))
	var shops []tenancy.ID
	for i, o := range orders {
		ids[i] = o.ID()
		if !slices.Contains(shops, o.ShopID()) {
			shops = append(shops, o.ShopID())
		}
	}
	lines, err := s.ordering.LinesOf(ctx, v, ids)
	if err != nil {
		return nil, err
	}
	contacts, err := s.ordering.ContactsOf(ctx, v, ids)
	if err != nil {
		return nil, err
	}
	addresses, err := s.ordering.AddressesOf(ctx, v, ids)
	if err != nil {
		return nil, err
	}
	changes, err := s.ordering.ChangesOf(ctx, v, ids)
	if err != nil {
		return nil, err
	}
	named, err := s.directory.ByIDs(ctx, v, shops)
	if err != nil {
		return nil, err
	}
	list := make([]*slip, len(orders))
	for i, o := range orders {
		id := o.ID()
		sl := &slip{Order: o, Lines: lines[id], Totals: o.TotalsOf(lines[id]), Contact: contacts[id], Address: addresses[id], Change: changes[id], May: map[string]bool{}, Said: said[o.Status]}
		if shop := named[o.ShopID()]; shop != nil {
			sl.Shop = shop.Name
		}
		for _, action := range o.NextActions(v) {
			sl.May[string(action)] = true
		}
		if sl.Change != nil {
			sl.Said = "Attend le client"
		}
		sl.Placed = calendar.SayInstant(o.PlacedAt)
		list[i] = sl
	}
	return list, s.choices(ctx, v, list)
}

// board is the counter's page.
type board struct {
	Style, Script string
	Guard         string
	Live          string // where changes are told
	Notice        string // of what was done or refused
	Refused       bool
	Groups        []boardGroup
	Shops         int
	One           *slip // of a link
	Name          string
	Code          string // said, and wrong
	Entry         bool   // no link is open: ask for one
	Erase         *erasing
	Today         string
}

type boardGroup struct {
	Title string
	Slips []*slip
}

// counterOrders are the orders of the viewer's shops that are open, and that ended today.
func (s *Server) counterOrders(ctx context.Context, v *identity.Viewer) ([]*slip, error) {
	var orders []*ordering.Order
	pages, err := s.ordering.ListByShop(ctx, v, v.Shops, nil, 100, nil)
	if err != nil {
		return nil, err
	}
	today := calendar.DateOf(s.ordering.Now())
	for _, shop := range v.Shops {
		if pages[shop] == nil {
			continue
		}
		for _, o := range pages[shop].Nodes() {
			if slices.Contains(openStatuses, o.Status) || calendar.DateOf(o.UpdatedAt) == today {
				orders = append(orders, o)
			}
		}
	}
	open, err := s.ordering.ListByShop(ctx, v, v.Shops, openStatuses, 100, nil) // those further back than a hundred
	if err != nil {
		return nil, err
	}
	for _, page := range open {
		for _, o := range page.Nodes() {
			if !slices.ContainsFunc(orders, func(known *ordering.Order) bool { return known.ID() == o.ID() }) {
				orders = append(orders, o)
			}
		}
	}
	slices.SortFunc(orders, func(a, b *ordering.Order) int { return a.PlacedAt.Compare(b.PlacedAt) })
	return s.slips(ctx, v, orders)
}

func grouped(list []*slip) []boardGroup {
	var groups []boardGroup
	add := func(title string, of func(*slip) bool) {
		g := boardGroup{Title: title}
		for _, sl := range list {
			if of(sl) {
				g.Slips = append(g.Slips, sl)
			}
		}
		if len(g.Slips) > 0 {
			groups = append(groups, g)
		}
	}
	in := func(status ordering.Status) func(*slip) bool {
		return func(sl *slip) bool { return sl.Status == status && sl.Change == nil }
	}
	add("À accepter", in(ordering.Placed))
	add("À préparer", in(ordering.Accepted))
	add("En attente du client", func(sl *slip) bool { return sl.Change != nil })
	add("Prêtes", in(ordering.Ready))
	add("En livraison", in(ordering.OutForDelivery))
	add("Terminées aujourd'hui", func(sl *slip) bool { return !slices.Contains(openStatuses, sl.Status) })
	return groups
}

func (s *Server) counterPage(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.showCounter(w, r, a, board{Notice: done[r.URL.Query().Get("fait")]})
	}
}

func (s *Server) showCounter(w http.ResponseWriter, r *http.Request, a *assets, page board) {
	v := identity.From(r.Context())
	list, err := s.counterOrders(r.Context(), v)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, sl := range list {
		sl.Post, sl.Guard = "/comptoir", guardOf(r.Context())
	}
	page.Groups, page.Shops, page.Name, page.Guard, page.Live = grouped(list), len(v.Shops), v.Name, guardOf(r.Context()), "/comptoir/flux"
	s.showBoard(w, r, a, "counter", page)
}

func (s *Server) showBoard(w http.ResponseWriter, r *http.Request, a *assets, name string, page board) {
	page.Style, page.Script = a.URL("counter.css"), a.URL("counter.js")
	var body bytes.Buffer
	if err := counterTemplate.ExecuteTemplate(&body, name, &page); err != nil {
		s.fail(w, r, err)
		return
	}
	writePage(w, body.Bytes(), s.formPolicy())
}

// done is what the page says after an action, by what its address is given.
var done = map[string]string{
	"ACCEPT": "La commande est acceptée.", "REJECT": "La commande est refusée, le client est prévenu.", "MARK_READY": "La commande est prête, le client est prévenu.",
	"MARK_COLLECTED": "La commande est remise.", "MARK_OUT_FOR_DELIVERY": "La commande est en livraison.", "MARK_DELIVERED": "La commande est livrée.",
	"MARK_NO_SHOW": "La commande est close, ses articles sont de nouveau en vente.", "CANCEL": "La commande est annulée.",
	"MOVE":           "L'heure est changée, un message le confirme.",
	"PROPOSE_CHANGE": "La proposition est envoyée au client.", "CONFIRM_CHANGE": "C'est noté : la boutique prépare votre commande.", "DECLINE_CHANGE": "C'est noté : la commande est annulée.",
}

// act does what a form of an order asks for.
func (s *Server) act(r *http.Request, v *identity.Viewer, id tenancy.ID) (*ordering.ChangePayload, error) {
	action, text := ordering.Action(r.PostFormValue("action")), r.PostFormValue("text")
	in := ordering.ChangeInput{Order: id, Text: &text}
	if reason := ordering.Reason(r.PostFormValue("reason")); reason != "" {
		in.Reason = &reason
	}
	switch action {
	case ordering.Collect:
		collect := ordering.CollectInput{Order: &id}
		if code := r.PostFormValue("code"); code != "" {
			collect.Code = &code
		}
		return s.ordering.Collect(r.Context(), v, collect)
	case ordering.ProposeChange:
		return s.propose(r, v, id, &text)
	case ordering.Move:
		return s.move(r, v, id)
	case ordering.ConfirmChange, ordering.DeclineChange:
		in.Version, _ = strconv.Atoi(r.PostFormValue("version"))
	case ordering.Reject, ordering.Cancel:
		if in.Reason == nil {
			return nil, fault.At([]string{"reason"}, "Choisissez un motif : le client le lira.")
		}
	case ordering.Accept, ordering.MarkReady, ordering.SendOut, ordering.Deliver, ordering.ReportNoShow:
	default:
		return nil, fault.At([]string{"action"}, "Cette page ne connaît pas cette action. Rechargez-la et recommencez.")
	}
	return s.ordering.Do(r.Context(), v, action, in)
}

// propose reads how many of each line there are: those of which there are fewer are short.
func (s *Server) propose(r *http.Request, v *identity.Viewer, id tenancy.ID, text *string) (*ordering.ChangePayload, error) {
	lines, err := s.ordering.LinesOf(r.Context(), v, []tenancy.ID{id})
	if err != nil {
		return nil, err
	}
	in := ordering.ProposeInput{Order: id, Text: text, Missing: true}
	for _, l := range lines[id] {
		if n, err := strconv.Atoi(r.PostFormValue("line" + strconv.Itoa(l.Line))); err == nil && n != l.Quantity {
			in.Lines = append(in.Lines, ordering.ProposedLine{Variant: l.VariantID(), Quantity: n})
		}
	}
	if len(in.Lines) == 0 {
		return nil, fault.At([]string{"lines"}, "Dites combien vous avez de l'article qui manque ; il en reste autant que commandé.")
	}
	if in.Hours, err = strconv.Atoi(r.PostFormValue("hours")); err != nil {
		in.Hours = 24
	}
	return s.ordering.Propose(r.Context(), v, in)
}

// refusalOf is what a page says of an action that came to nothing; err is what has no page.
func refusalOf(answer *ordering.ChangePayload, err error) (string, error) {
	switch f := fault.Of(err); {
	case err == nil && len(answer.Refusals) > 0:
		return answer.Refusals[0].Message, nil
	case f != nil && (f.Kind == fault.Invalid || f.Kind == fault.NotFound || f.Kind == fault.Forbidden):
		return f.Message, nil
	}
	return "", err
}

// counterPost does an action, or hands over by a code alone; then the page comes back, by GET.
func (s *Server) counterPost(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := identity.From(r.Context())
		var answer *ordering.ChangePayload
		var err error
		code := ""
		if r.PostFormValue("action") == "CODE" {
			code = r.PostFormValue("code")
			answer, err = s.byCode(r.Context(), v, code)
		} else {
			var id tenancy.ID
			if id, err = tenancy.ParseID(r.PostFormValue("order")); err == nil {
				answer, err = s.act(r, v, id)
			}
		}
		no, err := refusalOf(answer, err)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case no != "":
			s.showCounter(w, r, a, board{Notice: no, Refused: true, Code: code})
		default:
			did := r.PostFormValue("action")
			if did == "CODE" {
				did = string(ordering.Collect)
			}
			http.Redirect(w, r, "/comptoir?fait="+did, http.StatusSeeOther) //nolint:gosec // a page of ours; what it knows not it ignores
		}
	}
}

// byCode looks for the code at each of the merchant's shops: few have more than one.
func (s *Server) byCode(ctx context.Context, v *identity.Viewer, code string) (answer *ordering.ChangePayload, err error) {
	for _, shop := range v.Shops {
		answer, err = s.ordering.Collect(ctx, v, ordering.CollectInput{Shop: &shop, Code: &code})
		if err != nil || len(answer.Refusals) == 0 || answer.Refusals[0].Code != ordering.WrongCode {
			return answer, err
		}
	}
	if answer == nil {
		err = fault.Errorf(fault.Forbidden, "Aucune boutique n'est à vous ; demandez une invitation à votre commune.")
	}
	return answer, err
}

// pickingList is the day's list on paper, for shops without a computer at hand.
func (s *Server) pickingList(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		list, err := s.counterOrders(r.Context(), identity.From(r.Context()))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		list = slices.DeleteFunc(list, func(sl *slip) bool { return !slices.Contains(openStatuses, sl.Status) })
		s.showBoard(w, r, a, "list", board{Groups: []boardGroup{{Slips: list}}, Shops: len(identity.From(r.Context()).Shops), Today: calendar.SayInstant(s.ordering.Now())})
	}
}

// linkPage shows the one order of the link that is open, or asks for one: its script sends what
// stands after #, which no server and no log sees.
func (s *Server) linkPage(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.showLink(w, r, a, board{Notice: done[r.URL.Query().Get("fait")]})
	}
}

func (s *Server) showLink(w http.ResponseWriter, r *http.Request, a *assets, page board) {
	w.Header().Set("Cache-Control", "no-store")
	cookie := valueOf(r, linkCookie)
	link, err := s.shopLinks.Open(r.Context(), cookie)
	switch {
	case cookie == "", errors.Is(err, fault.Unauthenticated):
		page.Entry = true
		if cookie != "" {
			page.Notice, page.Refused = fault.Of(err).Message, true
		}
		s.showBoard(w, r, a, "link", page)
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	found, err := s.ordering.ByIDs(r.Context(), link.Merchant, []tenancy.ID{link.Order})
	if err == nil && found[link.Order] == nil {
		err = link.Order.NotFound()
	}
	var list []*slip
	if err == nil {
		list, err = s.slips(r.Context(), link.Merchant, []*ordering.Order{found[link.Order]})
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	page.One, page.Live = list[0], linkPath+"/flux"
	page.One.Post = linkPath
	s.showBoard(w, r, a, "link", page)
}

// linkOpen takes a link, and keeps it in a cookie that only the pages of its order get.
func (s *Server) linkOpen(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		link := r.PostFormValue("link")
		open, err := s.shopLinks.Open(r.Context(), link)
		if errors.Is(err, fault.Unauthenticated) {
			s.showBoard(w, r, a, "link", board{Entry: true, Notice: fault.Of(s.unproved(r.Context(), err)).Message, Refused: true})
			return
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		if _, after, whole := strings.Cut(link, "#"); whole {
			link = after
		}
		http.SetCookie(w, s.pathCookie(linkCookie, strings.TrimSpace(link), linkPath, time.Until(open.EndsAt)))
		http.Redirect(w, r, linkPath, http.StatusSeeOther)
	}
}

// pathCookie is a cookie of a link's pages: no script reads it, no other site sends it.
func (s *Server) pathCookie(name, value, path string, lives time.Duration) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure wherever the site is https
		Name: name, Value: value, Path: path, Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: int(lives.Seconds()),
	}
}

// linkPost does an action on the order of the link, whatever order the form names.
func (s *Server) linkPost(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		link, err := s.shopLinks.Open(r.Context(), valueOf(r, linkCookie))
		if errors.Is(err, fault.Unauthenticated) {
			s.showLink(w, r, a, board{})
			return
		}
		var answer *ordering.ChangePayload
		if err == nil {
			answer, err = s.act(r, link.Merchant, link.Order)
		}
		no, err := refusalOf(answer, err)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case no != "":
			s.showLink(w, r, a, board{Notice: no, Refused: true})
		default:
			http.Redirect(w, r, linkPath+"?fait="+r.PostFormValue("action"), http.StatusSeeOther) //nolint:gosec // a page of ours
		}
	}
}

// Deadline is until when the customer may answer what the shop proposed.
func (s *slip) Deadline() string { return calendar.SayInstant(s.Change.Until) }
