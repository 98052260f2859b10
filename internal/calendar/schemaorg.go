package calendar

// SchemaOrg is the hours as schema.org has them, ready for JSON-LD in a LocalBusiness.
type SchemaOrg struct {
	Weekly  []OpeningHoursSpecification `json:"openingHoursSpecification"`
	Special []OpeningHoursSpecification `json:"specialOpeningHoursSpecification,omitempty"`
}

// OpeningHoursSpecification is schema.org's. A closing time before the opening time is on the
// next day; both 00:00 is closed.
type OpeningHoursSpecification struct {
	Type         string   `json:"@type"`
	DayOfWeek    []string `json:"dayOfWeek,omitempty"`
	Opens        string   `json:"opens"`
	Closes       string   `json:"closes"`
	ValidFrom    *Date    `json:"validFrom,omitempty"`
	ValidThrough *Date    `json:"validThrough,omitempty"`
	Description  string   `json:"description,omitempty"`
}

var schemaDays = [7]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

// SchemaOrg is the week, and the exceptions of the dates from first to last: holidays on which
// the shop is closed, special hours and closures, each with its dates. Restrictions are left
// out, as in OSM.
func (h *Hours) SchemaOrg(first, last Date) SchemaOrg {
	out := SchemaOrg{Weekly: []OpeningHoursSpecification{}}
	place := map[Opening]int{}
	for i, day := range h.Week {
		for _, o := range sortedOpenings(day) {
			n, ok := place[o]
			if !ok {
				n = len(out.Weekly)
				place[o] = n
				out.Weekly = append(out.Weekly, o.schemaOrg())
			}
			out.Weekly[n].DayOfWeek = append(out.Weekly[n].DayOfWeek, schemaDays[i])
		}
	}
	for _, e := range h.exceptions(first, last, true) {
		openings := e.Openings
		if len(openings) == 0 {
			openings = []Opening{{0, 0}}
		}
		for _, o := range openings {
			spec := o.schemaOrg()
			spec.ValidFrom, spec.ValidThrough, spec.Description = &e.First, &e.Last, e.Reason
			out.Special = append(out.Special, spec)
		}
	}
	return out
}

// schemaOrg gives an opening of 24 hours a minute less: closing at the opening time would
// read as closed (developers.google.com/search/docs/appearance/structured-data/local-business).
func (o Opening) schemaOrg() OpeningHoursSpecification {
	closes := o.Closes
	if closes == o.Opens+midnight {
		closes--
	}
	return OpeningHoursSpecification{Type: "OpeningHoursSpecification", Opens: o.Opens.String(), Closes: (closes % midnight).String()}
}
