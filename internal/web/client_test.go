package web_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/audelor/halles/graph/graphtest/client"
)

// A program of another's finds a shop, orders there, follows the order over a socket and calls it
// off, through a client made from the schema and the registered documents.
func TestTypedClient(t *testing.T) {
	t.Parallel()
	s := start(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.web.Run(ctx)
	}()
	defer func() { stop(); <-ended }()
	url := s.URL + "/graphql"
	visitor := client.HTTP(url, "")

	communes, err := client.Communes(ctx, visitor)
	if err != nil || len(communes.Communes) != 25 {
		t.Fatalf("%d communes: %v", len(communes.Communes), err)
	}
	shops, err := client.Shops(ctx, visitor, nil, &client.GeoPointInput{Latitude: 47.75, Longitude: -3.37}, nil, 5, nil)
	if err != nil || len(shops.Shops.Edges) != 1 || shops.Shops.Edges[0].DistanceMetres == nil || shops.Shops.Edges[0].Node.Name != "Crêperie du Port" {
		t.Fatalf("shops %+v: %v", shops, err)
	}
	shop, err := client.WidgetShop(ctx, visitor, shops.Shops.Edges[0].Node.Id, 5)
	if err != nil || shop.Shop.Products.Nodes[0].Variants[0].Price.Cents != 1290 {
		t.Fatalf("shop %+v: %v", shop, err)
	}
	name, phone := "Anna Le Goff", "06 12 34 56 78"
	placed, err := client.PlaceOrders(ctx, visitor, client.PlaceOrdersInput{
		IdempotencyKey: uuid.NewString(), Contact: &client.OrderContactInput{Name: &name, Phone: &phone},
		Orders: []client.ShopBasket{{Shop: shop.Shop.Id, Mode: client.FulfilmentModePickup, Lines: []client.BasketLine{{Variant: shop.Shop.Products.Nodes[0].Variants[0].Id, Quantity: 2}}}},
	})
	if err != nil || placed.PlaceOrders.Results[0].Order == nil {
		t.Fatalf("placed %+v: %v", placed, err)
	}
	order := placed.PlaceOrders.Results[0].Order
	if order.Totals.Total.Cents != 2580 || order.Status != client.OrderStatusPlaced {
		t.Errorf("placed %+v", order)
	}
	session, err := client.OpenLink(ctx, visitor, client.ExchangeGuestLinkInput{Secret: *placed.PlaceOrders.GuestSecret})
	if err != nil {
		t.Fatal(err)
	}
	guest := client.HTTP(url, session.ExchangeGuestLink.Token)

	socket := client.Socket("ws"+url[len("http"):], session.ExchangeGuestLink.Token)
	broken, err := socket.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	events, _, err := client.FollowOrder(ctx, socket, order.Id, nil)
	if err != nil {
		t.Fatal(err)
	}
	next := func(want client.OrderEventKind) {
		t.Helper()
		select {
		case e := <-events:
			if e.Errors != nil || e.Data.OrderUpdated.Kind != want || e.Data.OrderUpdated.Cursor == "" {
				t.Errorf("%+v (%v), want %s", e.Data, e.Errors, want)
			}
		case err := <-broken:
			t.Fatal(err)
		case <-time.After(10 * time.Second):
			t.Fatalf("no event %s", want)
		}
	}
	next(client.OrderEventKindPlaced)
	cancelled, err := client.CancelOrder(ctx, guest, client.CancelOrderInput{Order: order.Id, Reason: client.OrderReasonChangedMind})
	if err != nil || cancelled.CancelOrder.Order.Status != client.OrderStatusCancelled {
		t.Errorf("cancelled %+v: %v", cancelled, err)
	}
	next(client.OrderEventKindCancelled)
	mine, err := client.MyOrders(ctx, guest, 10, nil)
	if err != nil || mine.Viewer.Kind != client.ViewerKindGuest || len(mine.Viewer.Orders.Nodes) != 1 {
		t.Errorf("mine %+v: %v", mine, err)
	}
}
