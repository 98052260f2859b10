package web_test

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/audelor/halles/internal/media"
	"github.com/audelor/halles/internal/pg/pgtest"
)

// A photo is sent, shown, and handed out as what it is and nothing else.
func TestPhotosOverTheAPI(t *testing.T) {
	t.Parallel()
	s := start(t)
	bearer := []string{"Authorization", "Bearer " + s.merchant}
	send := func(body, kind string, headers ...string) answer {
		return s.do(http.MethodPost, "/media?commune=lorient", body, append([]string{"Content-Type", kind}, headers...)...)
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewRGBA(image.Rect(0, 0, 800, 400)), nil); err != nil {
		t.Fatal(err)
	}
	sent := send(photo.String(), "image/jpeg", bearer...)
	sent.wants(t, http.StatusCreated, `"width":800`)
	added := s.ask(fmt.Sprintf(`mutation { addPhoto(input: {media: %q, shop: %q, alt: "La vitrine, de la rue"}) { refusals { code } photo { id url smallUrl alt width height } } }`, gjson.Get(sent.body, "id"), s.shop), bearer...)
	added.wants(t, http.StatusOK, `"alt":"La vitrine, de la rue"`)
	shown := s.ask(`{ shops(first: 1) { nodes { photos { url smallUrl alt width height } products(first: 1) { nodes { photos { url } } } } } }`)
	shown.wants(t, http.StatusOK, `"width":800,"height":400`)
	for _, field := range []string{"url", "smallUrl"} {
		path := gjson.Get(shown.body, "data.shops.nodes.0.photos.0."+field).String()
		a := s.do(http.MethodGet, path, "")
		a.wants(t, http.StatusOK, "")
		h := a.Header
		if h.Get("Content-Type") != "image/jpeg" || h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %v", field, h)
		}
		if _, err := jpeg.Decode(strings.NewReader(a.body)); err != nil {
			t.Errorf("%s: %v", field, err)
		}
		if again := s.do(http.MethodGet, path, "", "If-None-Match", h.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", field, again.StatusCode)
		}
	}
	for name, c := range map[string]struct {
		a      answer
		status int
		want   string
	}{
		"Nobody":   {send(photo.String(), "image/jpeg"), http.StatusUnauthorized, ""},
		"AForm":    {send(photo.String(), "multipart/form-data; boundary=x", bearer...), http.StatusUnsupportedMediaType, "image/jpeg"},
		"SVG":      {send("<svg/>", "image/svg+xml", bearer...), http.StatusUnsupportedMediaType, ""},
		"SVGAsPNG": {send("<svg/>", "image/png", bearer...), http.StatusBadRequest, "pas une photo"},
		"Nothing":  {send("", "image/png", bearer...), http.StatusBadRequest, ""},
		"TooBig":   {send(strings.Repeat("x", media.MaxBytes+1), "image/png", bearer...), http.StatusRequestEntityTooLarge, "10 Mo"},
		"NoSuch":   {s.do(http.MethodGet, "/media/"+strings.Repeat("0", 64), ""), http.StatusNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) { c.a.wants(t, c.status, c.want) })
	}
	if n := pgtest.Scan[int](t, s.db, `select count(*) from media`); n != 1 {
		t.Errorf("%d images are kept", n)
	}
}
