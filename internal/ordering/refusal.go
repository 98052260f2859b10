package ordering

import "github.com/audelor/halles/internal/calendar"

// Refusal is a no of the business: nothing was changed, and it says what to do instead.
type Refusal struct {
	Code      RefusalCode
	Message   string   // a French sentence, to show
	Path      []string // the argument that it is about, from the field
	Available *int     // pieces that can be ordered now; 5 is 5 or more

	Next        *calendar.Span        // the next time that a hand-over is possible; of a slot: the next slot
	Restriction *calendar.Restriction // the one behind RESTRICTION
}

// RefusalCode is a Refusal for programs.
type RefusalCode string

// The refusals.
const (
	ShopUnavailable   RefusalCode = "SHOP_UNAVAILABLE"
	OrdersPaused      RefusalCode = "ORDERS_PAUSED"
	ModeNotOffered    RefusalCode = "MODE_NOT_OFFERED"
	Restricted        RefusalCode = "RESTRICTION"    // as calendar's, and so the next
	ShopInClosure     RefusalCode = "CLOSURE"        //
	SlotPast          RefusalCode = "PAST"           //
	BeyondHorizon     RefusalCode = "BEYOND_HORIZON" //
	OnHoliday         RefusalCode = "HOLIDAY"        //
	OutOfHours        RefusalCode = "CLOSED"         //
	NoSuchSlot        RefusalCode = "NO_SUCH_SLOT"   //
	TooSoon           RefusalCode = "TOO_SOON"       //
	PastCutOff        RefusalCode = "PAST_CUT_OFF"   //
	SlotClosed        RefusalCode = "SLOT_CLOSED"    //
	SlotFull          RefusalCode = "FULL"           //
	SlotRequired      RefusalCode = "SLOT_REQUIRED"  //
	AddressRequired   RefusalCode = "ADDRESS_REQUIRED"
	AddressUnknown    RefusalCode = "ADDRESS_UNKNOWN"
	OutOfPerimeter    RefusalCode = "OUT_OF_PERIMETER"
	BelowMinimum      RefusalCode = "BELOW_MINIMUM"
	UnknownVariant    RefusalCode = "UNKNOWN_VARIANT"
	OutOfStock        RefusalCode = "OUT_OF_STOCK"
	OnPause           RefusalCode = "ON_PAUSE"
	PriceChanged      RefusalCode = "PRICE_CHANGED"
	IllegalTransition RefusalCode = "ILLEGAL_TRANSITION"
	WrongCode         RefusalCode = "WRONG_CODE"
	TooManyCodes      RefusalCode = "TOO_MANY_CODES"
	NotAChange        RefusalCode = "NOT_A_CHANGE"
	ChangeReplaced    RefusalCode = "CHANGE_REPLACED"
)
