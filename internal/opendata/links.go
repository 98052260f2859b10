package opendata

import "github.com/audelor/halles/internal/tenancy"

// Links are where a commune's files are.
type Links struct {
	CSV     string
	JSON    string
	GeoJSON string
	Schema  string
	Page    string
}

// LinksOf are the links of a commune, paths on this server.
func LinksOf(c *tenancy.Commune) *Links {
	at := "/opendata/" + c.Insee + "/commerces."
	return &Links{CSV: at + string(CSV), JSON: at + string(JSON), GeoJSON: at + string(GeoJSON), Schema: "/opendata/schema.json", Page: "/opendata"}
}
