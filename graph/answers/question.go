package answers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
)

// Asker is what of an asker changes the answer. Whoever has a credential is none: its answers are
// never looked for here.
type Asker struct {
	Communes []string // of a widget's key, whose catalogue has nothing else; nil for the catalogue of all
	Only     string   // whose registered documents are all that the request may send; "" for any document
}

// Question is a request as far as its answer depends on it.
type Question struct {
	by  Asker
	key [sha256.Size]byte
}

// maxVariables is the longest text of variables that is looked for: a longer one is hardly asked twice.
const maxVariables = 4 << 10

// Ask is a request's question; false for one that must be read by the executor itself. params are
// as they were sent: a document by its text, or by its hash.
//
// The key is a digest of all: an asker chooses what goes in, and must not choose where it comes out.
func Ask(by Asker, params *graphql.RawParams) (Question, bool) {
	document, ok := documentOf(params)
	if !ok {
		return Question{}, false
	}
	variables, err := json.Marshal(params.Variables) // names in order, numbers as they were written
	if err != nil || len(variables) > maxVariables {
		return Question{}, false
	}
	text, err := json.Marshal([]any{document, params.OperationName, by.Only, by.Communes}) // whatever is in them, no two make one
	if err != nil {
		return Question{}, false
	}
	return Question{by, sha256.Sum256(append(text, variables...))}, true
}

// documentOf is the SHA-256 of a document in hex: computed from its text, or as it was sent. Where
// both were sent, whether they belong together is for the executor to say.
func documentOf(params *graphql.RawParams) (string, bool) {
	persisted, given := params.Extensions["persistedQuery"]
	if !given {
		sum := sha256.Sum256([]byte(params.Query))
		return hex.EncodeToString(sum[:]), true
	}
	members, _ := persisted.(map[string]any)
	hash, ok := members["sha256Hash"].(string)
	return hash, ok && params.Query == "" && isOne(members["version"])
}

func isOne(version any) bool {
	switch version := version.(type) {
	case json.Number:
		return version == "1"
	case int:
		return version == 1
	}
	return false
}
