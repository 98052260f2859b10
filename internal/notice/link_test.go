package notice_test

import (
	"strings"
	"testing"

	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/tenancy"
)

// A message to a shop has the link that opens its order; one to the customer has none.
func TestTheShopsLink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.notices.ShopLinks = identity.NewShopLinks(tenancy.NewRegister(b.DB), fixture.Secret)
	b.run(t)
	order := b.order(t, fixture.OrderOpts{})
	for _, template := range []string{"shop_order_new", "shop_order_reminder", "shop_delivery_open", "shop_change_confirmed", "shop_order_withdrawn", "order_placed"} {
		before := len(b.sink.Mails())
		b.queue(t, template, order)
		eventually(t, template, func() bool { return len(b.sink.Mails()) > before })
		mails := b.sink.Mails()
		newest := mails[0]
		for _, m := range mails {
			if m.Number > newest.Number {
				newest = m
			}
		}
		_, after, has := strings.Cut(newest.Text, "https://halles.bzh/comptoir/commande#")
		if want := template != "order_placed"; has != want {
			t.Errorf("%s has a link: %t", template, has)
			continue
		}
		if !has {
			continue
		}
		link, _, _ := strings.Cut(after, "\n")
		open, err := b.notices.ShopLinks.Open(t.Context(), strings.TrimSpace(link))
		if err != nil || open.Order != order || !open.Merchant.Runs(b.shop) {
			t.Errorf("%s: %v %+v", template, err, open)
		}
		if !strings.Contains(newest.HTML, `<a href="https://halles.bzh/comptoir/commande#`) {
			t.Errorf("%s: its HTML has no link", template)
		}
	}
}
