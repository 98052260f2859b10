package answers

import (
	_ "embed"
	"strings"
)

//go:embed fields.txt
var fieldsText string

// depends is what an answer depends on.
type depends struct {
	clock, pieces, everywhere bool
	never                     bool // it is not kept
}

func (d *depends) add(other depends) {
	d.clock, d.pieces = d.clock || other.clock, d.pieces || other.pieces
	d.everywhere, d.never = d.everywhere || other.everywhere, d.never || other.never
}

// dependsOn is fields.txt by type and field.
var dependsOn = readFields(fieldsText)

func readFields(text string) map[string]map[string]depends {
	types := map[string]map[string]depends{}
	for line := range strings.Lines(text) {
		name, fields, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		if types[name] == nil {
			types[name] = map[string]depends{}
		}
		for _, f := range strings.Fields(fields) {
			field, marks, _ := strings.Cut(f, "@")
			var d depends
			for mark := range strings.SplitSeq(marks, "@") {
				switch mark {
				case "":
				case "clock":
					d.clock = true
				case "pieces":
					d.pieces = true
				case "everywhere":
					d.everywhere = true
				case "never":
					d.never = true
				default:
					panic("fields.txt: @" + mark) // the file is in the program, and read when it starts: every test would fail
				}
			}
			types[name][field] = d
		}
	}
	return types
}

// of is what a field of a type brings; a field that is not known is never kept.
func of(typeName, field string) depends {
	if d, known := dependsOn[typeName][field]; known {
		return d
	}
	if d, known := dependsOn[typeName]["*"]; known {
		return d
	}
	return depends{never: true}
}
