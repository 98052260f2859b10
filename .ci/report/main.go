// Command report reads `go test -json` and prints what a person wants of it: a line for each
// package, everything that a failed test said, why tests were skipped. It ends with the counts
// ("12 passed, 0 failed, 1 skipped") and with exit code 1 when something failed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is a line of `go test -json`, see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of a package that does not compile
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

func main() {
	passed, failed, skipped, err := report(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(2)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 {
		os.Exit(1)
	}
}

func report(in io.Reader, out io.Writer) (passed, failed, skipped int, err error) {
	type key struct{ pkg, test string }
	said := map[key]*strings.Builder{}
	tests, broken := map[string]int{}, map[string]int{} // of each package
	running := map[key]bool{}
	lines := bufio.NewReader(in)
	for {
		line, readErr := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) != nil {
				fmt.Fprint(out, line) // the go command's own, before any test
				continue
			}
			if e.Package == "" {
				e.Package, _, _ = strings.Cut(e.ImportPath, " ")
			}
			k := key{e.Package, e.Test}
			switch e.Action {
			case "run":
				running[k] = true
			case "output", "build-output":
				if said[k] == nil {
					said[k] = &strings.Builder{}
				}
				said[k].WriteString(e.Output)
			case "pass", "fail", "skip":
				delete(running, k)
				text := ""
				if said[k] != nil {
					text = said[k].String()
					delete(said, k)
				}
				switch {
				case e.Test != "" && e.Action == "pass":
					passed++
					tests[e.Package]++
				case e.Test != "" && e.Action == "skip":
					skipped++
					fmt.Fprintf(out, "skip  %s %s\n%s", e.Package, e.Test, text)
				case e.Test != "":
					failed++
					tests[e.Package]++
					broken[e.Package]++
					fmt.Fprint(out, text)
				case e.Action == "pass":
					fmt.Fprintf(out, "ok    %-50s %7.2fs %5d tests\n", e.Package, e.Elapsed, tests[e.Package])
				case e.Action == "fail":
					// A test that was cut off, by a panic or by the time limit, never says how it ended.
					for r := range running {
						if r.pkg == e.Package && r.test != "" {
							delete(running, r)
							failed++
							broken[e.Package]++
							if said[r] != nil {
								fmt.Fprint(out, said[r].String())
							}
							fmt.Fprintf(out, "cut off: %s\n", r.test)
						}
					}
					if broken[e.Package] == 0 {
						failed++ // the package itself: it does not compile, or its TestMain failed
					}
					fmt.Fprintf(out, "%sFAIL  %-50s %7.2fs %5d tests, %d failed\n", text, e.Package, e.Elapsed, tests[e.Package], broken[e.Package])
				}
			}
		}
		if readErr == io.EOF {
			break
		}
		if readErr != nil {
			return passed, failed, skipped, readErr
		}
	}
	if passed+failed == 0 {
		return 0, 0, skipped, fmt.Errorf("no test ran")
	}
	return passed, failed, skipped, nil
}
