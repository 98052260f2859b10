// What relay-compiler checks against the schema and compiles: a connection that grows, fragments,
// a refetch by node, a mutation and a subscription. Tests import the artifacts by name.
import { graphql } from 'relay-runtime';

graphql`
  fragment operations_shops on Query
  @refetchable(queryName: "operationsShopsPageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 5 }, cursor: { type: "String" }) {
    shops(first: $count, after: $cursor) @connection(key: "operations_shops") {
      edges { node { id name ...operations_shop } }
    }
  }
`;

graphql`
  fragment operations_shop on Shop @refetchable(queryName: "operationsShopRefetchQuery") {
    name
    commune { id name }
    products(first: 3) { edges { node { id name } } }
  }
`;

graphql`
  query operationsShopsQuery { ...operations_shops }
`;

graphql`
  mutation operationsPlaceMutation($input: PlaceOrdersInput!) {
    placeOrders(input: $input) { results { order { id status } refusals { code } } }
  }
`;

graphql`
  subscription operationsFollowSubscription($id: ID!) {
    orderUpdated(id: $id) { kind order { id status } }
  }
`;
