package media_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/fixture"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/media"
	"github.com/audelor/halles/internal/pg/pgtest"
	"github.com/audelor/halles/internal/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// scene is an image whose corners are red, green, blue and white, from the upper left clockwise.
func scene(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{255, 0, 0, 255}
			switch {
			case x >= w/2 && y < h/2:
				c = color.RGBA{0, 255, 0, 255}
			case x >= w/2:
				c = color.RGBA{0, 0, 255, 255}
			case y >= h/2:
				c = color.RGBA{255, 255, 255, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withEXIF puts a segment as phones write it into a JPEG: how it was held, and words that must not
// come through.
func withEXIF(file []byte, orientation int, order binary.AppendByteOrder, secret string) []byte {
	head := "MM\x00*\x00\x00\x00\x08"
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		head = "II*\x00\x08\x00\x00\x00"
	}
	tiff := order.AppendUint16([]byte(head), 2)
	tiff = order.AppendUint32(order.AppendUint16(order.AppendUint16(tiff, 0x8825), 4), 1) // GPS
	tiff = order.AppendUint32(tiff, 0)
	tiff = order.AppendUint32(order.AppendUint16(order.AppendUint16(tiff, 0x0112), 3), 1)
	tiff = order.AppendUint16(order.AppendUint16(tiff, uint16(orientation)), 0)
	body := "Exif\x00\x00" + string(tiff) + secret
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2))
	return append(append(append([]byte{}, file[:2]...), append(segment, body...)...), file[2:]...)
}

// corners names the colours of an image's corners, from the upper left clockwise.
func corners(t *testing.T, file []byte) string {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	var names string
	for _, p := range []image.Point{{b.Dx() / 8, b.Dy() / 8}, {b.Dx() * 7 / 8, b.Dy() / 8}, {b.Dx() * 7 / 8, b.Dy() * 7 / 8}, {b.Dx() / 8, b.Dy() * 7 / 8}} {
		r, g, u, _ := img.At(p.X, p.Y).RGBA()
		switch r, g, u = r>>15, g>>15, u>>15; [3]uint32{r, g, u} {
		case [3]uint32{1, 0, 0}:
			names += "R"
		case [3]uint32{0, 1, 0}:
			names += "G"
		case [3]uint32{0, 0, 1}:
			names += "B"
		case [3]uint32{1, 1, 1}:
			names += "W"
		default:
			names += "?"
		}
	}
	return names
}

// However the phone was held, the photo is upright; and of what the file said beside the pixels
// nothing is left.
func TestUprightAndWithoutEXIF(t *testing.T) {
	t.Parallel()
	plain := asJPEG(t, scene(64, 32))
	for orientation, want := range map[int]string{1: "RGBW", 2: "GRWB", 3: "BWRG", 4: "WBGR", 5: "RWBG", 6: "WRGB", 7: "BGRW", 8: "GBWR", 0: "RGBW", 9: "RGBW"} {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			p, err := media.Read(withEXIF(plain, orientation, order, "47.7482N 3.3702W canary"))
			if err != nil {
				t.Fatal(err)
			}
			if got := corners(t, p.Large); got != want || corners(t, p.Small) != want {
				t.Errorf("orientation %d: %s, want %s", orientation, got, want)
			}
			if upright := orientation < 5 || orientation > 8; upright != (p.Width == 64 && p.Height == 32) {
				t.Errorf("orientation %d: %d × %d", orientation, p.Width, p.Height)
			}
			for _, file := range [][]byte{p.Large, p.Small} {
				if bytes.Contains(file, []byte("canary")) || bytes.Contains(file, []byte("Exif")) {
					t.Error("EXIF came through")
				}
			}
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ w, h, wantW, wantH int }{
		"Small": {100, 50, 100, 50}, "Wide": {3200, 100, 1600, 50}, "High": {50, 3200, 25, 1600}, "Strip": {4000, 1, 1600, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := media.Read(asPNG(t, scene(c.w, c.h)))
			if err != nil || p.Width != c.wantW || p.Height != c.wantH {
				t.Fatalf("%+v %v", p, err)
			}
			small, err := jpeg.DecodeConfig(bytes.NewReader(p.Small))
			if err != nil || max(small.Width, small.Height) != min(480, max(c.w, c.h)) {
				t.Errorf("%+v %v", small, err)
			}
		})
	}
	webp, err := base64.StdEncoding.DecodeString("UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAgA0JaQAA3AA/vuUAAA=")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := media.Read(webp); err != nil || p.Width != 1 {
		t.Errorf("WebP: %+v %v", p, err)
	}
	clear := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	if p, err := media.Read(asPNG(t, clear)); err != nil || corners(t, p.Large) != "WWWW" {
		t.Errorf("what is see-through is not white: %v", err)
	}
}

// bomb is a PNG that says to be large; its pixels need not be there.
func bomb(w, h uint32) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h)
	head = append(head, 8, 6, 0, 0, 0)
	file := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(file, crc(head))
}

func crc(b []byte) uint32 {
	c := ^uint32(0)
	for _, x := range b {
		c ^= uint32(x)
		for range 8 {
			c = c>>1 ^ 0xedb88320&-(c&1)
		}
	}
	return ^c
}

var hostile = map[string]struct {
	file func(t testing.TB) []byte
	want string
}{
	"Empty": {func(testing.TB) []byte { return nil }, "pas une photo"},
	"Text":  {func(testing.TB) []byte { return []byte("bonjour") }, "pas une photo"},
	"SVG": {func(testing.TB) []byte {
		return []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)
	}, "pas une photo"},
	"HTML":          {func(testing.TB) []byte { return []byte("<!DOCTYPE html><script>alert(1)</script>") }, "pas une photo"},
	"GIF":           {func(testing.TB) []byte { return []byte("GIF89a\x01\x00\x01\x00") }, "pas une photo"},
	"GIFAndScript":  {func(testing.TB) []byte { return []byte("GIF89a/*\x00*/=alert(1)") }, "pas une photo"},
	"ZIP":           {func(testing.TB) []byte { return []byte("PK\x03\x04") }, "pas une photo"},
	"HEIC":          {func(testing.TB) []byte { return []byte("\x00\x00\x00\x18ftypheic") }, "pas une photo"},
	"PNGBomb":       {func(testing.TB) []byte { return bomb(60_000, 60_000) }, "60000 × 60000 pixels"},
	"PNGStrip":      {func(testing.TB) []byte { return bomb(20_000_000, 1) }, "pixels"},
	"PNGNothing":    {func(testing.TB) []byte { return bomb(0, 5) }, ""},
	"PNGWithout":    {func(testing.TB) []byte { return bomb(100, 100) }, "abîmée"},
	"JPEGBomb":      {func(testing.TB) []byte { return jpegHead(65_500, 65_500, 3) }, "pixels"},
	"CMYK":          {func(testing.TB) []byte { return jpegHead(100, 100, 4) }, "CMJN"},
	"JPEGTruncated": {func(t testing.TB) []byte { f := asJPEG(t, noise()); return f[:len(f)/2] }, "abîmée"},
	"PNGTruncated":  {func(t testing.TB) []byte { f := asPNG(t, noise()); return f[:len(f)/2] }, "abîmée"},
	"PNGWrongCRC":   {func(t testing.TB) []byte { f := asPNG(t, noise()); f[len(f)/2] ^= 1; return f }, "abîmée"},
	"JPEGOnlyMagic": {func(testing.TB) []byte { return []byte("\xff\xd8\xff") }, "abîmée"},
	"RIFFOfSound":   {func(testing.TB) []byte { return []byte("RIFF\x24\x00\x00\x00WAVEfmt ") }, "abîmée"},
	"AnimatedWebP": {func(testing.TB) []byte {
		return []byte("RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x0f\x00\x00\x0f\x00\x00ANIM")
	}, "animée"},
}

// jpegHead is the beginning of a JPEG of a size and a number of inks.
func jpegHead(w, h uint16, inks byte) []byte {
	frame := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, h), w)
	frame = append(frame, inks)
	for i := range inks {
		frame = append(frame, i+1, 0x11, 0)
	}
	file := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xc0}, uint16(len(frame)+2))
	return append(append(file, frame...), 0xff, 0xda, 0, 2) // and where its pixels begin
}

func noise() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 200, 200))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = uint8(r.Uint32())
	}
	return img
}

// Each is refused in a sentence.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	for name, c := range hostile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := media.Read(c.file(t))
			if f := fault.Of(err); p != nil || f == nil || f.Kind != fault.Invalid || !strings.Contains(f.Message, c.want) {
				t.Errorf("%+v %v, want %q", p, err, c.want)
			}
		})
	}
	// What comes behind a photo, as phones put a film there, or within it, does not come through.
	for _, payload := range []string{"PK\x03\x04 a program", "<script>alert(1)</script>", "<?php system('id') ?>"} {
		file := append(asJPEG(t, scene(32, 32)), payload...)
		p, err := media.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(p.Large, []byte(payload)) || bytes.Contains(p.Small, []byte(payload)) {
			t.Errorf("%q came through", payload)
		}
	}
}

func FuzzAnyFile(f *testing.F) {
	for _, c := range hostile {
		f.Add(c.file(f))
	}
	f.Add(withEXIF(asJPEG(f, scene(4, 4)), 6, binary.BigEndian, ""))
	f.Fuzz(func(t *testing.T, file []byte) {
		if p, err := media.Read(file); (p == nil) == (err == nil) {
			t.Errorf("%+v %v", p, err)
		}
	})
}

type bench struct {
	*pgtest.Database
	*media.Media
	shop, lorient tenancy.ID
	merchant      *identity.Viewer
}

func setup(t *testing.T) *bench {
	t.Helper()
	d := pgtest.New(t)
	b := &bench{Database: d, Media: media.New(d.DB, tenancy.NewRegister(d.DB)), shop: fixture.Shop(t, d, fixture.ShopOpts{}), lorient: tenancy.ID{Kind: tenancy.KindCommune, Commune: fixture.Lorient}}
	b.merchant = fixture.Viewer(t, d, identity.Merchant, b.shop)
	return b
}

func (b *bench) send(t *testing.T, v *identity.Viewer) tenancy.ID {
	t.Helper()
	i, err := b.Receive(t.Context(), v, b.lorient, bytes.NewReader(asPNG(t, scene(20, 10))))
	if err != nil {
		t.Fatal(err)
	}
	return i.ID()
}

func (b *bench) add(t *testing.T, in media.AddInput) *media.Payload {
	t.Helper()
	if in.Media == (tenancy.ID{}) {
		in.Media = b.send(t, b.merchant)
	}
	if in.Shop == (tenancy.ID{}) {
		in.Shop = b.shop
	}
	if in.Alt == "" {
		in.Alt = "La vitrine"
	}
	p, err := b.Add(t.Context(), b.merchant, in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func alts(photos []*media.Photo) string {
	var list []string
	for _, p := range photos {
		list = append(list, p.Alt)
	}
	return strings.Join(list, " ")
}

func TestPhotosOfAShop(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var ids []tenancy.ID
	for i := range media.MaxOfShop {
		p := b.add(t, media.AddInput{Alt: fmt.Sprint("photo-", i)})
		ids = append(ids, p.Photo.ID())
	}
	if p := b.add(t, media.AddInput{}); len(p.Refusals) != 1 || p.Refusals[0].Code != media.TooMany {
		t.Errorf("the eleventh: %+v", p)
	}
	visitor := fixture.Viewer(t, b.Database, identity.Visitor)
	of, err := b.OfShops(t.Context(), visitor, []tenancy.ID{b.shop})
	if err != nil || alts(of[b.shop]) != "photo-0 photo-1 photo-2 photo-3 photo-4 photo-5 photo-6 photo-7 photo-8 photo-9" {
		t.Fatalf("%s %v", alts(of[b.shop]), err)
	}
	file, err := b.File(t.Context(), strings.TrimPrefix(of[b.shop][0].URL(), "/media/"))
	if err != nil || corners(t, file) != "RGBW" {
		t.Errorf("the image: %v", err)
	}
	left, err := b.Remove(t.Context(), b.merchant, media.RemoveInput{Photo: ids[4]})
	if err != nil || len(left.Photos) != 9 {
		t.Fatalf("%+v %v", left, err)
	}
	order := []tenancy.ID{ids[9], ids[0], ids[1], ids[2], ids[3], ids[5], ids[6], ids[7], ids[8]}
	done, err := b.Reorder(t.Context(), b.merchant, media.ReorderInput{Photos: order})
	if err != nil || alts(done.Photos) != "photo-9 photo-0 photo-1 photo-2 photo-3 photo-5 photo-6 photo-7 photo-8" {
		t.Fatalf("%+v %v", done, err)
	}
	for name, list := range map[string][]tenancy.ID{"OneMissing": order[1:], "OneTwice": append([]tenancy.ID{order[1]}, order[1:]...)} {
		if done, err := b.Reorder(t.Context(), b.merchant, media.ReorderInput{Photos: list}); err != nil || len(done.Refusals) != 1 {
			t.Errorf("%s: %+v %v", name, done, err)
		}
	}
	b.Exec(t, `update shops set status = 'SUSPENDED'`)
	if of, err := b.OfShops(t.Context(), visitor, []tenancy.ID{b.shop}); err != nil || len(of) != 0 {
		t.Errorf("of a suspended shop a visitor sees %v, %v", of, err)
	}
	if of, err := b.OfShops(t.Context(), b.merchant, []tenancy.ID{b.shop}); err != nil || len(of[b.shop]) != 9 {
		t.Errorf("its merchant sees %v, %v", of, err)
	}
}

func TestPhotosOfAProduct(t *testing.T) {
	t.Parallel()
	b := setup(t)
	product, draft := fixture.Product(t, b.Database, b.shop, fixture.ProductOpts{}).ID, fixture.Product(t, b.Database, b.shop, fixture.ProductOpts{Status: "DRAFT"}).ID
	for range media.MaxOfProduct {
		b.add(t, media.AddInput{Product: &product})
	}
	if p := b.add(t, media.AddInput{Product: &product}); len(p.Refusals) != 1 || p.Refusals[0].Code != media.TooMany {
		t.Errorf("the seventh: %+v", p)
	}
	b.add(t, media.AddInput{Product: &draft})
	of, err := b.OfProducts(t.Context(), fixture.Viewer(t, b.Database, identity.Visitor), []tenancy.ID{product, draft})
	if err != nil || len(of[product]) != 6 || len(of[draft]) != 0 {
		t.Errorf("a visitor sees %d and %d, %v", len(of[product]), len(of[draft]), err)
	}
	if of, err := b.OfShops(t.Context(), b.merchant, []tenancy.ID{b.shop}); err != nil || len(of) != 0 {
		t.Errorf("photos of products are the shop's: %v %v", of, err)
	}
}

func TestPhotosAreTheOwners(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := fixture.Shop(t, b.Database, fixture.ShopOpts{})
	foreign := fixture.Product(t, b.Database, other, fixture.ProductOpts{}).ID
	rival := fixture.Viewer(t, b.Database, identity.Merchant, other)
	agent, hotline := fixture.Viewer(t, b.Database, identity.Agent, b.lorient), fixture.Viewer(t, b.Database, identity.Hotline)
	photo := b.add(t, media.AddInput{}).Photo.ID()
	theirs := b.send(t, rival)
	mine := b.send(t, b.merchant)
	add := func(v *identity.Viewer, image, shop tenancy.ID, product *tenancy.ID, alt string) error {
		_, err := b.Add(t.Context(), v, media.AddInput{Media: image, Shop: shop, Product: product, Alt: alt})
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want fault.Kind
	}{
		"AnothersImage":     {add(b.merchant, theirs, b.shop, nil, "x"), fault.NotFound},
		"AnothersShop":      {add(b.merchant, mine, other, nil, "x"), fault.NotFound},
		"AnothersProduct":   {add(b.merchant, mine, b.shop, &foreign, "x"), fault.NotFound},
		"NoAlt":             {add(b.merchant, mine, b.shop, nil, "  "), fault.Invalid},
		"LongAlt":           {add(b.merchant, mine, b.shop, nil, strings.Repeat("x", 301)), fault.Invalid},
		"Visitor":           {add(fixture.Viewer(t, b.Database, identity.Visitor), mine, b.shop, nil, "x"), fault.Unauthenticated},
		"Hotline":           {add(hotline, mine, b.shop, nil, "x"), fault.NotFound},
		"RemovedByARival":   {second(b.Remove(t.Context(), rival, media.RemoveInput{Photo: photo})), fault.NotFound},
		"ReorderedByARival": {second(b.Reorder(t.Context(), rival, media.ReorderInput{Photos: []tenancy.ID{photo}})), fault.NotFound},
	} {
		if f := fault.Of(c.err); f == nil || f.Kind != c.want {
			t.Errorf("%s: %v, want %s", name, c.err, c.want)
		}
	}
	if _, err := b.Receive(t.Context(), hotline, b.lorient, strings.NewReader("x")); !errors.Is(err, fault.Forbidden) {
		t.Errorf("the hotline sends: %v", err)
	}
	if p := b.add(t, media.AddInput{Media: mine}); p.Photo == nil {
		t.Errorf("%+v", p)
	}
	if p := b.add(t, media.AddInput{Media: mine}); len(p.Refusals) != 1 || p.Refusals[0].Code != media.ImageUsed {
		t.Errorf("the same image twice: %+v", p)
	}
	if left, err := b.Remove(t.Context(), agent, media.RemoveInput{Photo: photo}); err != nil || len(left.Photos) != 1 {
		t.Errorf("the commune's agent: %+v %v", left, err)
	}
}

func second[T any](_ T, err error) error { return err }

// Nothing is kept of what was refused, nor of what became no photo within a day.
func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range hostile {
		if _, err := b.Receive(t.Context(), b.merchant, b.lorient, bytes.NewReader(c.file(t))); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := b.Receive(t.Context(), b.merchant, b.lorient, io.LimitReader(zeros{}, media.MaxBytes+1)); !errors.Is(err, fault.Limited) {
		t.Errorf("too large: %v", err)
	}
	count := func() string {
		return pgtest.Scan[string](t, b.Database, `select (select count(*) from media) || ' ' || (select count(*) from media_files)`)
	}
	if n := count(); n != "0 0" {
		t.Errorf("images and files kept: %s", n)
	}
	used := b.add(t, media.AddInput{}).Photo
	unused := b.send(t, b.merchant)
	later := media.New(b.Database.DB, tenancy.NewRegister(b.Database.DB))
	later.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	if _, err := later.Add(t.Context(), b.merchant, media.AddInput{Media: unused, Shop: b.shop, Alt: "x"}); !errors.Is(err, fault.NotFound) {
		t.Errorf("used the next day: %v", err)
	}
	if err := later.Expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.File(t.Context(), used.Hash); err != nil || count() != "1 2" && count() != "1 1" {
		t.Errorf("after the sweep: %s, %v", count(), err)
	}
	if _, err := b.Remove(t.Context(), b.merchant, media.RemoveInput{Photo: used.ID()}); err != nil {
		t.Fatal(err)
	}
	if err := later.Expire(t.Context()); err != nil || count() != "0 0" {
		t.Errorf("of a removed photo is left %s, %v", count(), err)
	}
	for _, hash := range []string{used.Hash, "", "x", strings.Repeat("0", 64)} {
		if _, err := b.File(t.Context(), hash); !errors.Is(err, media.ErrUnknown) {
			t.Errorf("%q: %v", hash, err)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
