package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/audelor/halles/internal/calendar"
	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/tenancy"
)

// slotsOffered bounds the times that a form has to choose from: some two days of a shop.
const slotsOffered = 40

// slotChoice is a time that an order can be moved to.
type slotChoice struct{ Value, Text string }

// choices are the slots that the orders of a page may be moved to, by shop and mode, in one statement
// for all of them. A shop does not mind its own lead time and cut-off, as Move has it.
func (s *Server) choices(ctx context.Context, v *identity.Viewer, slips []*slip) error {
	var shops []tenancy.ID
	for _, sl := range slips {
		if sl.May[string(ordering.Move)] && !slices.Contains(shops, sl.ShopID()) {
			shops = append(shops, sl.ShopID())
		}
	}
	if len(shops) == 0 {
		return nil
	}
	calendars, err := s.directory.Calendars(ctx, v, shops, s.ordering.Now())
	if err != nil {
		return err
	}
	type offer struct {
		shop tenancy.ID
		mode directory.FulfilmentMode
	}
	offers := map[offer][]slotChoice{}
	for _, sl := range slips {
		shop := calendars[sl.ShopID()]
		if !sl.May[string(ordering.Move)] || shop == nil {
			continue
		}
		of := offer{sl.ShopID(), sl.Mode}
		list, made := offers[of]
		if !made {
			slots, err := s.ordering.SlotsOf(shop, nil, sl.Mode, nil, nil, 100)
			if err != nil {
				return err
			}
			for _, slot := range slots {
				if len(list) < slotsOffered && (slot.Refusal == nil || v.Runs(sl.ShopID()) && (slot.Refusal.Code == calendar.TooSoon || slot.Refusal.Code == calendar.PastCutOff)) {
					list = append(list, slotChoice{slot.Start.UTC().Format(time.RFC3339), slot.Text()})
				}
			}
			offers[of] = list
		}
		for _, c := range list {
			if sl.SlotStartsAt == nil || c.Value != sl.SlotStartsAt.UTC().Format(time.RFC3339) {
				sl.Choices = append(sl.Choices, c)
			}
		}
	}
	return nil
}

// move moves an order to the slot that its form names.
func (s *Server) move(r *http.Request, v *identity.Viewer, id tenancy.ID) (*ordering.ChangePayload, error) {
	start, err := time.Parse(time.RFC3339, r.PostFormValue("slot"))
	if err != nil {
		return nil, fault.At([]string{"slot"}, "Choisissez une heure dans la liste.")
	}
	return s.ordering.Move(r.Context(), v, ordering.MoveInput{Order: id, Slot: start})
}

// When is the time that was promised: "samedi 31 octobre, de 10 h à 10 h 30"; empty without one.
func (s *slip) When() string {
	if slot := s.Slot(); slot != nil {
		return slot.Text()
	}
	return ""
}

// Door is the address that it is brought to, in one line; empty where none may be told.
func (s *slip) Door() string {
	if s.Address == nil {
		return ""
	}
	return strings.Join([]string{s.Address.Street, s.Address.Postcode + " " + s.Address.City}, ", ")
}
