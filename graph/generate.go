package graph

//go:generate go run ./audience
//go:generate go tool gqlgen generate
//go:generate go generate ./graphtest/client
