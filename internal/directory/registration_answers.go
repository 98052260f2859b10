package directory

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/patch"
	"github.com/audelor/halles/internal/pg"
	"github.com/audelor/halles/internal/tenancy"
)

// RegistrationAnswers are what is told of a shop, as much as there is of it: what is absent stays
// as it was, null takes an answer back.
type RegistrationAnswers struct {
	Siret         patch.Field[Siret]
	Name          patch.Field[string]
	Description   patch.Field[string]
	Category      patch.Field[tenancy.ID]
	Naf           patch.Field[string]
	Street        patch.Field[string]
	Postcode      patch.Field[string]
	City          patch.Field[string]
	Location      *tenancy.Point
	Phone         patch.Field[string]
	Email         patch.Field[string]
	Website       patch.Field[string]
	Services      []string // nil: as it was
	Accessibility []string
	SalesAreaM2   patch.Field[int]
	Headcount     patch.Field[int]
	ContactName   patch.Field[string]
	ContactPhone  patch.Field[string]
	ContactEmail  patch.Field[string]
	Consent       *string // the version that was agreed to
}

// Bounds of what a shop says of itself, in characters.
const (
	maxShopName    = 200
	maxDescription = 5000
	maxStreet      = 200
	maxCity        = 100
	maxContactName = 100
	maxURL         = 500
)

// Bounds of what a shop counts.
const (
	maxSalesArea = 100_000 // m²; the largest shop of France has 30,000
	maxHeadcount = 10_000
)

var (
	postcodeForm = regexp.MustCompile(`^[0-9]{5}$`)
	activityForm = regexp.MustCompile(`^[0-9]{2}\.[0-9]{2}[A-Z]$`) // a whole code, where a restriction may name a class
)

// wordForm is what services and the like are named by: "gift-wrap". Clients translate them.
var wordForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,39}$`)

// maxWords bounds a list of them.
const maxWords = 30

// assignment is a column and its new value.
type assignment struct {
	column string
	value  any
}

// assignments are changes of a row that is one of a shop's or of its dossier's.
type assignments []assignment

func (a *assignments) set(column string, value any) { *a = append(*a, assignment{column, value}) }

// has tells whether a column changes.
func (a assignments) has(column string) bool {
	return slices.ContainsFunc(a, func(one assignment) bool { return one.column == column })
}

// text is the new value of a text column, "" for none.
func (a assignments) text(column string) string {
	for _, one := range a {
		if s, ok := one.value.(*string); ok && one.column == column && s != nil {
			return *s
		}
	}
	return ""
}

// update writes "column = $n, …".
func (a assignments) update(args *pg.Args) string {
	parts := make([]string, len(a))
	for i, one := range a {
		parts[i] = one.column + " = " + args.Add(one.value)
	}
	return strings.Join(parts, ", ")
}

// insert writes "column, …" and "$n, …".
func (a assignments) insert(args *pg.Args) (columns, values string) {
	names, places := make([]string, len(a)), make([]string, len(a))
	for i, one := range a {
		names[i], places[i] = one.column, args.Add(one.value)
	}
	return strings.Join(names, ", "), strings.Join(places, ", ")
}

// checker collects the columns that an input sets, and the first thing that is wrong with it.
type checker struct {
	path []string
	set  assignments
	err  error
}

func (c *checker) at(names ...string) []string { return append(slices.Clone(c.path), names...) }

func (c *checker) wrong(name, format string, args ...any) {
	if c.err == nil {
		c.err = fault.At(c.at(name), format, args...)
	}
}

// text trims a text; an empty one is null.
func (c *checker) text(name, column string, f patch.Field[string], most int) *string {
	if !f.Set {
		return nil
	}
	var value *string
	if f.Value != nil {
		if t := strings.TrimSpace(*f.Value); t != "" {
			value = &t
		}
	}
	if value != nil {
		switch n := utf8.RuneCountInString(*value); {
		case n > most:
			c.wrong(name, "Ce texte a %d caractères ; %d au plus.", n, most)
		case strings.ContainsRune(*value, 0):
			c.wrong(name, "Ce texte contient un caractère nul.")
		}
	}
	c.set.set(column, value)
	return value
}

// read is a text that must be readable, and is kept as read returns it.
func (c *checker) read(name, column string, f patch.Field[string], read func(string) (string, bool), format string) {
	value := c.text(name, column, f, maxURL)
	if value == nil {
		return
	}
	kept, ok := read(*value)
	if !ok {
		c.wrong(name, format, fault.Shown(*value))
		return
	}
	*value = kept
}

func (c *checker) phone(name, column string, f patch.Field[string]) {
	c.read(name, column, f, Phone, "%s n'est pas un numéro de téléphone ; écrivez 02 97 12 34 56 ou +33297123456.")
}

func (c *checker) email(name, column string, f patch.Field[string]) {
	c.read(name, column, f, func(s string) (string, bool) { return s, Email(s) }, "%s n'est pas une adresse électronique ; écrivez nom@exemple.fr.")
}

func (c *checker) naf(f patch.Field[string]) {
	c.read("naf", "naf_code", f, formed(activityForm), "%s n'est pas un code NAF ; écrivez 47.71Z.")
}

func (c *checker) postcode(f patch.Field[string]) {
	c.read("postcode", "postcode", f, formed(postcodeForm), "%s n'est pas un code postal ; écrivez ses cinq chiffres.")
}

// formed takes a text as it is where it has a form.
func formed(form *regexp.Regexp) func(string) (string, bool) {
	return func(s string) (string, bool) { return s, form.MatchString(s) }
}

func (c *checker) count(name, column string, f patch.Field[int], most int) {
	if !f.Set {
		return
	}
	if f.Value != nil && (*f.Value < 0 || *f.Value > most) {
		c.wrong(name, "Il faut un nombre de 0 à %d.", most)
	}
	c.set.set(column, f.Value)
}

// words are names of what a shop has, each once.
func (c *checker) words(name, column string, list []string) {
	if list == nil {
		return
	}
	if len(list) > maxWords {
		c.wrong(name, "%d mots ; %d au plus.", len(list), maxWords)
	}
	kept := []string{}
	for i, word := range list {
		switch {
		case !wordForm.MatchString(word):
			if c.err == nil {
				c.err = fault.At(c.at(name, strconv.Itoa(i)), "%s n'est pas un mot d'ici : des minuscules, des chiffres et des tirets, comme gift-wrap.", fault.Shown(word))
			}
		case !slices.Contains(kept, word):
			kept = append(kept, word)
		}
	}
	c.set.set(column, kept)
}

func (c *checker) point(p *tenancy.Point) {
	if p == nil {
		return
	}
	if err := p.Check(c.at("location")...); err != nil && c.err == nil {
		c.err = err
	}
	c.set.set("latitude", p.Latitude)
	c.set.set("longitude", p.Longitude)
}

func (c *checker) category(f patch.Field[tenancy.ID]) {
	if !f.Set {
		return
	}
	var name *string
	if f.Value != nil {
		if err := f.Value.Want(tenancy.KindCategory, c.at("category")...); err != nil && c.err == nil {
			c.err = err
		}
		name = &f.Value.Name
	}
	c.set.set("category_id", name)
}

// website reads an absolute address of the web.
func website(text string) (string, bool) {
	u, err := url.Parse(text)
	return text, err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && !strings.ContainsAny(text, " \t\r\n\"<>")
}

// check refuses what the client could have known to be wrong, and returns the columns to write.
func (a *RegistrationAnswers) check(path ...string) (assignments, error) {
	c := checker{path: path}
	if a.Siret.Set {
		c.set.set("siret", a.Siret.Value)
	}
	c.text("name", "name", a.Name, maxShopName)
	c.text("description", "description", a.Description, maxDescription)
	c.category(a.Category)
	c.naf(a.Naf)
	c.text("street", "street", a.Street, maxStreet)
	c.postcode(a.Postcode)
	c.text("city", "city", a.City, maxCity)
	c.point(a.Location)
	c.phone("phone", "phone", a.Phone)
	c.email("email", "email", a.Email)
	c.read("website", "website", a.Website, website, "%s n'est pas l'adresse d'un site ; écrivez https://exemple.fr.")
	c.words("services", "services", a.Services)
	c.words("accessibility", "accessibility", a.Accessibility)
	c.count("salesAreaM2", "sales_area_m2", a.SalesAreaM2, maxSalesArea)
	c.count("headcount", "headcount", a.Headcount, maxHeadcount)
	c.text("contactName", "contact_name", a.ContactName, maxContactName)
	c.phone("contactPhone", "contact_phone", a.ContactPhone)
	c.email("contactEmail", "contact_email", a.ContactEmail)
	if a.Consent != nil && *a.Consent != consentVersion {
		c.wrong("consent", "Le texte à accepter est aujourd'hui la version %s ; registrationConsent le donne.", consentVersion)
	}
	return c.set, c.err
}
