package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/audelor/halles/internal/fault"
	"github.com/audelor/halles/internal/identity"
	"github.com/audelor/halles/internal/media"
)

// mediaRoutes take photos and hand them out.
func (s *Server) mediaRoutes(r chi.Router) {
	r.Group(func(r chi.Router) {
		r.Use(s.cors(), s.authenticated)
		r.Post("/media", s.receivePhoto)
		r.Options("/media", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	})
	r.With(anyOrigin).Get("/media/{hash}", s.photo)
}

// photoTypes are what senders call photos. What is in a file is found out from the file; a form's
// types are not among them, so that a page elsewhere cannot send one without asking first (CORS).
var photoTypes = map[string]bool{"image/jpeg": true, "image/png": true, "image/webp": true, "application/octet-stream": true}

// receivePhoto keeps an image, and answers its id.
func (s *Server) receivePhoto(w http.ResponseWriter, r *http.Request) {
	if !photoTypes[r.Header.Get("Content-Type")] {
		s.refuse(w, r, http.StatusUnsupportedMediaType, fault.Errorf(fault.Invalid, "Envoyez la photo seule, avec Content-Type: image/jpeg, image/png ou image/webp."))
		return
	}
	commune, err := s.communeOf(r)
	if err != nil {
		s.answerFault(w, r, err)
		return
	}
	if r.ContentLength > media.MaxBytes {
		s.answerFault(w, r, fault.Errorf(fault.Limited, "La photo dépasse %d Mo. Envoyez-en une plus petite.", media.MaxBytes>>20))
		return
	}
	image, err := s.media.Receive(r.Context(), identity.From(r.Context()), commune, paced(w, http.MaxBytesReader(w, r.Body, media.MaxBytes+1)))
	if err != nil {
		s.answerFault(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, "application/json; charset=utf-8", http.StatusCreated, map[string]any{
		"id": image.ID().String(), "width": image.Width, "height": image.Height, "expiresAt": image.ExpiresAt.UTC().Format(time.RFC3339),
	})
}

// photo hands an image out. Other bytes have another address: it may be kept for ever.
func (s *Server) photo(w http.ResponseWriter, r *http.Request) {
	hash := chi.URLParam(r, "hash")
	if r.Header.Get("If-None-Match") == `"`+hash+`"` {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body, err := s.media.File(r.Context(), hash)
	if errors.Is(err, media.ErrUnknown) {
		s.notFound(w, r)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("ETag", `"`+hash+`"`)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = w.Write(body) //nolint:gosec // an image that we encoded ourselves, and named so
}
