package main

import (
	"net/netip"

	"github.com/audelor/halles/graph/limits"
	"github.com/audelor/halles/internal/rate"
	"github.com/audelor/halles/internal/web"
)

// rates are how often somebody may ask. The defaults are for one machine of two processors, which
// answers some 50,000 objects a second: what a counter or a commune's site ask at rush hour is far
// below, and no single caller gets a tenth of the machine for long.
type rates struct {
	// A counter on a Saturday asks some 20 objects each second, a dashboard some thousands at once.
	RateAccount rate.Limit `env:"HALLES_RATE_ACCOUNT" default:"500/60000" help:"How much an account may ask: points a second, a slash, and points at once. A question costs a point, and one for each object that it may answer (extensions.cost)."`
	// 200 people of one /24 or behind one mobile operator's address, at three pages of 500 a minute.
	RateNetwork rate.Limit `env:"HALLES_RATE_NETWORK" default:"5000/300000" help:"The same for visitors and guests of one network (IPv4 /24, IPv6 /48), and for those of a commune's widget there, each widget apart."`
	// A page is a dozen requests the first time.
	RatePages rate.Limit `env:"HALLES_RATE_PAGES" default:"100/3000" help:"How many pages and files one network may fetch."`
	// An open tab whose session has ended asks again now and then.
	RateSignIns rate.Limit `env:"HALLES_RATE_SIGN_INS" default:"1/60" help:"How many credentials that do not hold one address (IPv6: one /64) may send."`
	// A code of twelve letters, read out badly, takes three tries.
	RateGuesses    rate.Limit `env:"HALLES_RATE_GUESSES" default:"0.1/20" help:"How many links of guests and codes of invitations that are none one address may try."`
	TrustedProxies []string   `env:"HALLES_TRUSTED_PROXIES" placeholder:"10.0.0.0/8" help:"Networks of the proxies in front of this server, separated by commas: the client is the last address in X-Forwarded-For that is none of theirs. Without it that header is not looked at."`
}

// limits are the rates and the proxies, checked.
func (c rates) limits(p *process) web.Limits {
	l := web.Limits{Account: c.RateAccount, Network: c.RateNetwork, Pages: c.RatePages, SignIns: c.RateSignIns, Guesses: c.RateGuesses}
	for name, limit := range map[string]rate.Limit{"HALLES_RATE_ACCOUNT": l.Account, "HALLES_RATE_NETWORK": l.Network} {
		if !limit.None() && limit.Burst < limits.Objects {
			p.wrong.addf("%s lets %d points through at once, and one question may cost %d: give it %[3]d or more after the slash.", name, limit.Burst, limits.Objects)
		}
	}
	for _, text := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if address, single := netip.ParseAddr(text); single == nil {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil || prefix.Addr().Is4In6() {
			p.wrong.addf("HALLES_TRUSTED_PROXIES: %q is not a network; write it as 10.0.0.0/8, 2001:db8::/32, or as one address.", text)
			continue
		}
		l.Proxies = append(l.Proxies, prefix.Masked())
	}
	return l
}
