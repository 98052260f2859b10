package transport

// Given, ReadPlain and Decode are for the test that holds the quick way to read a body against the other.
type Given = given

var (
	ReadPlain = readPlain
	Decode    = decode
)
