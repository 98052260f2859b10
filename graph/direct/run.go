package direct

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"github.com/audelor/halles/graph/loader"
)

// Fetcher reads what a loader was asked for, or several.
type Fetcher interface{ Fetch(ctx context.Context) }

// Batch gathers the keys of a level.
type Batch struct {
	loaders []Fetcher
	many    int // objects that keys are asked of
}

// Ask asks a loader for a key ahead.
func Ask[K comparable, V any](b *Batch, l *loader.Loader[K, V], key K) {
	if l.Ask(key, b.many) {
		b.loaders = append(b.loaders, l)
	}
}

// level is what a step gave for all objects above it.
type level struct {
	ends    []int32       // by the object above: where its own objects end, or its bytes
	errs    map[int]error // by the object above
	objects []any
	bytes   []byte  // of a leaf
	branch  []uint8 // by the object, where they are of several types: which
	place   []int32 // by the object, likewise: its place among those of its type
}

// span is where the objects, or the bytes, of an object above are.
func (l *level) span(above int) (from, to int) {
	if above > 0 {
		from = int(l.ends[above-1])
	}
	return from, int(l.ends[above])
}

// run is one execution of a plan.
type run struct {
	*plan
	ctx       context.Context
	operation *graphql.OperationContext
	levels    []level
	args      []any            // by the level of a step with a resolver
	refused   map[*step][]byte // root fields that a guard answered
	next      []relation
	schema    *Schema
}

// relation is a step whose objects are known and wait for their resolver.
type relation struct {
	*step
	above []any
}

// broken is a panic of a resolver, or what the schema does not have.
type broken struct {
	reason any
	stack  []byte
}

func (b *broken) Error() string { return fmt.Sprintf("%v\n%s", b.reason, b.stack) }

// unreadable says that an argument is for gqlgen to refuse.
var unreadable = &broken{reason: "an argument"}

// caught turns a panic into an error.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = &broken{p, debug.Stack()}
	}
}

// execute makes the answer; an error says that gqlgen must.
func (p *plan) execute(ctx context.Context, operation *graphql.OperationContext, s *Schema) (_ *writer, err error) {
	defer caught(&err)
	r := &run{plan: p, ctx: context.WithValue(ctx, planKey{}, p), operation: operation, levels: make([]level, p.count), args: make([]any, p.count), schema: s}
	if !r.read(p.root) {
		return nil, unreadable
	}
	r.guard()
	r.reach(p.root, []any{&Query{}})
	for len(r.next) > 0 {
		now := r.next
		r.next = nil
		if err := r.resolve(now); err != nil {
			return nil, err
		}
	}
	return r.write()
}

// read reads all arguments before anything is done.
func (r *run) read(s *selection) bool {
	for _, one := range s.steps {
		if one.field == nil {
			continue
		}
		if one.call != nil {
			wrong := false
			a := Args{given: none, wrong: &wrong}
			if len(one.Definition.Arguments) > 0 {
				a.given = one.ArgumentMap(r.operation.Variables)
			}
			read := one.field.args(&a)
			if a.done(); wrong {
				return false
			}
			r.args[one.level] = read
		}
		for _, b := range one.below {
			if !b.plain && !r.read(b.selection) {
				return false
			}
		}
	}
	return true
}

var none map[string]any

// guard asks the guards of each root field whether it may be resolved.
func (r *run) guard() {
	for _, s := range r.root.steps {
		if s.field == nil {
			continue
		}
		ctx := graphql.WithRootFieldContext(r.ctx, &graphql.RootFieldContext{Object: s.Name, Field: s.CollectedField})
		answer := r.operation.RootResolverMiddleware(ctx, func(context.Context) graphql.Marshaler { return graphql.True })
		if answer == graphql.True {
			continue
		}
		if r.refused == nil {
			r.refused = map[*step][]byte{}
		}
		r.refused[s] = marshalled(answer)
	}
}

// reach takes the objects of a selection and follows what is plain, up to the next relations.
func (r *run) reach(s *selection, objects []any) {
	if len(objects) == 0 {
		return
	}
	for _, one := range s.steps {
		if one.level < 0 || r.refused[one] != nil && s == r.root {
			continue
		}
		if one.call != nil {
			r.next = append(r.next, relation{one, objects})
			continue
		}
		l := &r.levels[one.level]
		l.ends = make([]int32, len(objects))
		for i, o := range objects {
			if one.shape == many {
				one.each(o, func(v any) { l.objects = append(l.objects, v) })
			} else if v := one.get(o); v != nil {
				l.objects = append(l.objects, v)
			}
			l.ends[i] = int32(len(l.objects))
		}
		r.descend(one)
	}
}

// descend goes on with the objects that a step gave.
func (r *run) descend(s *step) {
	l := &r.levels[s.level]
	if len(s.below) == 1 {
		if !s.below[0].plain {
			r.reach(s.below[0].selection, l.objects)
		}
		return
	}
	of := make([][]any, len(s.below))
	l.branch, l.place = make([]uint8, len(l.objects)), make([]int32, len(l.objects))
	for i, o := range l.objects {
		n := s.branchOf(o)
		l.branch[i], l.place[i] = uint8(n), int32(len(of[n]))
		of[n] = append(of[n], o)
	}
	for i, b := range s.below {
		if !b.plain && len(of[i]) > 0 {
			r.reach(b.selection, of[i])
		}
	}
}

// resolve calls the resolvers of relations, once what they will load is there.
func (r *run) resolve(now []relation) error {
	var b Batch
	for _, s := range now {
		args := r.args[s.level]
		b.many = len(s.above)
		for _, o := range s.above {
			if s.ask != nil {
				s.ask(r.ctx, &b, o, args)
			}
			if s.stub != nil {
				if stub, known := s.stub(o, args); known {
					r.askAhead(&b, s.below[0].selection, stub)
				}
			}
		}
	}
	if err := r.wait(now, b.loaders); err != nil {
		return err
	}
	for _, s := range now {
		if !s.io {
			r.call(s)
		}
		if s.shape != leaf {
			r.descend(s.step)
		}
	}
	return nil
}

// wait does what waits for Postgres: the loaders, and the relations that ask by themselves.
func (r *run) wait(now []relation, loaders []Fetcher) (err error) {
	var work []func()
	for _, s := range now {
		if s.io {
			work = append(work, func() { r.call(s) })
		}
	}
	switch {
	case len(work) == 0 && len(loaders) > 0: // most often
		defer caught(&err)
		r.fetch(loaders)
		return nil
	case len(loaders) > 0:
		work = append(work, func() { r.fetch(loaders) })
	}
	return beside(work)
}

func (r *run) call(s relation) {
	l, args := &r.levels[s.level], r.args[s.level]
	l.ends = make([]int32, len(s.above))
	for i, o := range s.above {
		if err := s.step.call(r.ctx, o, args, l); err != nil {
			if l.errs == nil {
				l.errs = map[int]error{}
			}
			l.errs[i] = err
		}
		l.ends[i] = int32(len(l.objects) + len(l.bytes))
	}
}

// askAhead asks for what lies below an object that only its ID is known of.
func (r *run) askAhead(b *Batch, s *selection, stub any) {
	for _, one := range s.steps {
		if one.field != nil && one.ahead != nil {
			one.ahead(r.ctx, b, stub, r.args[one.level])
		}
	}
}

// fetch has all loaders read what was asked for, in one round trip.
func (r *run) fetch(loaders []Fetcher) {
	if loaders = r.schema.Joined(r.ctx, loaders); len(loaders) == 1 {
		loaders[0].Fetch(r.ctx)
		return
	}
	errs := make([]error, len(loaders))
	work := make([]func(context.Context), len(loaders))
	for i, l := range loaders {
		work[i] = func(ctx context.Context) {
			defer caught(&errs[i])
			l.Fetch(ctx)
		}
	}
	r.schema.Together(r.ctx, work)
	if err := errors.Join(errs...); err != nil {
		panic(err)
	}
}

// beside does all of the work side by side: each waits for Postgres.
func beside(work []func()) (err error) {
	if len(work) == 1 { // most often: nothing need be waited for
		defer caught(&err)
		work[0]()
		return nil
	}
	errs := make([]error, len(work))
	do := func(i int) {
		defer caught(&errs[i])
		work[i]()
	}
	var wait sync.WaitGroup
	for i := 1; i < len(work); i++ {
		wait.Go(func() { do(i) })
	}
	if len(work) > 0 {
		do(0)
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
