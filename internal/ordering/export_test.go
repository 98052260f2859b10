package ordering

import "time"

// RecheckEvery is how often a server asks for the rights of running subscriptions.
const RecheckEvery = recheckEvery

// What every change of an order ends with.
var (
	AppendEventTx = appendEventTx
	AppendArgs    = (*Event).appendArgs
)

// AppendEvent is the same as a statement for a batch.
const AppendEvent = appendEvent

// PollNever leaves the feed to its wake-ups.
func (f *Feed) PollNever() { f.pollEvery = 24 * time.Hour }

// Ended tells whether the stream has ended, whether or not anybody reads it.
func (s *Stream) Ended() bool {
	over, _ := s.reader.ended()
	return over
}

// Followed is how many communes the feed follows, and how many seats their readers hold.
func (f *Feed) Followed() (communes, seats int) {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	for _, t := range f.hub.tails {
		seats += len(t.seats)
	}
	return len(f.hub.tails), seats
}
