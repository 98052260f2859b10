package calendar

import (
	"fmt"
	"strings"
	"time"
)

// nbsp keeps a figure and its unit on one line, as French typography wants.
const nbsp = "\u00a0"

var (
	weekdays = [7]string{"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"}
	months   = [13]string{"", "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}

	modeNames       = map[Mode]string{Visit: "de visite", Pickup: "le retrait", Delivery: "la livraison"}
	restrictedNames = map[Mode]string{Visit: "Fermé au public", Pickup: "Retrait suspendu", Delivery: "Livraison suspendue"}
	openNames       = map[Mode]string{Visit: "Ouvert", Pickup: "Retrait possible", Delivery: "Livraison possible"}
	opensNames      = map[Mode]string{Visit: "Ouvre", Pickup: "Retrait possible", Delivery: "Livraison possible"}
	closedNames     = map[Mode]string{Visit: "Fermé", Pickup: "Retrait impossible", Delivery: "Livraison impossible"}
)

func refuse(code Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Sentence is the message and, where there is one, the next time at which it is possible: what a
// customer is told at checkout.
func (r *Refusal) Sentence(now time.Time) string {
	if r.Next == nil {
		return r.Message
	}
	when := openingText(r.Next.Start, now)
	if DateOf(r.Next.Start) == DateOf(now) {
		when = "aujourd'hui " + when
	}
	return r.Message + " Prochaine possibilité : " + when + "."
}

// Text is "samedi 31 octobre, de 10 h à 10 h 30".
func (s Span) Text() string {
	return dateText(DateOf(s.Start)) + ", de " + clockOf(s.Start.Unix()) + " à " + clockOf(s.End.Unix())
}

// text is the line on the door.
func (st *Status) text(s *Shop, m Mode, now time.Time) string {
	if st.Open {
		if st.Until.IsZero() {
			return openNames[m] + " 24" + nbsp + "h/24"
		}
		return openNames[m] + " jusqu'à " + closingText(st.Until, now)
	}
	r := st.Refusal
	if r.Code == Closed {
		if r.Next == nil {
			return closedNames[m]
		}
		return opensNames[m] + " " + openingText(r.Next.Start, now)
	}
	text := strings.TrimSuffix(r.Message, ".")
	if r.Code == Restricted && m == Visit {
		text += s.stillText(now)
	}
	if r.Next != nil {
		text += ", " + strings.ToLower(opensNames[m]) + " " + openingText(r.Next.Start, now)
	}
	return text
}

// stillText tells what a shop closed to the public may still do.
func (s *Shop) stillText(now time.Time) string {
	regime := s.RegimeAt(now)
	pickup := regime.Pickup && s.offer(Pickup) != nil
	delivery := regime.Delivery && s.offer(Delivery) != nil
	switch {
	case pickup && delivery:
		return ", retrait et livraison assurés"
	case pickup:
		return ", retrait assuré"
	case delivery:
		return ", livraison assurée"
	}
	return ""
}

// openingText is when: "à 14 h", "demain à 9 h 30", "lundi à 9 h", "le 12 novembre à 9 h".
func openingText(t, now time.Time) string {
	date, clock := DateOf(t), "à "+clockOf(t.Unix())
	switch days := date - DateOf(now); {
	case days == 0:
		return clock
	case days == 1:
		return "demain " + clock
	case days < 7:
		return weekdays[date.Weekday()-1] + " " + clock
	}
	return onDate(date) + yearText(date, now) + " " + clock
}

// closingText is until when: "19 h", "2 h" in the coming night, "lundi 12 h" later.
func closingText(t, now time.Time) string {
	clock := clockOf(t.Unix())
	if t.Sub(now) <= 24*time.Hour {
		return clock
	}
	return dateText(DateOf(t)) + " " + clock
}

func yearText(d Date, now time.Time) string {
	year, _, _ := d.Civil()
	if year == now.In(Paris).Year() {
		return ""
	}
	return fmt.Sprintf(" %d", year)
}

// Text is "9 h – 12 h 30", "18 h – 2 h", "24 h/24".
func (o Opening) Text() string {
	if o.Opens == 0 && o.Closes == midnight {
		return "24" + nbsp + "h/24"
	}
	return clockText(o.Opens) + nbsp + "– " + clockText(o.Closes)
}

// clockOf is an instant's local time of day.
func clockOf(unix int64) string {
	t := at(unix)
	return clockText(Hm(t.Hour(), t.Minute()))
}

// clockText is "9 h 30", "19 h", "minuit".
func clockText(c Clock) string {
	c = (c%midnight + midnight) % midnight
	switch {
	case c == 0:
		return "minuit"
	case c%60 == 0:
		return fmt.Sprintf("%d"+nbsp+"h", c/60)
	}
	return fmt.Sprintf("%d"+nbsp+"h"+nbsp+"%02d", c/60, c%60)
}

// dayText is "1er mai", "12 novembre".
func dayText(d Date) string {
	_, month, day := d.Civil()
	if day == 1 {
		return "1er" + nbsp + months[month]
	}
	return fmt.Sprintf("%d"+nbsp+"%s", day, months[month])
}

func onDate(d Date) string { return "le " + dayText(d) }

// dateText is "samedi 31 octobre".
func dateText(d Date) string { return weekdays[d.Weekday()-1] + " " + dayText(d) }

// SayInstant says an instant to a person, in local time: "samedi 31 octobre à 18 h".
func SayInstant(t time.Time) string { return instantText(t) }

// instantText is "samedi 31 octobre à 18 h".
func instantText(t time.Time) string { return dateText(DateOf(t)) + " à " + clockOf(t.Unix()) }

// untilText is the end of a block, with a space in front: " jusqu'au 27 novembre inclus" when
// it ends with a day, " jusqu'au 28 novembre à 10 h" else, nothing when it is open.
func untilText(until time.Time) string {
	if until.IsZero() {
		return ""
	}
	if d := DateOf(until); d.instant(0) == until.Unix() {
		return " jusqu'au " + dayText(d-1) + " inclus"
	}
	return " jusqu'au " + dayText(DateOf(until)) + " à " + clockOf(until.Unix())
}

func brackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// durationText is "30 min", "2 h", "1 h 30", "2 jours".
func durationText(d time.Duration) string {
	hours, minutes := int(d.Hours()), int(d.Minutes())%60
	switch {
	case hours >= 48 && hours%24 == 0 && minutes == 0:
		return fmt.Sprintf("%d"+nbsp+"jours", hours/24)
	case hours == 0:
		return fmt.Sprintf("%d"+nbsp+"min", minutes)
	case minutes == 0:
		return fmt.Sprintf("%d"+nbsp+"h", hours)
	}
	return fmt.Sprintf("%d"+nbsp+"h"+nbsp+"%02d", hours, minutes)
}
