package calendar

import "time"

// Code says why not.
type Code string

// The codes of a no, for an instant or for a slot. When several hold, the one that stands
// first here is told.
const (
	ModeNotOffered Code = "MODE_NOT_OFFERED" // the shop does not hand over so
	Past           Code = "PAST"             // the slot has begun
	BeyondHorizon  Code = "BEYOND_HORIZON"   // more than HorizonDays ahead
	Restricted     Code = "RESTRICTION"      // a law or an order refuses the mode
	InClosure      Code = "CLOSURE"          // the shop closes for a while
	OnHoliday      Code = "HOLIDAY"          // a statutory holiday
	Closed         Code = "CLOSED"           // outside the opening hours
	NoSuchSlot     Code = "NO_SUCH_SLOT"     // open, but no slot begins then
	TooSoon        Code = "TOO_SOON"         // less than the lead time ahead
	PastCutOff     Code = "PAST_CUT_OFF"     // orders for that day are no longer taken
	SlotClosed     Code = "SLOT_CLOSED"      // the merchant closed the slot
	Full           Code = "FULL"             // all places are booked
	SlotRequired   Code = "SLOT_REQUIRED"    // the shop counts orders by slot, and none was chosen
)

// Refusal is a no with its reason and a way on.
type Refusal struct {
	Code        Code
	Message     string       // a French sentence
	Restriction *Restriction // the one behind RESTRICTION
	Next        *Span        // the next opening, or the next slot that can be booked; nil: none in sight
}

// Status is what a shop's door says at an instant.
type Status struct {
	Open    bool
	Until   time.Time // when open: the closing time; zero: it does not close for weeks
	Refusal *Refusal  // when not
	Text    string    // in French, for people: "Ouvert jusqu'à 19 h", "Ouvre demain à 9 h 30"
}

// OpenAt tells whether the shop serves a mode at an instant.
func (s *Shop) OpenAt(m Mode, t time.Time) bool {
	open, ok := s.next(m, t.Unix())
	return ok && open == t.Unix()
}

// NextOpening is the time open at t, from t on, or else the first one after it. It is false
// when none lies within 400 days of t or of the end of a closure.
func (s *Shop) NextOpening(m Mode, t time.Time) (Span, bool) {
	open, ok := s.next(m, t.Unix())
	if !ok {
		return Span{}, false
	}
	return span{open, s.until(m, open)}.export(), true
}

// NextAfter is the first time open that begins after t: when it is open at t, the one after it has
// closed. It is false when none lies within 400 days, or when it does not close.
func (s *Shop) NextAfter(m Mode, t time.Time) (Span, bool) {
	now := t.Unix()
	open, ok := s.next(m, now)
	if ok && open == now {
		closes := s.until(m, now)
		if closes-now >= alwaysOpen {
			return Span{}, false
		}
		open, ok = s.next(m, closes)
	}
	if !ok {
		return Span{}, false
	}
	return span{open, s.until(m, open)}.export(), true
}

// Spans are the times at which the shop serves a mode from an instant to before another, in
// order and apart from each other: t lies in one of them exactly when OpenAt(m, t).
func (s *Shop) Spans(m Mode, from, to time.Time) []Span {
	var spans []Span
	for t, limit := from.Unix(), to.Unix(); ; {
		open, ok := s.next(m, t)
		if !ok || open >= limit {
			return spans
		}
		t = min(s.until(m, open), limit)
		if n := len(spans); n > 0 && spans[n-1].End.Unix() == open {
			spans[n-1].End = at(t) // a run that until had cut
			continue
		}
		spans = append(spans, span{open, t}.export())
	}
}

// AllSpans is Spans for each mode that is served at all. Modes that the same restrictions refuse
// share the same spans, which are then found once.
func (s *Shop) AllSpans(from, to time.Time) map[Mode][]Span {
	window := span{from.Unix(), to.Unix()}
	all := map[Mode][]Span{}
	known := map[string][]Span{}
	for _, m := range Modes {
		if !s.serves(m) {
			continue
		}
		against := make([]byte, len(s.Restrictions))
		for i := range s.Restrictions {
			if r := &s.Restrictions[i]; !r.Allows(m) && r.block().meets(window) && r.Touches(&s.Place) {
				against[i] = 1
			}
		}
		spans, ok := known[string(against)]
		if !ok {
			spans = s.Spans(m, from, to)
			known[string(against)] = spans
		}
		if len(spans) > 0 {
			all[m] = spans
		}
	}
	return all
}

// StatusAt is what the door says of a mode at an instant.
func (s *Shop) StatusAt(m Mode, t time.Time) Status {
	now := t.Unix()
	open, ok := s.next(m, now)
	var st Status
	switch {
	case ok && open == now:
		st.Open = true
		if closes := s.until(m, now); closes-now < alwaysOpen {
			st.Until = at(closes)
		}
	case ok:
		next := span{open, s.until(m, open)}.export()
		st.Refusal = s.whyClosed(m, now)
		st.Refusal.Next = &next
	default:
		st.Refusal = s.whyClosed(m, now)
	}
	st.Text = st.text(s, m, t)
	return st
}

// NextSwitch is the first instant after t at which OpenAt or RegimeAt may answer otherwise
// than at t, for any mode: how long such an answer may be kept. It is false when none comes.
func (s *Shop) NextSwitch(t time.Time) (time.Time, bool) {
	now, first := t.Unix(), int64(forever)
	for _, m := range Modes {
		open, ok := s.next(m, now)
		if ok && open == now {
			open = s.until(m, now)
		}
		if ok {
			first = min(first, open)
		}
	}
	for i := range s.Restrictions {
		if r := &s.Restrictions[i]; r.Touches(&s.Place) {
			first = min(first, r.block().boundary(now))
		}
	}
	return at(first), first != forever
}

// boundary is the first end of a block after t.
func (s span) boundary(t int64) int64 {
	switch {
	case s.from > t:
		return s.from
	case s.to > t:
		return s.to
	}
	return forever
}

// next is the first instant from t on at which a mode is served: in an opening and in no
// block. It steps over openings and blocks, never minute by minute.
func (s *Shop) next(m Mode, t int64) (int64, bool) {
	if !s.serves(m) {
		return 0, false
	}
	for {
		open, ok := s.Hours.next(t)
		if !ok {
			return 0, false
		}
		t = s.unblocked(m, open)
		if t == open {
			return open, true
		}
		if t == forever {
			return 0, false
		}
	}
}

// until is the end of the time served that t, an open instant, lies in.
func (s *Shop) until(m Mode, t int64) int64 {
	run := s.Hours.until(t)
	for i := range s.Closures {
		run = min(run, s.Closures[i].block().boundary(t))
	}
	for i := range s.Restrictions {
		if r := &s.Restrictions[i]; !r.Allows(m) && r.Touches(&s.Place) {
			run = min(run, r.block().boundary(t))
		}
	}
	return run
}

// unblocked is t, or the end of a block that t lies in.
func (s *Shop) unblocked(m Mode, t int64) int64 {
	now := span{t, t + 1}
	for i := range s.Closures {
		if b := s.Closures[i].block(); b.meets(now) {
			return b.to
		}
	}
	for i := range s.Restrictions {
		if r := &s.Restrictions[i]; !r.Allows(m) && r.block().meets(now) && r.Touches(&s.Place) {
			return r.block().to
		}
	}
	return t
}

// serves tells whether a mode can be had at all: a visit always, an order where offered.
func (s *Shop) serves(m Mode) bool { return m == Visit || s.offer(m) != nil }

// whyClosed explains an instant at which a mode is not served.
func (s *Shop) whyClosed(m Mode, t int64) *Refusal {
	if !s.serves(m) {
		return refuse(ModeNotOffered, "La boutique ne propose pas %s.", modeNames[m])
	}
	if r := s.blocked(m, span{t, t + 1}); r != nil {
		return r
	}
	date := dateOf(t)
	switch special := s.special(date); {
	case special != nil && len(special.Openings) == 0:
		return refuse(InClosure, "Fermé %s%s.", onDate(date), brackets(special.Reason))
	case special != nil:
		return refuse(Closed, "La boutique est fermée à cette heure.")
	}
	if holiday, closed := s.holiday(date); closed {
		return refuse(OnHoliday, "Fermé %s%s.", onDate(date), brackets(holiday.Name()))
	}
	return refuse(Closed, "La boutique est fermée à cette heure.")
}

// blocked explains what stops a mode at some instant of a span, hours apart; nil: nothing.
func (s *Shop) blocked(m Mode, in span) *Refusal {
	if r := s.refusing(m, in); r != nil {
		refusal := refuse(Restricted, "%s%s%s.", restrictedNames[m], untilText(r.Until), brackets(r.Title))
		refusal.Restriction = r
		return refusal
	}
	if c := s.closure(in); c != nil {
		return refuse(InClosure, "Fermé%s%s.", untilText(c.Until), brackets(c.Reason))
	}
	return nil
}

// HandOver says what stands against handing over an order without a slot: nil, or the closure or
// the restriction in whose time the shop would open, by its hours, first after it has had its
// lead time since the order was placed. That the shop is closed at night is no reason: an order
// waits for the morning. Checkout asks it with placed equal to now.
func (s *Shop) HandOver(m Mode, placed, now time.Time) *Refusal {
	t := now.Unix()
	if o := s.offer(m); o != nil {
		t = max(t, placed.Unix()+int64(o.Lead/time.Second))
	}
	open, ok := s.Hours.next(t)
	if !ok {
		return nil
	}
	refusal := s.blocked(m, span{open, open + 1})
	if refusal == nil {
		return nil
	}
	if next, ok := s.next(m, open); ok {
		found := span{next, s.until(m, next)}.export()
		refusal.Next = &found
	}
	return refusal
}
