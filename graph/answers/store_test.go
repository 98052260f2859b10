package answers

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

func keyOf(n int) [sha256.Size]byte {
	return sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func (s *store) check(t *testing.T) {
	t.Helper()
	bytes, entries := 0, 0
	for i := range s.parts {
		sum := 0
		for e := s.parts[i].list.Front(); e != nil; e = e.Next() {
			n := e.Value.(*entry)
			if n.in != i || s.entries[n.key] != e {
				t.Fatal("an entry is lost")
			}
			sum += n.answer.size()
			entries++
		}
		if sum != s.parts[i].bytes {
			t.Fatalf("part %d has %d bytes and counts %d", i, sum, s.parts[i].bytes)
		}
		bytes += sum
	}
	if bytes > s.max || entries != len(s.entries) {
		t.Fatalf("%d bytes of %d in %d entries, %d known", bytes, s.max, entries, len(s.entries))
	}
}

// Ten times as much as fits comes, of all sizes, new and again and larger than before: the bytes stay
// below the bound at every step.
func TestStoreIsBounded(t *testing.T) {
	t.Parallel()
	const most = 256 << 10
	s, random := newStore(most), rand.New(rand.NewPCG(1, 2))
	came := 0
	for came < 10*most {
		a := &Answer{Body: make([]byte, random.IntN(most/share-overhead))}
		came += a.size()
		key := keyOf(random.IntN(2000))
		if old := s.get(key); old != nil && random.IntN(2) == 0 {
			both := *old
			both.Zipped = make([]byte, min(len(old.Body), most/share-old.size()))
			s.replace(key, old, &both)
			s.replace(key, old, &both) // which is not there any more
		} else {
			s.set(key, a)
		}
		s.check(t)
	}
	if bytes, _ := s.figures(); bytes < most/2 {
		t.Errorf("%d bytes of %d are used", bytes, most)
	}
}

// What is asked for often stays while a hundred thousand others are asked for once: somebody who makes
// up questions takes nobody's answer away.
func TestStoreKeepsWhatIsAskedOften(t *testing.T) {
	t.Parallel()
	s, size := newStore(512*1024), 1024-overhead
	ask := func(n int) bool {
		if s.get(keyOf(n)) != nil {
			return true
		}
		s.set(keyOf(n), &Answer{Body: make([]byte, size)})
		return false
	}
	const often = 200 // of 512 that fit
	for range 4 {
		for n := range often {
			ask(n)
		}
	}
	hits, asked := 0, 0
	for n := range 100_000 {
		ask(often + n)
		if n%10 == 0 {
			asked++
			if ask(n / 10 % often) {
				hits++
			}
		}
	}
	s.check(t)
	t.Logf("%d of %d questions found their answer", hits, asked)
	if hits < asked*9/10 {
		t.Errorf("%d of %d questions found their answer", hits, asked)
	}
}
