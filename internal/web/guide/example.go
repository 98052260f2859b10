package guide

import (
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed examples/*
var exampleFiles embed.FS

// Example is a request of the guide: a file of examples/, run by the tests as it is shown.
//
// A .graphql file begins with what the page and the tests must know, a line each:
//
//	# title: Place a basket
//	# as: visitor                     the token of demo.json that asks; visitor sends none
//	# bearer: KEY: PATH               asks with the token in an earlier answer instead
//	# variables: {"commune": "…"}
//	# take: VARIABLE = KEY: PATH      a variable from an earlier answer
//	# fresh: VARIABLE                 a variable that is new each time
//	# expect: PATH = VALUE            what the answer must hold
//	# error: CODE                     what it must be refused with
type Example struct {
	Key       string // "place": the file without number and ending
	Title     string
	Text      string // without the lines above
	Language  string // "graphql", "sh" or "mjs"
	As        string
	Bearer    Take
	Variables map[string]any
	Takes     []Take
	Fresh     []string
	Expect    map[string]string // by path
	Error     string
}

// Take is a value of an earlier answer's data, by gjson's paths.
type Take struct{ Variable, Key, Path string }

// Examples lists the examples in the order in which they are run: one may take values from the
// answers of those before it.
func Examples() ([]Example, error) {
	var list []Example
	err := fs.WalkDir(exampleFiles, "examples", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := exampleFiles.ReadFile(name)
		if err != nil {
			return err
		}
		e, err := parse(path.Base(name), string(text))
		list = append(list, e)
		return err
	})
	return list, err
}

func parse(file, text string) (Example, error) {
	ending := path.Ext(file)
	key := strings.TrimSuffix(file, ending)
	if number, rest, found := strings.Cut(key, "-"); found {
		if _, err := strconv.Atoi(number); err == nil {
			key = rest
		}
	}
	e := Example{Key: key, Language: strings.TrimPrefix(ending, "."), Text: text, Expect: map[string]string{}, Variables: map[string]any{}}
	if e.Language != "graphql" {
		return e, nil
	}
	for {
		line, rest, _ := strings.Cut(e.Text, "\n")
		setting, isSetting := strings.CutPrefix(line, "# ")
		if !isSetting {
			return e, nil
		}
		e.Text = rest
		name, value, _ := strings.Cut(setting, ": ")
		if err := e.set(name, value); err != nil {
			return e, fmt.Errorf("%s: %q: %w", file, line, err)
		}
	}
}

func (e *Example) set(name, value string) error {
	switch name {
	case "title":
		e.Title = value
	case "as":
		e.As = value
	case "bearer":
		e.Bearer.Key, e.Bearer.Path, _ = strings.Cut(value, ": ")
	case "variables":
		return json.Unmarshal([]byte(value), &e.Variables)
	case "take":
		variable, from, _ := strings.Cut(value, " = ")
		key, at, found := strings.Cut(from, ": ")
		if !found {
			return fmt.Errorf("write VARIABLE = KEY: PATH")
		}
		e.Takes = append(e.Takes, Take{variable, key, at})
	case "fresh":
		e.Fresh = append(e.Fresh, value)
	case "expect":
		at, want, _ := strings.Cut(value, " = ")
		e.Expect[at] = want
	case "error":
		e.Error = value
	default:
		return fmt.Errorf("there is no %s", name)
	}
	return nil
}

// With are the example's variables, those that it takes from the answers by find among them.
func (e *Example) With(find func(Take) (any, error)) (map[string]any, error) {
	raw, err := json.Marshal(e.Variables)
	if err != nil {
		return nil, err
	}
	variables := map[string]any{}
	if err := json.Unmarshal(raw, &variables); err != nil { // a copy of its own
		return nil, err
	}
	for _, take := range e.Takes {
		v, err := find(take)
		if err != nil {
			return nil, err
		}
		put(variables, strings.Split(take.Variable, "."), v)
	}
	for _, variable := range e.Fresh {
		put(variables, strings.Split(variable, "."), rand.Text())
	}
	return variables, nil
}

// shown are the variables with a word in the place of each value that comes from elsewhere.
func (e *Example) shown() (string, error) {
	variables, err := e.With(func(take Take) (any, error) {
		steps := strings.Split(take.Variable, ".")
		return strings.ToUpper(steps[len(steps)-1]), nil
	})
	if err != nil || len(variables) == 0 {
		return "", err
	}
	for _, variable := range e.Fresh {
		put(variables, strings.Split(variable, "."), "16 OR MORE LETTERS BY CHANCE")
	}
	text, err := json.MarshalIndent(variables, "", "  ")
	return string(text), err
}

// put sets a value within v, whose objects and lists are there or are made.
func put(v any, steps []string, value any) {
	switch v := v.(type) {
	case map[string]any:
		if len(steps) == 1 {
			v[steps[0]] = value
			return
		}
		if v[steps[0]] == nil {
			v[steps[0]] = map[string]any{}
		}
		put(v[steps[0]], steps[1:], value)
	case []any:
		if i, err := strconv.Atoi(steps[0]); err == nil && i < len(v) && len(steps) > 1 {
			put(v[i], steps[1:], value)
		}
	}
}

// find is the example with a key.
func find(list []Example, key string) (Example, error) {
	i := slices.IndexFunc(list, func(e Example) bool { return e.Key == key })
	if i < 0 {
		return Example{}, fmt.Errorf("the guide has no example %s", key)
	}
	return list[i], nil
}
