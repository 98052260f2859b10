//go:build !nochecks

package identity

// Checked tells that the program asks for itself who may see what: the first of the two locks.
//
// Built with the tag nochecks it does not, and row-level security is all that holds. That build
// is for one test, which shows that it holds alone (see graph/graphtest); nobody serves with it.
const Checked = true
