package calendar

import (
	"time"

	"github.com/audelor/halles/internal/fault"
)

// HorizonDays is how many days ahead of today orders are taken.
const HorizonDays = 14

// maxCapacity bounds the orders of a slot: more than anybody hands over.
const maxCapacity = 9999

// Offer is how a shop hands orders over in one mode.
type Offer struct {
	Mode   Mode          // Pickup or Delivery
	Lead   time.Duration // from the order to the earliest hand-over
	CutOff *Clock        // orders for a day are taken until this local time of that day; below 0 of the days before: Hm(-6, 0) is 18:00 the day before; nil: no such limit
	Slot   time.Duration // how long a slot lasts, in whole minutes; 0: each opening is one slot

	Capacity int // orders that a slot takes; whoever orders then chooses one. 0: as many as come, and none need be chosen
}

// Load is how much of a slot is taken.
type Load struct {
	Booked   int
	Capacity int // 0: the merchant closed the slot
}

// Loads looks a slot's load up by its start. Nil: no slot has a limit.
type Loads func(start time.Time) Load

// Loads are those of the slots of a mode that the shop was read with. Of a slot that it was not,
// some place is free.
func (s *Shop) Loads(m Mode) Loads {
	known := s.Loaded[m]
	if len(known) == 0 {
		return nil
	}
	return func(start time.Time) Load {
		if load, ok := known[start.Unix()]; ok {
			return load
		}
		return Load{Capacity: 1}
	}
}

// Capacity is how many orders a slot of a mode usually takes; 0: as many as come.
func (s *Shop) Capacity(m Mode) int {
	if o := s.offer(m); o != nil {
		return o.Capacity
	}
	return 0
}

// SlotAt is the slot of a mode that begins at an instant, whatever stands against it; false where
// none does.
func (s *Shop) SlotAt(m Mode, start time.Time) (Span, bool) {
	o := s.offer(m)
	if o == nil {
		return Span{}, false
	}
	slot, ok := s.slotAt(o, start.Unix())
	return slot.export(), ok
}

// NextSlot is the first slot of a mode that can be booked now; nil: none in sight.
func (s *Shop) NextSlot(m Mode, now time.Time, loads Loads) *Span {
	if o := s.offer(m); o != nil {
		return s.slotFrom(o, now.Unix(), now.Unix(), loads)
	}
	return nil
}

// Checkout is the verdict on an order that is placed now, for the slot that begins at start or,
// where that is nil, for as soon as it is ready. A mode whose slots have a capacity wants one
// chosen. Quotes, orders and moves all ask it.
func (s *Shop) Checkout(m Mode, start *time.Time, now time.Time, loads Loads) *Refusal {
	o := s.offer(m)
	switch {
	case o == nil:
		return refuse(ModeNotOffered, "La boutique ne propose pas %s.", modeNames[m])
	case start != nil:
		return s.Verdict(m, *start, now, loads)
	}
	if no := s.HandOver(m, now, now); no != nil {
		if o.Capacity > 0 {
			no.Next = s.NextSlot(m, now, loads)
		}
		return no
	}
	if o.Capacity == 0 {
		return nil
	}
	no := refuse(SlotRequired, "Choisissez un créneau.")
	if no.Next = s.NextSlot(m, now, loads); no.Next == nil {
		no.Message = "La boutique n'a plus de créneau libre pour ce mode."
	}
	return no
}

// Promised says what stands against handing an order over as promised, in a slot that began or
// will: nil, or the closure, the restriction or the hours that the slot now lies outside of, or
// that the shop closed it. Once the slot is over an order waits like any other.
func (s *Shop) Promised(m Mode, slot Span, placed, now time.Time) *Refusal {
	o := s.offer(m)
	if o == nil || !now.Before(slot.End) {
		return s.HandOver(m, placed, now)
	}
	in := span{slot.Start.Unix(), slot.End.Unix()}
	refusal := s.blocked(m, in)
	loads := s.Loads(m)
	if refusal == nil {
		if open, ok := s.Hours.next(in.from); !ok || open != in.from || s.Hours.until(in.from) < in.to {
			refusal = s.whyClosed(m, in.from)
			if refusal.Code == Closed {
				refusal.Message = "La boutique n'est plus ouverte pendant tout ce créneau."
			}
		}
	}
	if refusal == nil && loads != nil && loads(slot.Start).Capacity <= 0 {
		refusal = refuse(SlotClosed, "La boutique a fermé ce créneau.")
	}
	if refusal != nil {
		refusal.Next = s.nextSlot(o, in.from, now.Unix(), loads)
	}
	return refusal
}

// Slot is a time at which an order may be handed over. The grid begins anew with each opening
// and is not moved by closures or restrictions, so that a slot booked stays a slot. What is
// left of an opening at its end, shorter than a slot, is none.
type Slot struct {
	Span
	Refusal *Refusal // nil: it can be booked now
}

// Check refuses an offer that a merchant could have known to be wrong.
func (o *Offer) Check(path ...string) error {
	switch {
	case o.Mode != Pickup && o.Mode != Delivery:
		return fault.At(path, "Le mode %q n'existe pas ; choisissez PICKUP ou DELIVERY.", o.Mode)
	case o.Lead < 0 || o.Lead > HorizonDays*24*time.Hour:
		return fault.At(path, "Le délai de préparation va de 0 à %d jours.", HorizonDays)
	case o.Slot != 0 && (o.Slot < 5*time.Minute || o.Slot > 24*time.Hour || o.Slot%time.Minute != 0):
		return fault.At(path, "Un créneau dure de 5 minutes à 24 heures, en minutes entières.")
	case o.Capacity < 0 || o.Capacity > maxCapacity:
		return fault.At(path, "Un créneau prend de 1 à %d commandes.", maxCapacity)
	case o.CutOff != nil && (*o.CutOff < -HorizonDays*midnight || *o.CutOff > midnight):
		return fault.At(path, "L'heure limite est le jour même ou au plus %d jours avant.", HorizonDays)
	}
	return nil
}

// Slots are a mode's slots that begin from an instant to before another, in order, each either
// open or with the reason why not. None lies before today or past the horizon, nor on a day on
// which the shop does not open.
func (s *Shop) Slots(m Mode, now, from, to time.Time, loads Loads) []Slot {
	o := s.offer(m)
	if o == nil {
		return nil
	}
	today := dateOf(now.Unix())
	first, limit := max(from.Unix(), today.instant(0)), min(to.Unix(), (today+HorizonDays+1).instant(0))
	var slots []Slot
	for d := dateOf(first) - 1; d.instant(0) < limit; d++ {
		s.grid(o, d, func(slot span) bool {
			if slot.from >= first && slot.from < limit {
				slots = append(slots, Slot{slot.export(), s.judge(o, slot, now.Unix(), loads)})
			}
			return true
		})
	}
	next := s.nextSlot(o, limit, now.Unix(), loads)
	for i := len(slots) - 1; i >= 0; i-- {
		if slots[i].Refusal == nil {
			next = &slots[i].Span
			continue
		}
		slots[i].Refusal.Next = next
	}
	return slots
}

// Verdict is the answer at checkout: nil when an order placed now may be handed over in the
// slot that begins at start. It agrees with Slots: both ask judge.
func (s *Shop) Verdict(m Mode, start, now time.Time, loads Loads) *Refusal {
	o := s.offer(m)
	if o == nil {
		return refuse(ModeNotOffered, "La boutique ne propose pas %s.", modeNames[m])
	}
	var refusal *Refusal
	if slot, ok := s.slotAt(o, start.Unix()); ok {
		refusal = s.judge(o, slot, now.Unix(), loads)
	} else {
		refusal = s.noSlot(o, start.Unix(), now.Unix())
	}
	if refusal != nil {
		refusal.Next = s.nextSlot(o, start.Unix(), now.Unix(), loads)
	}
	return refusal
}

// slotAt is the slot of the grid that begins at t.
func (s *Shop) slotAt(o *Offer, t int64) (slot span, ok bool) {
	for d := dateOf(t) - 1; d <= dateOf(t) && !ok; d++ {
		s.grid(o, d, func(g span) bool {
			slot, ok = g, g.from == t
			return !ok
		})
	}
	return slot, ok
}

// noSlot says why no slot begins at t.
func (s *Shop) noSlot(o *Offer, t, now int64) *Refusal {
	if r := s.early(o, span{t, t + 1}, now); r != nil {
		return r
	}
	if open, ok := s.Hours.next(t); ok && open == t {
		return refuse(NoSuchSlot, "Aucun créneau ne commence à %s.", clockOf(t))
	}
	return s.whyClosed(o.Mode, t)
}

func (s *Shop) offer(m Mode) *Offer {
	for i := range s.Offers {
		if s.Offers[i].Mode == m {
			return &s.Offers[i]
		}
	}
	return nil
}

// grid yields the slots of the openings that begin on a date, whatever stands against them.
func (s *Shop) grid(o *Offer, d Date, yield func(span) bool) {
	var room [maxOpenings]span
	for _, opening := range s.day(d, room[:0]) {
		length := int64(o.Slot / time.Second)
		if length <= 0 {
			length = opening.to - opening.from
		}
		for t := opening.from; t+length <= opening.to; t += length {
			if !yield(span{t, t + length}) {
				return
			}
		}
	}
}

// early says what stops a mode in a span whatever the slots are: the first of the codes.
func (s *Shop) early(o *Offer, in span, now int64) *Refusal {
	if in.from < now {
		return refuse(Past, "Ce créneau est passé.")
	}
	if horizon := dateOf(now) + HorizonDays; dateOf(in.from) > horizon {
		return refuse(BeyondHorizon, "Ce créneau est trop lointain : les commandes sont prises jusqu'au %s.", dateText(horizon))
	}
	return s.blocked(o.Mode, in)
}

// judge says why a slot of the grid cannot be booked now, or nil.
func (s *Shop) judge(o *Offer, slot span, now int64, loads Loads) *Refusal {
	if r := s.early(o, slot, now); r != nil {
		return r
	}
	if slot.from < now+int64(o.Lead/time.Second) {
		return refuse(TooSoon, "Trop tôt : la boutique demande %s pour préparer une commande.", durationText(o.Lead))
	}
	if date := dateOf(slot.from); o.CutOff != nil && now >= date.instant(*o.CutOff) {
		return refuse(PastCutOff, "Trop tard pour le %s : les commandes étaient prises jusqu'au %s.",
			dateText(date), instantText(date.At(*o.CutOff)))
	}
	return loads.at(at(slot.from))
}

func (loads Loads) at(start time.Time) *Refusal {
	if loads == nil {
		return nil
	}
	switch load := loads(start); {
	case load.Capacity <= 0:
		return refuse(SlotClosed, "La boutique a fermé ce créneau.")
	case load.Booked >= load.Capacity:
		return refuse(Full, "Ce créneau est complet.")
	}
	return nil
}

// Overruled is the verdict of a shop that does not mind its own lead time and cut-off, on a slot
// that these alone refuse: nil, or that no place is left.
func (s *Shop) Overruled(m Mode, start, now time.Time, loads Loads) *Refusal {
	refusal := s.Verdict(m, start, now, loads)
	if refusal == nil || refusal.Code != TooSoon && refusal.Code != PastCutOff {
		return refusal
	}
	next := refusal.Next
	if refusal = loads.at(start); refusal != nil {
		refusal.Next = next
	}
	return refusal
}

// nextSlot is the first slot from t on that can be booked now; if none, the first of all.
func (s *Shop) nextSlot(o *Offer, t, now int64, loads Loads) *Span {
	if next := s.slotFrom(o, max(t, now), now, loads); next != nil || t <= now {
		return next
	}
	return s.slotFrom(o, now, now, loads)
}

func (s *Shop) slotFrom(o *Offer, t, now int64, loads Loads) *Span {
	var next *Span
	for d := dateOf(t) - 1; d <= dateOf(now)+HorizonDays && next == nil; d++ {
		s.grid(o, d, func(slot span) bool {
			if slot.from >= t && s.judge(o, slot, now, loads) == nil {
				found := slot.export()
				next = &found
			}
			return next == nil
		})
	}
	return next
}
