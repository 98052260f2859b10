package fault_test

import (
	"errors"
	"io"
	"testing"

	"github.com/audelor/halles/internal/fault"
)

func find(id string) (err error) {
	defer fault.Wrap(&err, "find(%s)", id)
	if id == "" {
		return io.EOF
	}
	return fault.Errorf(fault.NotFound, "commande %s introuvable", id)
}

func TestAWrappedFaultKeepsItsKindAndItsSentence(t *testing.T) {
	t.Parallel()
	err := find("7")
	if !errors.Is(err, fault.NotFound) || errors.Is(err, fault.Conflict) {
		t.Fatalf("kind lost: %v", err)
	}
	if got := fault.Of(err).Message; got != "commande 7 introuvable" {
		t.Fatalf("a person would read %q", got)
	}
	if err.Error() != "find(7): commande 7 introuvable" {
		t.Fatalf("the log would read %q", err)
	}
}

func TestAnInnerErrorIsNotForPeople(t *testing.T) {
	t.Parallel()
	if err := find(""); fault.Of(err) != nil || !errors.Is(err, io.EOF) {
		t.Fatalf("io.EOF became a fault or was lost: %v", err)
	}
}
