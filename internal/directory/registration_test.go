package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/audelor/halles/internal/directory"
	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/page"
	"github.com/audelor/halles/internal/patch"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

var (
	lorient = tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}
	groix   = tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Groix}
)

func newRegistrations(d *pgtest.Database) *directory.Registrations {
	return directory.NewRegistrations(d.DB, tenancy.NewRegister(d.DB), page.NewSealer(fixture.Secret), identity.NewMembers(d.DB, tenancy.NewRegister(d.DB), fixture.Secret), fixture.Secret)
}

// siretNumber is the nth fictitious SIRET that is well formed.
func siretNumber(n int) directory.Siret {
	for check := range 10 {
		if s := directory.Siret(fmt.Sprintf("000%010d%d", 900000+n, check)); s.Valid() {
			return s
		}
	}
	panic("no check digit")
}

// complete is all that a dossier needs.
func complete(n int) *directory.RegistrationAnswers {
	version := directory.CurrentConsent().Version
	return &directory.RegistrationAnswers{
		Siret: patch.To(siretNumber(n)), Name: patch.To("Chez Ève"), Category: patch.To(tenancy.ID{Kind: tenancy.KindCategory, Name: "librairie"}),
		Street: patch.To(fmt.Sprintf("%d rue du Port", n+1)), Postcode: patch.To("56100"), City: patch.To("Lorient"),
		ContactName: patch.To("Ève Le Goff"), ContactPhone: patch.To(fmt.Sprintf("06 39 98 %02d %02d", n/100%100, n%100)), Consent: &version,
	}
}

func codes(p *directory.RegistrationPayload) []directory.DirectoryRefusalCode {
	list := []directory.DirectoryRefusalCode{}
	for _, r := range p.Refusals {
		list = append(list, r.Code)
	}
	return list
}

// Two operators who enter the same SIRET at the same moment come to one dossier.
func TestTwoOperatorsOneDossier(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, pgtest.Crowd)
	r := newRegistrations(d)
	operators := []*identity.Viewer{fixture.Viewer(t, d, identity.Hotline), fixture.Viewer(t, d, identity.Hotline)}
	communes := []tenancy.ID{lorient, groix}
	rounds := 40
	for n := range rounds {
		got := make([]*directory.RegistrationPayload, len(operators))
		begin := make(chan struct{})
		var wait sync.WaitGroup
		for i, v := range operators {
			wait.Go(func() {
				<-begin
				var err error
				// In every second round they do not even agree on the commune.
				got[i], err = r.Start(t.Context(), v, directory.StartRegistrationInput{
					Commune: communes[i*n%2], Answers: &directory.RegistrationAnswers{Siret: patch.To(siretNumber(n))},
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		wait.Wait()
		if t.Failed() {
			return
		}
		a, b := got[0], got[1]
		if a.Registration == nil || b.Registration == nil || a.Registration.ID() != b.Registration.ID() || a.Existed == b.Existed {
			t.Fatalf("round %d: %+v and %+v", n, a, b)
		}
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from registrations`); n != rounds {
		t.Errorf("%d dossiers of %d SIRETs", n, rounds)
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from siret_holders h join registrations r on (r.commune_id, r.id, r.siret) = (h.commune_id, h.holder_id, h.siret)`); n != rounds {
		t.Errorf("%d holders of %d SIRETs", n, rounds)
	}
}

// A visitor's dossier is kept at each answer, and found again with its secret only.
func TestInterruptedDossierResumes(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	r := newRegistrations(d)
	now := time.Now()
	r.Now = func() time.Time { return now }
	visitor := fixture.Viewer(t, d, identity.Visitor)
	begun, err := r.Start(t.Context(), visitor, directory.StartRegistrationInput{Commune: lorient})
	if err != nil || begun.ResumeSecret == nil || begun.Registration.Channel != directory.FromWeb {
		t.Fatalf("%+v, %v", begun, err)
	}
	id, secret := begun.Registration.ID(), begun.ResumeSecret
	save := func(a directory.RegistrationAnswers) *directory.RegistrationPayload {
		t.Helper()
		p, err := r.Save(t.Context(), visitor, directory.SaveRegistrationInput{Registration: id, Secret: secret, Answers: &a})
		if err != nil || len(p.Refusals) > 0 {
			t.Fatalf("%+v, %v", p, err)
		}
		return p
	}
	save(directory.RegistrationAnswers{Name: patch.To("  L'Échoppe "), Phone: patch.To("02 97 12 34 56")})
	now = now.Add(29 * 24 * time.Hour)
	save(directory.RegistrationAnswers{Siret: patch.To(siretNumber(1)), Website: patch.To("https://exemple.bzh")})
	save(directory.RegistrationAnswers{Website: patch.Null[string]()})
	now = now.Add(29 * 24 * time.Hour) // 58 days after the start, 29 after the last answer

	p, err := r.Resume(t.Context(), visitor, directory.ResumeRegistrationInput{Secret: *secret})
	if err != nil {
		t.Fatal(err)
	}
	got := p.Registration
	if got.ID() != id || *got.Name != "L'Échoppe" || *got.Phone != "+33297123456" || *got.Siret != siretNumber(1) || got.Website != nil || got.Version != 4 {
		t.Errorf("resumed: %+v", got)
	}
	if want := []string{"category", "street", "postcode", "city", "contactName", "contactPhone", "consent"}; !slices.Equal(got.Missing(), want) {
		t.Errorf("missing: %v", got.Missing())
	}
	submitted, err := r.Submit(t.Context(), visitor, directory.SubmitRegistrationInput{Registration: id, Secret: secret})
	if err != nil || len(submitted.Refusals) != 7 || submitted.Registration.Status != directory.Started {
		t.Errorf("submitted: %+v, %v", submitted, err)
	}
	save(*complete(1))
	if submitted, err = r.Submit(t.Context(), visitor, directory.SubmitRegistrationInput{Registration: id, Secret: secret}); err != nil || len(submitted.Refusals) != 0 || submitted.Registration.Status != directory.Submitted {
		t.Errorf("submitted: %+v, %v", submitted, err)
	}

	other, err := r.Start(t.Context(), visitor, directory.StartRegistrationInput{Commune: groix})
	if err != nil {
		t.Fatal(err)
	}
	_, random, _ := strings.Cut(*secret, ".")
	var words string
	for name, s := range map[string]string{
		"Wrong": "56121." + strings.Repeat("A", 43), "Foreign": "56069." + random, "NoCommune": random, "Nowhere": "99999." + random, "Empty": "", "Cut": (*secret)[:20],
	} {
		_, err := r.Resume(t.Context(), visitor, directory.ResumeRegistrationInput{Secret: s})
		if !errors.Is(err, fault.NotFound) || words != "" && err.Error() != words {
			t.Errorf("%s: %v", name, err)
		}
		words = err.Error()
	}
	now = now.Add(31 * 24 * time.Hour)
	if _, err := r.Resume(t.Context(), visitor, directory.ResumeRegistrationInput{Secret: *secret}); err == nil || err.Error() != words {
		t.Errorf("expired: %v", err)
	}
	// A dossier is not found by its id, nor with another's secret; not even by its own, once it has expired.
	for name, in := range map[string]directory.SaveRegistrationInput{
		"NoSecret": {Registration: id}, "Another's": {Registration: id, Secret: other.ResumeSecret}, "Expired": {Registration: id, Secret: secret},
	} {
		if _, err := r.Save(t.Context(), visitor, in); !errors.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from registrations where resume_key::text like '%' || $1 || '%'`, random); n != 0 {
		t.Error("the secret is in the database")
	}
}

// Who is signed in finds the dossier by the account alone; who is not it, never.
func TestDossierOfAnAccount(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	r := newRegistrations(d)
	customer, other := fixture.Viewer(t, d, identity.Customer), fixture.Viewer(t, d, identity.Customer)
	p, err := r.Start(t.Context(), customer, directory.StartRegistrationInput{Commune: lorient, Answers: complete(1)})
	if err != nil || p.ResumeSecret != nil {
		t.Fatalf("%+v, %v", p, err)
	}
	id := p.Registration.ID()
	// Begun again with the same SIRET, it is the same.
	if again, err := r.Start(t.Context(), customer, directory.StartRegistrationInput{Commune: lorient, Answers: complete(1)}); err != nil || !again.Existed || again.Registration.ID() != id {
		t.Errorf("%+v, %v", again, err)
	}
	for name, c := range map[string]struct {
		v    *identity.Viewer
		want bool
	}{
		"Owner": {customer, true}, "AnotherCustomer": {other, false}, "Visitor": {fixture.Viewer(t, d, identity.Visitor), false},
		"Agent": {fixture.Viewer(t, d, identity.Agent, lorient), true}, "AgentOfAnotherCommune": {fixture.Viewer(t, d, identity.Agent, groix), false},
		"Hotline": {fixture.Viewer(t, d, identity.Hotline), true}, "Admin": {fixture.Viewer(t, d, identity.Admin), true},
		"Analyst": {fixture.Viewer(t, d, identity.Analyst), false}, "Merchant": {fixture.Viewer(t, d, identity.Merchant, fixture.Shop(t, d, fixture.ShopOpts{})), false},
	} {
		found, err := r.ByID(t.Context(), c.v, id)
		if (err == nil) != c.want || c.want && found.ID() != id || !c.want && !errors.Is(err, fault.NotFound) {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}

// A second dossier of a shop is found before there is one, by SIRET, phone and address; what is in
// a commune that the viewer does not serve is not told.
func TestDuplicatesAreFound(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	r := newRegistrations(d)
	hotline, agent, far := fixture.Viewer(t, d, identity.Hotline), fixture.Viewer(t, d, identity.Agent, lorient), fixture.Viewer(t, d, identity.Agent, groix)
	visitor := fixture.Viewer(t, d, identity.Visitor)
	first, err := r.Start(t.Context(), hotline, directory.StartRegistrationInput{Commune: lorient, Answers: complete(1)})
	if err != nil || first.Registration == nil {
		t.Fatalf("%+v, %v", first, err)
	}
	dossier := first.Registration.ID()
	shop := fixture.Shop(t, d, fixture.ShopOpts{Commune: fixture.Groix}) // 1 rue du Port, +33261910000
	shopSiret := directory.Siret(pgtest.Scan[string](t, d, `select siret from shops where id = $1`, shop.Row))
	const siret, twin = directory.SiretHeld, directory.PossibleDuplicate
	for name, c := range map[string]struct {
		v       *identity.Viewer
		commune tenancy.ID
		answers directory.RegistrationAnswers
		want    directory.DirectoryRefusalCode // "": begun, or found
		found   *tenancy.ID                    // that the viewer is led to
	}{
		"SiretOfADossierToStaff":    {agent, lorient, directory.RegistrationAnswers{Siret: patch.To(siretNumber(1))}, "", &dossier},
		"SiretOfADossierElsewhere":  {far, groix, directory.RegistrationAnswers{Siret: patch.To(siretNumber(1))}, siret, nil},
		"SiretOfADossierToAVisitor": {visitor, lorient, directory.RegistrationAnswers{Siret: patch.To(siretNumber(1))}, siret, nil},
		"SiretOfAShopToStaff":       {hotline, groix, directory.RegistrationAnswers{Siret: patch.To(shopSiret)}, siret, &shop},
		"SiretOfAShopElsewhere":     {agent, lorient, directory.RegistrationAnswers{Siret: patch.To(shopSiret)}, siret, nil},
		"PhoneOfADossier":           {hotline, groix, directory.RegistrationAnswers{Phone: patch.To("+33 6 39 98 00 01")}, twin, &dossier},
		"PhoneOfADossierElsewhere":  {far, groix, directory.RegistrationAnswers{ContactPhone: patch.To("06.39.98.00.01")}, twin, nil},
		"PhoneOfAShop":              {far, groix, directory.RegistrationAnswers{Phone: patch.To("02 61 91 00 00")}, twin, &shop},
		"AddressOfADossier":         {agent, lorient, directory.RegistrationAnswers{Street: patch.To("2, R. du PORT"), Postcode: patch.To("56100")}, twin, &dossier},
		"AddressMisspelt":           {agent, lorient, directory.RegistrationAnswers{Street: patch.To("2 rue du Porrt"), Postcode: patch.To("56100")}, twin, &dossier},
		"AddressToAVisitor":         {visitor, lorient, directory.RegistrationAnswers{Street: patch.To("2 rue du port"), Postcode: patch.To("56100")}, twin, nil},
		"AddressOfAShopElsewhere":   {agent, lorient, directory.RegistrationAnswers{Street: patch.To("1 rue du Port"), Postcode: patch.To("56590")}, twin, nil},
		"NeighbourIsAnother":        {agent, lorient, directory.RegistrationAnswers{Street: patch.To("4 rue du Port"), Postcode: patch.To("56100")}, "", nil},
		"AnotherStreet":             {agent, lorient, directory.RegistrationAnswers{Street: patch.To("2 rue de Verdun"), Postcode: patch.To("56100")}, "", nil},
	} {
		p, err := r.Start(t.Context(), c.v, directory.StartRegistrationInput{Commune: c.commune, Answers: &c.answers})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var led *tenancy.ID
		switch {
		case p.Existed:
			id := p.Registration.ID()
			led = &id
		case len(p.Refusals) > 0 && p.Refusals[0].Shop != nil:
			led = p.Refusals[0].Shop
		case len(p.Refusals) > 0:
			led = p.Refusals[0].Registration
		}
		if c.want == "" && len(p.Refusals) > 0 || c.want != "" && (len(p.Refusals) != 1 || p.Refusals[0].Code != c.want) {
			t.Errorf("%s: %+v", name, p.Refusals)
		}
		if (led == nil) != (c.found == nil) || led != nil && *led != *c.found {
			t.Errorf("%s is led to %v, want %v", name, led, c.found)
		}
		if c.want != "" && c.found == nil && !strings.Contains(p.Refusals[0].Message, "0 805 05 00 26") {
			t.Errorf("%s is told: %s", name, p.Refusals[0].Message)
		}
	}
	// Found while it goes on, nothing is saved.
	own, err := r.Start(t.Context(), agent, directory.StartRegistrationInput{Commune: lorient, Answers: &directory.RegistrationAnswers{Name: patch.To("Sans SIRET")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []directory.RegistrationAnswers{{Siret: patch.To(siretNumber(1)), Name: patch.To("X")}, {Phone: patch.To("0639980001"), Name: patch.To("X")}} {
		p, err := r.Save(t.Context(), agent, directory.SaveRegistrationInput{Registration: own.Registration.ID(), Answers: &a})
		if err != nil || len(p.Refusals) != 1 || *p.Refusals[0].Registration != dossier || *p.Registration.Name != "Sans SIRET" {
			t.Errorf("%+v, %v", p, err)
		}
	}
	// It is another shop all the same: a merchant has two with one telephone.
	yes := true
	if p, err := r.Start(t.Context(), visitor, directory.StartRegistrationInput{
		Commune: groix, AnotherShop: &yes, Answers: &directory.RegistrationAnswers{Phone: patch.To("06 39 98 00 01")},
	}); err != nil || len(p.Refusals) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// The commune is the first answer: another one begins a copy there and closes the dossier.
func TestCommuneChanges(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	r := newRegistrations(d)
	visitor, hotline := fixture.Viewer(t, d, identity.Visitor), fixture.Viewer(t, d, identity.Hotline)
	begun, err := r.Start(t.Context(), visitor, directory.StartRegistrationInput{Commune: lorient, Answers: complete(1)})
	if err != nil {
		t.Fatal(err)
	}
	first := begun.Registration.ID()
	moved, err := r.Save(t.Context(), visitor, directory.SaveRegistrationInput{
		Registration: first, Secret: begun.ResumeSecret, Commune: &groix, Answers: &directory.RegistrationAnswers{Postcode: patch.To("56590"), City: patch.To("Groix")},
	})
	if err != nil || len(moved.Refusals) > 0 {
		t.Fatalf("%+v, %v", moved, err)
	}
	c := moved.Registration
	if c.CommuneID != fixture.Groix || *c.Name != "Chez Ève" || *c.Postcode != "56590" || *c.Siret != siretNumber(1) || c.Consent() == nil || len(c.Missing()) != 0 {
		t.Errorf("the copy: %+v", c)
	}
	// Both secrets lead to the copy.
	for _, secret := range []*string{begun.ResumeSecret, moved.ResumeSecret} {
		p, err := r.Resume(t.Context(), visitor, directory.ResumeRegistrationInput{Secret: *secret})
		if err != nil || p.Registration.ID() != c.ID() {
			t.Errorf("%s leads to %+v, %v", *secret, p, err)
		}
	}
	was, err := r.ByID(t.Context(), hotline, first)
	if err != nil || was.Status != directory.Moved || *was.MovedTo() != c.ID() {
		t.Errorf("the first: %+v, %v", was, err)
	}
	if p, err := r.Save(t.Context(), hotline, directory.SaveRegistrationInput{Registration: first}); err != nil || !slices.Equal(codes(p), []directory.DirectoryRefusalCode{directory.DossierClosed}) {
		t.Errorf("%+v, %v", p, err)
	}
	if got := pgtest.Scan[string](t, d, `select commune_id || ' ' || holder_id from siret_holders where siret = $1`, siretNumber(1)); got != fixture.Groix+" "+c.Row.String() {
		t.Errorf("the SIRET is held by %s", got)
	}
	// And back: the secret goes along.
	back, err := r.Save(t.Context(), visitor, directory.SaveRegistrationInput{Registration: c.ID(), Secret: moved.ResumeSecret, Commune: &lorient})
	if err != nil || back.Registration.CommuneID != fixture.Lorient || back.Registration.ID() == first {
		t.Fatalf("%+v, %v", back, err)
	}
	if p, err := r.Resume(t.Context(), visitor, directory.ResumeRegistrationInput{Secret: *begun.ResumeSecret}); err != nil || p.Registration.ID() != back.Registration.ID() {
		t.Errorf("%+v, %v", p, err)
	}
	// An agent moves it to no commune of others.
	if _, err := r.Save(t.Context(), fixture.Viewer(t, d, identity.Agent, lorient), directory.SaveRegistrationInput{Registration: back.Registration.ID(), Commune: &groix}); !errors.Is(err, fault.Forbidden) {
		t.Errorf("%v", err)
	}
}

// Of two who answer to the same version one is told so; without a version each answer counts.
func TestAnswersAreNotLost(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, pgtest.Crowd)
	r := newRegistrations(d)
	hotline := fixture.Viewer(t, d, identity.Hotline)
	p, err := r.Start(t.Context(), hotline, directory.StartRegistrationInput{Commune: lorient})
	if err != nil {
		t.Fatal(err)
	}
	id, version := p.Registration.ID(), p.Registration.Version
	var wait sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wait.Go(func() {
			_, errs[i] = r.Save(t.Context(), hotline, directory.SaveRegistrationInput{
				Registration: id, Version: &version, Answers: &directory.RegistrationAnswers{Name: patch.To(fmt.Sprint("Nom ", i))},
			})
		})
	}
	wait.Wait()
	kept := 0
	for _, err := range errs {
		switch {
		case err == nil:
			kept++
		case !errors.Is(err, fault.Conflict):
			t.Error(err)
		}
	}
	if kept != 1 {
		t.Errorf("%d of %d answers to one version were kept", kept, len(errs))
	}
	for i := range errs {
		wait.Go(func() {
			a := []directory.RegistrationAnswers{{Headcount: patch.To(3)}, {SalesAreaM2: patch.To(40)}, {City: patch.To("Lorient")}, {Services: []string{"card"}}}[i%4]
			if _, err := r.Save(t.Context(), hotline, directory.SaveRegistrationInput{Registration: id, Answers: &a}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	got, err := r.ByID(t.Context(), hotline, id)
	if err != nil || *got.Headcount != 3 || *got.SalesAreaM2 != 40 || *got.City != "Lorient" || !slices.Equal(got.Services, []string{"card"}) || got.Version != version+9 {
		t.Errorf("%+v, %v", got, err)
	}
}

// What is wrong with an answer is said with its path, and nothing is kept.
func TestAnswersAreChecked(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	r := newRegistrations(d)
	visitor := fixture.Viewer(t, d, identity.Visitor)
	old := "1999-01"
	for name, a := range map[string]directory.RegistrationAnswers{
		"phone": {Phone: patch.To("12")}, "email": {Email: patch.To("eve@")}, "website": {Website: patch.To("javascript:alert(1)")}, "postcode": {Postcode: patch.To("5610")},
		"naf": {Naf: patch.To("4771Z")}, "name": {Name: patch.To(strings.Repeat("é", 201))}, "services": {Services: []string{"Card!"}}, "headcount": {Headcount: patch.To(-1)},
		"salesAreaM2": {SalesAreaM2: patch.To(100_001)}, "location": {Location: &tenancy.Point{Latitude: 91}}, "consent": {Consent: &old},
		"category": {Category: patch.To(tenancy.ID{Kind: tenancy.KindCategory, Name: "nulle-part"})}, "contactEmail": {ContactEmail: patch.To("a@b\r\n.fr")},
	} {
		_, err := r.Start(t.Context(), visitor, directory.StartRegistrationInput{Commune: lorient, Answers: &a})
		f := fault.Of(err)
		if f == nil || f.Kind != fault.Invalid || !slices.Contains(f.Path, name) {
			t.Errorf("%s: %v %+v", name, err, f)
		}
	}
	if n := pgtest.Scan[int](t, d, `select count(*) from registrations`); n != 0 {
		t.Errorf("%d dossiers of wrong answers", n)
	}
	nowhere := tenancy.ID{Kind: tenancy.KindCommune, Commune: "99999"}
	if _, err := r.Start(t.Context(), visitor, directory.StartRegistrationInput{Commune: nowhere}); !errors.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if _, err := r.Start(t.Context(), fixture.Viewer(t, d, identity.Agent, groix), directory.StartRegistrationInput{Commune: lorient}); !errors.Is(err, fault.Forbidden) {
		t.Error(err)
	}
}

// Lists: the viewer's communes only, page by page, each dossier once, whatever the order.
func TestRegistrationLists(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	r := newRegistrations(d)
	hotline := fixture.Viewer(t, d, identity.Hotline)
	for i := range 12 {
		fixture.Registration(t, d, fixture.RegistrationOpts{
			Commune: []string{fixture.Lorient, fixture.Groix, fixture.Lanester}[i%3], Status: []directory.RegistrationStatus{directory.Started, directory.Submitted}[i/6],
		})
	}
	d.Exec(t, `update registrations set call_back_at = '2026-12-01'::timestamptz - (row_number * interval '1 hour') from (select id as row, row_number() over (order by id) from registrations) n
		where n.row = id and row_number <= 5`)
	callBack := directory.ByCallBack
	for name, c := range map[string]struct {
		v      *identity.Viewer
		filter *directory.RegistrationFilter
		order  *directory.RegistrationOrder
		want   int
	}{
		"Hotline": {v: hotline, want: 12}, "Admin": {v: fixture.Viewer(t, d, identity.Admin), want: 12}, "Agent": {v: fixture.Viewer(t, d, identity.Agent, lorient), want: 4},
		"AgentElsewhere": {v: fixture.Viewer(t, d, identity.Agent, lorient), filter: &directory.RegistrationFilter{Communes: []string{fixture.Groix}}, want: 0},
		"Submitted":      {v: hotline, filter: &directory.RegistrationFilter{Statuses: []directory.RegistrationStatus{directory.Submitted}}, want: 6},
		"CallBackQueue":  {v: hotline, order: &callBack, want: 5},
	} {
		var seen []*directory.Registration
		var after *string
		for {
			page, err := r.List(t.Context(), c.v, c.filter, c.order, 3, after)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			seen = append(seen, page.Nodes()...)
			if n, err := r.TotalCount(t.Context(), c.v, page); n != c.want || err != nil {
				t.Errorf("%s counts %d, want %d, %v", name, n, c.want, err)
			}
			if after = page.PageInfo.EndCursor; !page.PageInfo.HasNextPage {
				break
			}
		}
		ids := map[tenancy.ID]bool{}
		for i, s := range seen {
			ids[s.ID()] = true
			if i > 0 && (c.order == nil && s.CreatedAt.After(seen[i-1].CreatedAt) || c.order != nil && s.CallBackAt.Before(*seen[i-1].CallBackAt)) {
				t.Errorf("%s is out of order at %d", name, i)
			}
		}
		if len(seen) != c.want || len(ids) != c.want {
			t.Errorf("%s lists %d dossiers, %d different, want %d", name, len(seen), len(ids), c.want)
		}
	}
	for _, v := range []*identity.Viewer{fixture.Viewer(t, d, identity.Customer), fixture.Viewer(t, d, identity.Analyst), fixture.Viewer(t, d, identity.Visitor)} {
		if _, err := r.List(t.Context(), v, nil, nil, 3, nil); fault.Of(err) == nil {
			t.Errorf("%s lists dossiers: %v", v.Kind, err)
		}
	}
}
