package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/privacy"
)

// guestErasePath asks a guest whether to erase what its orders say of a person, and does it.
const guestErasePath = guestPath + "/effacer"

// erasing is what the page of it says.
type erasing struct {
	Ended, Open int  // orders that are erased now, and that keep the contact until their end
	Done        bool // it was asked for
}

// guestErase shows first what would be erased, and erases when the guest confirms: once all is
// asked for, the page is the last that the link opens. Sent again, it changes nothing.
func (s *Server) guestErase(a *assets) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		v, _, err := s.guest(r)
		if errors.Is(err, fault.Unauthenticated) {
			s.showGuest(w, r, a, board{})
			return
		}
		page := board{Erase: &erasing{}}
		if err == nil && r.Method == http.MethodPost {
			got, failed := s.privacy.EraseMine(r.Context(), v, privacy.EraseMyDataInput{Confirm: r.PostFormValue("confirm") == "true"})
			if err = failed; err == nil {
				page.Erase = &erasing{Ended: got.OrderCount, Open: got.OpenCount, Done: got.OrderCount > 0}
			}
			if page.Erase.Done && page.Erase.Open == 0 { // nothing is left to open
				http.SetCookie(w, s.pathCookie(guestCookie, "", guestPath, -time.Second))
			}
		} else if err == nil {
			var found []*ordering.Order
			found, err = s.guestOrders(r.Context(), v)
			for _, o := range found {
				if o.Waits() || o.Status == ordering.OutForDelivery {
					page.Erase.Open++
				} else {
					page.Erase.Ended++
				}
			}
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.showBoard(w, r, a, "erase", page)
	}
}
