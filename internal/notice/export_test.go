package notice

import "maps"

// Names are the templates that there are, and those that something fills in.
func Names() (files, loaded map[string]bool) {
	files, loaded = map[string]bool{}, map[string]bool{}
	for name := range maps.Keys(templates) {
		files[name] = true
	}
	for name := range maps.Keys(loaders) {
		loaded[name] = true
	}
	return files, loaded
}
