package migrations

import (
	"fmt"
	"regexp"
	"strings"
)

// Commune is a row of table communes.
type Commune struct {
	Insee      string
	Slug       string
	Name       string
	Postcodes  []string
	Population int
	Latitude   float64
	Longitude  float64
}

// communeRow is a row as 00006_reference.sql writes it.
var communeRow = regexp.MustCompile(`\('(\w{5})', '([a-z-]+)', '((?:[^']|'')+)', '\{([\d,]+)\}', '\d{9}', (\d+), ([\d.-]+), ([\d.-]+)\)`)

// Communes are the communes as the migrations enter them, by INSEE code, for whoever needs them
// before there is a database. In one they may have changed since.
func Communes() ([]Commune, error) {
	text, err := files.ReadFile("00006_reference.sql")
	if err != nil {
		return nil, err
	}
	var list []Commune
	for _, row := range communeRow.FindAllStringSubmatch(string(text), -1) {
		c := Commune{Insee: row[1], Slug: row[2], Name: strings.ReplaceAll(row[3], "''", "'"), Postcodes: strings.Split(row[4], ",")}
		_, err := fmt.Sscan(strings.Join(row[5:], " "), &c.Population, &c.Latitude, &c.Longitude)
		if err != nil {
			return nil, fmt.Errorf("00006_reference.sql, %s: %w", c.Insee, err)
		}
		list = append(list, c)
	}
	return list, nil
}
