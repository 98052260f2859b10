package identity_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func some(text string) *string { return &text }

// A commune's people change its settings, one after the other, and nobody else's.
func TestCommuneSettings(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, pgtest.Crowd)
	communes := tenancy.NewRegister(d.DB)
	s := &identity.Settings{DB: d.DB, Communes: communes, Now: time.Now}
	shop := fixture.Shop(t, d, fixture.ShopOpts{})
	agent, admin, hotline := fixture.Viewer(t, d, identity.Agent, lorient), fixture.Viewer(t, d, identity.Admin), fixture.Viewer(t, d, identity.Hotline)
	empty, err := s.Of(t.Context(), agent, lorient)
	if err != nil || empty.Version != 0 || empty.UpdatedAt != nil || empty.PausedAt != nil || empty.CommuneID != fixture.Lorient {
		t.Fatalf("%v %+v", err, empty)
	}
	first, err := s.Set(t.Context(), agent, identity.SetCommuneSettingsInput{
		Commune: lorient, OfficeName: some("  Service commerce "), OfficeEmail: some("commerce@lorient.bzh"), OfficePhone: some("02 97 02 22 00"),
		OpeningText: some("Bienvenue\nchez vos commerçants."), Website: some("https://www.lorient.bzh/"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if now := first.Settings; now.Version != 1 || *now.OfficeName != "Service commerce" || *now.OfficePhone != "+33297022200" || *now.Website != "https://www.lorient.bzh/" {
		t.Errorf("%+v", now)
	}
	if read, err := s.Of(t.Context(), hotline, lorient); err != nil || *read.OfficeEmail != "commerce@lorient.bzh" {
		t.Errorf("the hotline reads %v %+v", err, read)
	}
	// Of several that have read the same version one changes it.
	var wait sync.WaitGroup
	kinds := make([]fault.Kind, 6)
	for i := range kinds {
		wait.Go(func() {
			_, err := s.Set(t.Context(), agent, identity.SetCommuneSettingsInput{Commune: lorient, Version: 1, OpeningText: some("x")})
			kinds[i] = kindOf(err)
		})
	}
	wait.Wait()
	won := 0
	for _, k := range kinds {
		if k == "" {
			won++
		} else if k != fault.Conflict {
			t.Errorf("raced: %s", k)
		}
	}
	if won != 1 {
		t.Errorf("%d changed version 1", won)
	}
	if read, err := s.Of(t.Context(), admin, lorient); err != nil || read.Version != 2 || read.OfficeName != nil || read.Website != nil || *read.OpeningText != "x" {
		t.Errorf("after it %v %+v", err, read)
	}
	for name, c := range map[string]struct {
		in identity.SetCommuneSettingsInput
		at string
	}{
		"StaleVersion":   {identity.SetCommuneSettingsInput{Version: 1}, "input version"},
		"NotAnAddress":   {identity.SetCommuneSettingsInput{Version: 2, OfficeEmail: some("commerce")}, "input officeEmail"},
		"NamedAddress":   {identity.SetCommuneSettingsInput{Version: 2, OfficeEmail: some("X <a@b.fr>")}, "input officeEmail"},
		"NotANumber":     {identity.SetCommuneSettingsInput{Version: 2, OfficePhone: some("12")}, "input officePhone"},
		"NotHTTPS":       {identity.SetCommuneSettingsInput{Version: 2, Website: some("http://lorient.bzh")}, "input website"},
		"Script":         {identity.SetCommuneSettingsInput{Version: 2, Website: some("javascript:alert(1)")}, "input website"},
		"TextTooLong":    {identity.SetCommuneSettingsInput{Version: 2, OpeningText: some(strings.Repeat("é", 1001))}, "input openingText"},
		"Control":        {identity.SetCommuneSettingsInput{Version: 2, OpeningText: some("a\x00b")}, "input openingText"},
		"NameTooLong":    {identity.SetCommuneSettingsInput{Version: 2, OfficeName: some(strings.Repeat("a", 101))}, "input officeName"},
		"CommuneIsAShop": {identity.SetCommuneSettingsInput{Commune: shop}, "input commune"},
	} {
		if c.in.Commune.Kind == "" {
			c.in.Commune = lorient
		}
		_, err := s.Set(t.Context(), agent, c.in)
		if f := fault.Of(err); f == nil || strings.Join(f.Path, " ") != c.at || f.Kind != map[bool]fault.Kind{true: fault.Conflict, false: fault.Invalid}[name == "StaleVersion"] {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		v    *identity.Viewer
		want fault.Kind
	}{
		"Visitor": {fixture.Viewer(t, d, identity.Visitor), fault.Unauthenticated}, "Customer": {fixture.Viewer(t, d, identity.Customer), fault.Forbidden},
		"Merchant": {fixture.Viewer(t, d, identity.Merchant, shop), fault.Forbidden}, "Analyst": {fixture.Viewer(t, d, identity.Analyst), fault.Forbidden},
		"AnotherAgent": {fixture.Viewer(t, d, identity.Agent, groix), fault.Forbidden}, "Hotline": {hotline, fault.Forbidden},
	} {
		_, set := s.Set(t.Context(), c.v, identity.SetCommuneSettingsInput{Commune: lorient, Version: 2})
		_, pause := s.Pause(t.Context(), c.v, identity.PauseOrdersInput{Commune: lorient, Text: "x"})
		_, resume := s.Resume(t.Context(), c.v, identity.ResumeOrdersInput{Commune: lorient})
		_, merge := s.Merge(t.Context(), c.v, identity.MergeCommuneInput{Commune: lorient})
		_, of := s.Of(t.Context(), c.v, lorient)
		for what, err := range map[string]error{"set": set, "pause": pause, "resume": resume, "merge": merge, "read": of} {
			if got := kindOf(err); got != c.want && !(what == "read" && name == "Hotline" && got == "") {
				t.Errorf("%s may %s: %v", name, what, err)
			}
		}
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from audit_events where action = 'COMMUNE_SETTINGS'`); n != 2 {
		t.Errorf("%d entries for two changes", n)
	}
}

// A pause is noted once, told to everybody and ended; a merger is noted by admins.
func TestPauseAndMerge(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	communes := tenancy.NewRegister(d.DB)
	s := &identity.Settings{DB: d.DB, Communes: communes, Now: time.Now}
	agent, admin, visitor := fixture.Viewer(t, d, identity.Agent, lorient), fixture.Viewer(t, d, identity.Admin), fixture.Viewer(t, d, identity.Visitor)
	told := func() *identity.CommuneNotice {
		t.Helper()
		found, err := s.NoticesOf(t.Context(), visitor, []tenancy.ID{lorient, groix})
		if err != nil || found[groix].PausedAt != nil {
			t.Fatalf("%v %+v", err, found[groix])
		}
		return found[lorient]
	}
	pause := func(text string) error {
		_, err := s.Pause(t.Context(), agent, identity.PauseOrdersInput{Commune: lorient, Text: text})
		return err
	}
	if _, err := s.Resume(t.Context(), agent, identity.ResumeOrdersInput{Commune: lorient}); err != nil || told().PausedAt != nil {
		t.Errorf("resumed what went on: %v", err)
	}
	if err := pause("Tempête."); err != nil {
		t.Fatal(err)
	}
	since := told().PausedAt
	if err := errors.Join(pause("Tempête."), pause("Tempête Alex.")); err != nil || *told().PauseText != "Tempête Alex." || !told().PausedAt.Equal(*since) {
		t.Errorf("paused again: %v %+v", err, told())
	}
	for _, text := range []string{"", " \n", strings.Repeat("a", 301), "a\x07"} {
		if err := pause(text); !errors.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got, err := s.Resume(t.Context(), agent, identity.ResumeOrdersInput{Commune: lorient}); err != nil || got.Settings.Version != 3 || told().PausedAt != nil || told().PauseText != nil {
		t.Errorf("resumed: %v %+v", err, got)
	}
	merge := func(v *identity.Viewer, to *string) (*identity.MergeCommunePayload, error) {
		return s.Merge(t.Context(), v, identity.MergeCommuneInput{Commune: lorient, Successor: to})
	}
	for name, c := range map[string]struct {
		v    *identity.Viewer
		to   *string
		want fault.Kind
	}{
		"ByAnAgent": {agent, some("56999"), fault.Forbidden}, "NoCode": {admin, some("lorient"), fault.Invalid}, "Itself": {admin, some(fixture.Lorient), fault.Invalid},
	} {
		if _, err := merge(c.v, c.to); kindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 {
		if got, err := merge(admin, some("56999")); err != nil || *got.Commune.CurrentInsee != "56999" || got.Commune.Insee != fixture.Lorient {
			t.Errorf("merged: %v %+v", err, got)
		}
	}
	if got, err := merge(admin, nil); err != nil || got.Commune.CurrentInsee != nil {
		t.Errorf("stands again: %v %+v", err, got)
	}
	if log := pgtest.Scan[string](t, d, `select string_agg(action, ' ' order by seq) from audit_events where commune_id = '56121'`); log != "ORDERS_PAUSE ORDERS_PAUSE ORDERS_RESUME COMMUNE_MERGE COMMUNE_MERGE" {
		t.Error(log)
	}
	if n, err := (&identity.Audit{DB: d.DB, Cursors: page.NewSealer(fixture.Secret)}).Broken(t.Context(), fixture.Lorient); n != 0 || err != nil {
		t.Errorf("the log is broken at %d, %v", n, err)
	}
}
