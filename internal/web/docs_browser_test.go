package web_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
)

// faint lists the elements whose text has less than 4.5:1 on its ground (WCAG 1.4.3), and
// headings that skip a level (1.3.1).
const faint = `(() => {
	const parts = (c) => c.match(/[\d.]+/g).map(Number);
	const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = (e) => {
		for (; e; e = e.parentElement) {
			const c = parts(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] > 0) return c;
		}
		return [255, 255, 255];
	};
	const found = new Set();
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
		const [a, b] = [light(parts(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
		if ((a + 0.05) / (b + 0.05) < 4.5) found.add("faint " + e.tagName + "." + e.className);
	}
	let level = 0;
	for (const h of document.querySelectorAll("h1, h2, h3, h4")) {
		const l = Number(h.tagName[1]);
		if (l > level + 1) found.add("after h" + level + " comes " + h.tagName + " " + h.textContent);
		level = l;
	}
	return [...found].join("; ");
})()`

// guideOnAPhone looks at the documentation at 360 px: nothing is wider, faint, or blocked.
func guideOnAPhone(t *testing.T, browser context.Context) {
	tab, complaints := newTab(t, browser)
	s := start(t)
	do(t, tab, chromedp.EmulateViewport(360, 740))
	for path, name := range map[string]string{"/docs": "guide", "/docs/reference": "reference", "/docs/changes": "changes"} {
		do(t, tab, chromedp.Navigate(s.URL+path))
		if wide := do(t, tab, chromedp.Evaluate[int]("document.documentElement.scrollWidth")); wide > 360 {
			t.Errorf("at 360 px %s is %d px wide", path, wide)
		}
		if found := do(t, tab, chromedp.Evaluate[string](faint)); found != "" {
			t.Errorf("%s: %s", path, found)
		}
		keep(t, tab, name)
	}
	for _, c := range complaints() {
		t.Errorf("the console says: %s", c)
	}
}
