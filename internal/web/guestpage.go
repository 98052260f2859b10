package web

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/tenancy"
)

// A guest's page: the orders of its link. The link's secret stands after #, where no server and no
// log sees it; a script of ours, or the guest by hand, sends it in a form, and what it is exchanged
// for is a session of half an hour in a cookie of this page alone.
const (
	guestCookie = "halles-guest"
	guestPath   = "/commande"
)

func (s *Server) guestRoutes(r chi.Router, a *assets) {
	same := http.NewCrossOriginProtection()
	r.Group(func(r chi.Router) {
		r.Use(s.leafing)
		r.Get(guestPath, func(w http.ResponseWriter, r *http.Request) {
			s.showGuest(w, r, a, board{Notice: done[r.URL.Query().Get("fait")]})
		})
		r.With(s.bounded, same.Handler).Post(guestPath, s.guestPost(a))
		r.With(s.bounded, same.Handler).Post(guestPath+"/ouvrir", s.guestOpen(a))
		r.Get(guestErasePath, s.guestErase(a))
		r.With(s.bounded, same.Handler).Post(guestErasePath, s.guestErase(a))
	})
	r.With(s.leafing, s.ending).Get(guestPath+"/flux", func(w http.ResponseWriter, r *http.Request) {
		v, ends, err := s.guest(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		r = r.WithContext(identity.WithExpiry(r.Context(), ends))
		stream, err := s.feed.OrdersUpdated(r.Context(), v, v.Orders, nil)
		s.stir(w, r, err, stream)
	})
}

// guest is whose cookie came, and until when.
func (s *Server) guest(r *http.Request) (*identity.Viewer, time.Time, error) {
	token := valueOf(r, guestCookie)
	if !strings.HasPrefix(token, "hg_") {
		return nil, time.Time{}, fault.Errorf(fault.Unauthenticated, "Ouvrez le lien de votre commande.")
	}
	return s.identity.FromToken(r.Context(), token)
}

// guestOrders are the orders of the guest's link.
func (s *Server) guestOrders(ctx context.Context, v *identity.Viewer) (orders []*ordering.Order, err error) {
	found, err := s.ordering.ByIDs(ctx, v, v.Orders)
	for _, id := range v.Orders {
		if o := found[id]; o != nil {
			orders = append(orders, o)
		}
	}
	return orders, err
}

func (s *Server) showGuest(w http.ResponseWriter, r *http.Request, a *assets, page board) {
	w.Header().Set("Cache-Control", "no-store")
	v, _, err := s.guest(r)
	switch {
	case errors.Is(err, fault.Unauthenticated):
		page.Entry = true
		if valueOf(r, guestCookie) != "" && page.Notice == "" {
			page.Notice, page.Refused = fault.Of(err).Message, true
		}
		s.showBoard(w, r, a, "guest", page)
		return
	case err != nil:
		s.fail(w, r, err)
		return
	}
	orders, err := s.guestOrders(r.Context(), v)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	list, err := s.slips(r.Context(), v, orders)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, sl := range list {
		sl.Post, sl.Said = guestPath, saidToGuest[sl.Status]
		if sl.Change != nil {
			sl.Said = "La boutique attend votre réponse"
		}
		if code := sl.PickupCodeFor(v); code != nil && sl.Waits() && sl.Mode == "PICKUP" {
			symbol, err := code.QR()
			if err != nil {
				s.fail(w, r, err)
				return
			}
			sl.QR = template.HTML(symbol) //nolint:gosec // an SVG of ours: rectangles and the code's own letters
		}
	}
	page.Groups, page.Live = []boardGroup{{Slips: list}}, guestPath+"/flux"
	s.showBoard(w, r, a, "guest", page)
}

var saidToGuest = map[ordering.Status]string{
	ordering.Placed: "La boutique n'a pas encore répondu", ordering.Accepted: "La boutique la prépare", ordering.Ready: "Elle est prête", ordering.OutForDelivery: "Elle est en route",
	ordering.Collected: "Vous l'avez retirée", ordering.Delivered: "Elle est livrée", ordering.Rejected: "La boutique l'a refusée", ordering.Cancelled: "Elle est annulée",
	ordering.NoShow: "Elle n'a pas été retirée à temps",
}

func (s *Server) guestOpen(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		secret := strings.TrimSpace(r.PostFormValue("link"))
		if _, after, whole := strings.Cut(secret, "#"); whole {
			secret = after
		}
		session, err := s.guests.Exchange(r.Context(), identity.LinkInput{Secret: secret})
		if errors.Is(err, fault.NotFound) {
			s.showBoard(w, r, a, "guest", board{Entry: true, Notice: fault.Of(err).Message, Refused: true})
			return
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		http.SetCookie(w, s.pathCookie(guestCookie, session.Token, guestPath, time.Until(session.ExpiresAt)))
		http.Redirect(w, r, guestPath, http.StatusSeeOther)
	}
}

// guestPost cancels an order of the link, or answers what its shop proposed.
func (s *Server) guestPost(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, _, err := s.guest(r)
		if errors.Is(err, fault.Unauthenticated) {
			s.showGuest(w, r, a, board{})
			return
		}
		var id tenancy.ID
		if err == nil {
			id, err = tenancy.ParseID(r.PostFormValue("order"))
		}
		var answer *ordering.ChangePayload
		if err == nil {
			answer, err = s.act(r, v, id)
		}
		no, err := refusalOf(answer, err)
		switch {
		case err != nil:
			s.fail(w, r, err)
		case no != "":
			s.showGuest(w, r, a, board{Notice: no, Refused: true})
		default:
			http.Redirect(w, r, guestPath+"?fait="+r.PostFormValue("action"), http.StatusSeeOther) //nolint:gosec // a page of ours
		}
	}
}
