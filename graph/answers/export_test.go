package answers

// Known tells whether fields.txt has a field, and whether no answer with it is kept.
func Known(typeName, field string) (never, known bool) {
	d, known := dependsOn[typeName][field]
	if !known {
		d, known = dependsOn[typeName]["*"]
	}
	return d.never, known
}

// Names are all that fields.txt has.
func Names() map[string]bool {
	names := map[string]bool{}
	for typeName, fields := range dependsOn {
		for f := range fields {
			names[typeName+"."+f] = true
		}
	}
	return names
}
