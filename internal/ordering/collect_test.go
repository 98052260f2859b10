package ordering_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/ordering"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestTheCodeAtTheDoor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	shop := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop)
	variants := fixture.Product(t, b.Database, shop, fixture.ProductOpts{}).Variants
	for _, byShop := range []bool{false, true} {
		orders, _ := b.place(t, b.visitor, basket(pickup(shop, variants...)))
		id, code := orders[0].ID(), orders[0].Code
		in := ordering.CollectInput{Order: &id}
		if byShop {
			in = ordering.CollectInput{Shop: &shop}
		}
		say := func(code string) *ordering.ChangePayload {
			t.Helper()
			in.Code = &code
			answer, err := b.Collect(t.Context(), merchant, in)
			if err != nil {
				t.Fatal(err)
			}
			return answer
		}
		if early := say(code); len(early.Refusals) != 1 || early.Refusals[0].Code != ordering.IllegalTransition {
			t.Errorf("before it is ready: %+v", early)
		}
		for _, a := range []ordering.Action{ordering.Accept, ordering.MarkReady} {
			if _, err := b.Do(t.Context(), merchant, a, ordering.ChangeInput{Order: id}); err != nil {
				t.Fatal(err)
			}
		}
		for _, said := range []string{"", "ZZZ999", code[:5]} {
			if answer := say(said); len(answer.Refusals) != 1 || answer.Refusals[0].Code != ordering.WrongCode || (answer.Order == nil) != byShop {
				t.Errorf("%q: %+v", said, answer)
			}
		}
		if answer := say(" " + strings.ToLower(code[:3]) + "-" + code[3:] + " "); len(answer.Refusals) > 0 || answer.Order.Status != ordering.Collected {
			t.Errorf("%q: %+v", code, answer)
		}
		b.Exec(t, `delete from wrong_codes`)
	}
	other := fixture.Viewer(t, b.Database, identity.Merchant, fixture.Shop(t, b.Database, fixture.ShopOpts{}))
	for name, c := range map[string]struct {
		v    *identity.Viewer
		in   ordering.CollectInput
		kind fault.Kind
	}{
		"Neither":      {merchant, ordering.CollectInput{Code: p("KRT482")}, fault.Invalid},
		"ShopAlone":    {merchant, ordering.CollectInput{Shop: &shop}, fault.Invalid},
		"AnothersShop": {other, ordering.CollectInput{Shop: &shop, Code: p("KRT482")}, fault.NotFound},
		"Agent":        {fixture.Viewer(t, b.Database, identity.Agent, shop), ordering.CollectInput{Shop: &shop, Code: p("KRT482")}, fault.Forbidden},
		"Visitor":      {b.visitor, ordering.CollectInput{Shop: &shop, Code: p("KRT482")}, fault.Unauthenticated},
	} {
		if _, err := b.Collect(t.Context(), c.v, c.in); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Ten wrong codes are looked at, whichever server is asked; then one every six seconds. The right
// one is not looked at either meanwhile, and costs nothing when it is.
func TestTenWrongCodesAMinute(t *testing.T) {
	t.Parallel()
	b := setup(t, pgtest.Crowd)
	now := time.Now().UTC().Truncate(time.Microsecond)
	b.clock(now)
	shop, quiet := fixture.Shop(t, b.Database, fixture.ShopOpts{}), fixture.Shop(t, b.Database, fixture.ShopOpts{})
	merchant := fixture.Viewer(t, b.Database, identity.Merchant, shop, quiet)
	variants := fixture.Product(t, b.Database, shop, fixture.ProductOpts{Stock: 100}).Variants
	ready := func() *ordering.Order {
		t.Helper()
		orders, _ := b.place(t, b.visitor, basket(pickup(shop, variants...)))
		b.Exec(t, `update orders set status = 'READY' where id = $1`, orders[0].Row)
		return orders[0]
	}
	say := func(o *ordering.Ordering, shop tenancy.ID, code string) ordering.RefusalCode {
		answer, err := o.Collect(context.Background(), merchant, ordering.CollectInput{Shop: &shop, Code: &code})
		switch {
		case err != nil:
			t.Error(err)
		case len(answer.Refusals) > 0:
			return answer.Refusals[0].Code
		}
		return ""
	}
	for range 12 { // who hands over all day is not stopped
		if got := say(b.Ordering, shop, ready().Code); got != "" {
			t.Fatalf("a right code: %s", got)
		}
	}
	second := ordering.New(b.Database.DB, b.Cursors, b.Guests) // another server
	second.Now = b.Now
	var looked, stopped atomic.Int64
	together(60, func(i int) {
		o := b.Ordering
		if i%2 == 0 {
			o = second
		}
		switch got := say(o, shop, "ZZZ999"); got {
		case ordering.WrongCode:
			looked.Add(1)
		case ordering.TooManyCodes:
			stopped.Add(1)
		default:
			t.Errorf("a wrong code: %q", got)
		}
	})
	if looked.Load() != 10 || stopped.Load() != 50 {
		t.Errorf("%d codes were looked at, %d stopped", looked.Load(), stopped.Load())
	}
	right := ready().Code
	if got := say(b.Ordering, shop, right); got != ordering.TooManyCodes {
		t.Errorf("the right code among guesses: %q", got)
	}
	if got := say(b.Ordering, quiet, "ZZZ999"); got != ordering.WrongCode {
		t.Errorf("at another shop: %q", got)
	}
	b.clock(now.Add(6 * time.Second))
	if got := say(b.Ordering, shop, right); got != "" {
		t.Errorf("six seconds later: %q", got)
	}
	if n := pgtest.Scan[int](t, b.Database, `select count(*) from orders where status = 'COLLECTED'`); n != 13 {
		t.Errorf("%d orders were handed over", n)
	}
}

// The symbol is a document of its own, of the size of 21 modules and a quiet zone of four.
func TestTheCodeAsASymbol(t *testing.T) {
	t.Parallel()
	c := ordering.PickupCode{Text: "KRT482"}
	svg, err := c.QR()
	if err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
	}
	for _, want := range []string{`viewBox="0 0 29 29"`, `Code de retrait KRT482`, "M4 4h7v1h-7z"} { // a finder's top edge
		if !strings.Contains(svg, want) {
			t.Errorf("no %q in %s", want, svg)
		}
	}
	other := ordering.PickupCode{Text: "KRT483"}
	if again, err := other.QR(); err != nil || again == svg {
		t.Errorf("%v: another code has the same symbol", err)
	}
}
