package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"

	"github.com/audelor/halles/internal/fault"
)

const (
	// MaxBytes bounds a photo as it is sent; phones make 3 to 8 MB.
	MaxBytes = 10 << 20
	// maxPixels bounds it unpacked, and is looked at before it is: 24 million pixels are 96 MB.
	maxPixels = 24_000_000
	// maxSide keeps out strips that are no photo, a million pixels by one.
	maxSide = 12_000
	// large and small are the widths, or heights, that are kept: a page and a list.
	large, small = 1600, 480
	quality      = 82 // of JPEG: nobody sees the difference to 90, which is a third larger
)

// Picture is a photo as it is kept: upright, in sRGB or as the phone had it, and nothing beside
// its pixels.
type Picture struct {
	Width, Height int
	Large, Small  []byte // JPEG
}

// decoders are the kinds of photos, by their first bytes. What a sender calls its file is not asked.
var decoders = []struct {
	magic  string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}{
	{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"RIFF", webp.DecodeConfig, webp.Decode},
}

// Read makes a picture of a photo that was sent. Everything but the pixels is lost on the way:
// place and date, the phone's name, a preview, and whatever else hides in a file.
//
// Faults: INVALID, with what to do.
func Read(file []byte) (*Picture, error) {
	for _, d := range decoders {
		if !bytes.HasPrefix(file, []byte(d.magic)) {
			continue
		}
		if d.magic == "RIFF" && animated(file) {
			return nil, fault.Errorf(fault.Invalid, "C'est une image animée. Envoyez une photo.")
		}
		head, err := d.config(bytes.NewReader(file))
		switch {
		case err != nil:
			return nil, unreadable()
		case head.Width < 1 || head.Height < 1 || head.Width > maxSide || head.Height > maxSide || head.Width*head.Height > maxPixels:
			return nil, fault.Errorf(fault.Invalid, "La photo fait %d × %d pixels ; 24 millions en tout au plus, et %d de côté.", head.Width, head.Height, maxSide)
		case head.ColorModel == color.CMYKModel:
			return nil, fault.Errorf(fault.Invalid, "La photo est en CMJN, pour l'impression. Enregistrez-la en RVB.")
		case deep(head.ColorModel) && head.Width*head.Height > maxPixels/2:
			return nil, fault.Errorf(fault.Invalid, "La photo a 16 bits par couleur et plus de 12 millions de pixels. Enregistrez-la en 8 bits.")
		}
		img, err := d.decode(bytes.NewReader(file))
		if err != nil {
			return nil, unreadable()
		}
		return picture(img, orientation(file))
	}
	return nil, fault.Errorf(fault.Invalid, "Ce n'est pas une photo que l'on sache lire. Envoyez un JPEG, un PNG ou un WebP.")
}

func unreadable() error {
	return fault.Errorf(fault.Invalid, "La photo est abîmée ou incomplète. Envoyez-la de nouveau.")
}

func deep(m color.Model) bool {
	return m == color.RGBA64Model || m == color.NRGBA64Model || m == color.Gray16Model
}

// animated tells a WebP that moves: its extended header says so (developers.google.com/speed/webp/docs/riff_container).
func animated(file []byte) bool {
	const flags, moves = 20, 0x02
	return len(file) > flags && string(file[12:16]) == "VP8X" && file[flags]&moves != 0
}

func picture(img image.Image, turned int) (*Picture, error) {
	big := upright(shrink(img, large), turned)
	p := &Picture{Width: big.Rect.Dx(), Height: big.Rect.Dy()}
	var err error
	if p.Large, err = encode(big); err != nil {
		return nil, err
	}
	p.Small, err = encode(shrink(big, small))
	return p, err
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality})
	return b.Bytes(), err
}

// shrink makes an image at most most pixels wide and high; each pixel is the mean of those that it
// stands for. What is see-through becomes white. A library's scaler would take 32 bytes for each
// pixel of a column of the source: 200 MB for a large photo.
func shrink(img image.Image, most int) *image.RGBA {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if longest := max(w, h); longest > most {
		w, h = max(w*most/longest, 1), max(h*most/longest, 1)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	at := pixels(img)
	for y := range h {
		y0, y1 := b.Min.Y+y*b.Dy()/h, b.Min.Y+max((y+1)*b.Dy()/h, y*b.Dy()/h+1)
		for x := range w {
			x0, x1 := b.Min.X+x*b.Dx()/w, b.Min.X+max((x+1)*b.Dx()/w, x*b.Dx()/w+1)
			var r, g, u, n uint32
			for sy := y0; sy < y1; sy++ {
				for sx := x0; sx < x1; sx++ {
					pr, pg, pb := at(sx, sy)
					r, g, u, n = r+uint32(pr), g+uint32(pg), u+uint32(pb), n+1
				}
			}
			i := out.PixOffset(x, y)
			out.Pix[i], out.Pix[i+1], out.Pix[i+2], out.Pix[i+3] = uint8((r+n/2)/n), uint8((g+n/2)/n), uint8((u+n/2)/n), 0xff
		}
	}
	return out
}

// pixels reads one pixel, upon white; the usual kinds without an allocation each.
func pixels(img image.Image) func(x, y int) (r, g, b uint8) {
	switch img := img.(type) {
	case *image.YCbCr:
		return func(x, y int) (uint8, uint8, uint8) {
			c := img.COffset(x, y)
			return color.YCbCrToRGB(img.Y[img.YOffset(x, y)], img.Cb[c], img.Cr[c])
		}
	case *image.RGBA:
		return func(x, y int) (uint8, uint8, uint8) {
			p := img.Pix[img.PixOffset(x, y):]
			return p[0] + 255 - p[3], p[1] + 255 - p[3], p[2] + 255 - p[3]
		}
	}
	return func(x, y int) (uint8, uint8, uint8) {
		r, g, b, a := img.At(x, y).RGBA()
		return uint8((r + 0xffff - a) >> 8), uint8((g + 0xffff - a) >> 8), uint8((b + 0xffff - a) >> 8)
	}
}

// upright turns an image as its EXIF orientation says (CIPA DC-008, 4.6.5.1, tag 0x0112).
func upright(img *image.RGBA, turned int) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if turned < 2 || turned > 8 {
		return img
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if turned >= 5 {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			var tx, ty int
			switch turned {
			case 2:
				tx, ty = w-1-x, y
			case 3:
				tx, ty = w-1-x, h-1-y
			case 4:
				tx, ty = x, h-1-y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = h-1-y, x
			case 7:
				tx, ty = h-1-y, w-1-x
			case 8:
				tx, ty = y, w-1-x
			}
			copy(out.Pix[out.PixOffset(tx, ty):], img.Pix[img.PixOffset(x, y):][:4])
		}
	}
	return out
}

var errNoOrientation = errors.New("no orientation")

// orientation reads how the phone was held; 1, upright, where the file does not say.
func orientation(file []byte) int {
	n, err := exifOrientation(file)
	if err != nil {
		return 1
	}
	return n
}

// exifOrientation finds the tag in a JPEG's APP1 segment or a WebP's EXIF chunk.
func exifOrientation(file []byte) (int, error) {
	switch {
	case bytes.HasPrefix(file, []byte("RIFF")):
		for at := 12; at+8 <= len(file); {
			size := int(binary.LittleEndian.Uint32(file[at+4:]))
			if size < 0 || at+8+size > len(file) {
				break
			}
			if string(file[at:at+4]) == "EXIF" {
				return tiffOrientation(bytes.TrimPrefix(file[at+8:at+8+size], []byte("Exif\x00\x00")))
			}
			at += 8 + size + size%2
		}
	case bytes.HasPrefix(file, []byte("\xff\xd8")):
		for at := 2; at+4 <= len(file) && file[at] == 0xff && file[at+1] != 0xda; {
			size := int(binary.BigEndian.Uint16(file[at+2:]))
			if size < 2 || at+2+size > len(file) {
				break
			}
			if body := file[at+4 : at+2+size]; file[at+1] == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
				return tiffOrientation(body[6:])
			}
			at += 2 + size
		}
	}
	return 0, errNoOrientation
}

// tiffOrientation looks through the first directory of a TIFF header.
func tiffOrientation(t []byte) (int, error) {
	var order binary.ByteOrder = binary.BigEndian
	switch {
	case len(t) < 14:
		return 0, errNoOrientation
	case bytes.HasPrefix(t, []byte("II")):
		order = binary.LittleEndian
	}
	at := int(order.Uint32(t[4:]))
	if at < 8 || at+2 > len(t) {
		return 0, errNoOrientation
	}
	entries := int(order.Uint16(t[at:]))
	for i := range entries {
		e := at + 2 + 12*i
		if e+12 > len(t) {
			break
		}
		if order.Uint16(t[e:]) == 0x0112 {
			return int(order.Uint16(t[e+8:])), nil
		}
	}
	return 0, errNoOrientation
}
