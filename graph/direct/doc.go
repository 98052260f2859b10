// Package direct answers the queries of the catalogue without gqlgen's field executor.
//
// gqlgen spends 3.5 µs on a field: a goroutine for each element of a list, a context for each
// field, a closure for each value that will be written. A commune with 20 shops of ten products
// each is 5,000 fields, and its SQL and its JSON are small beside that. Here the same answer is
// made level by level:
//
//   - A document is compiled once (plan.go), by gqlgen's own CollectFields: fragments are merged
//     and directives obeyed as gqlgen does, because gqlgen does it. A plan is kept for each
//     operation and for each combination of the variables that its directives ask.
//   - A level is all objects at one place of the document: the 200 products of 20 shops. Its
//     relations first ask for the keys of all objects (Batch), each loader reads them in one
//     statement and without a wait, and then the very resolvers that gqlgen calls are called; what
//     they load is there already. So what somebody may see, and what is refused and how, is written
//     in one place only, and a key that was not asked for ahead is slower and not wrong.
//   - What all loaders of a level ask leaves in one round trip (Schema.Together), and with it what lies
//     below an object that the document names: product(id) has the ID by which its variants and its
//     shop are found, so that they are read beside it (Relation.Stub, Relation.Ahead). What is asked
//     so in vain, of a product that the viewer may not see, is never shown.
//   - Where the rows of several loaders can be joined, the schema puts one that asks a single statement in
//     their place (Schema.Joined): a product that the document names comes with its shop and its
//     variants, a row for each (graph/joined.go).
//   - A type may have a short form, which costs less to read: a shop as lists show it (Type.Short).
//     Where the document asks no more of any of its objects, loaders are made that read it (Short).
//   - In the end all levels are written at once, depth first (write.go), by accessors of plain
//     members that append to one buffer.
//
// What is understood is what the table has, see Object: types and fields with their accessors, for
// what the public reads most. An operation with anything else goes to gqlgen as a whole: a field
// that is not in the table, an interface, introspection, @defer, a mutation. So does one whose
// answer could not be made here although it should be: with an argument that does not fit its type,
// a null where the schema has none, a panic. Queries change nothing, so asking again is safe, and
// the client reads the error in gqlgen's words. Errors of resolvers are presented here, with path
// and location, and nulls go up, as the specification and gqlgen have it (6.4.4).
//
// All that stands around the execution stays around it: the executor's middlewares, the limits, the
// price, the error presenter; and the guards of root fields are asked before a field is resolved.
// Only AroundFields has no place here, and nobody uses it for queries.
//
// A differential test asks both executors the same questions by chance, as every kind of viewer,
// and compares data byte by byte and errors (graph/graphtest).
package direct
