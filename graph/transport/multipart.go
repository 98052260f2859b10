package transport

import "github.com/99designs/gqlgen/graphql"

// parts writes a subscription as Apollo's clients and routers read it: their multipart protocol
// for subscriptions, version 1.0. Each part ends with the boundary of the next one, since a
// client takes a part for whole only when it has read that far.
type parts struct{}

const boundary = "--graphql"

func (parts) mediaType() string {
	return subscriptionParts + `;boundary="graphql";subscriptionSpec=1.0`
}
func (parts) open() string      { return boundary }
func (parts) heartbeat() string { return part("{}") }

// next hands over what the operation answers, its own errors within.
func (parts) next(response *graphql.Response) string {
	return part(`{"payload":` + string(encode(nil, response)) + `}`)
}

// cut tells errors beside the payload, where they end the stream and are no answer of the
// operation's.
func (f parts) cut(response *graphql.Response) string {
	return part(`{"payload":null,"errors":`+string(marshal(response.Errors))+`}`) + f.complete()
}

func (parts) complete() string { return "--\r\n" }

func part(body string) string {
	return "\r\nContent-Type: application/json; charset=utf-8\r\n\r\n" + body + "\r\n" + boundary
}
