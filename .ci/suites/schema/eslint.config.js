// graphql-eslint's schema-all and Relay's rules. What is off or eased says why.
import graphql from '@graphql-eslint/eslint-plugin';

const all = graphql.configs['flat/schema-all'].rules;
const relay = graphql.configs['flat/schema-relay'].rules;

export default [
  {
    files: ['schema.graphql'],
    plugins: { '@graphql-eslint': graphql },
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: './schema.graphql' } } },
    rules: {
      ...all,
      ...relay,
      // The schema is read from top to bottom, by what it is about: the alphabet would part an
      // input from its mutation and PLACED from ACCEPTED.
      '@graphql-eslint/alphabetize': 'off',
      // An unexpected failure of a list must not become an empty page: non-null says that the
      // whole answer failed. What may be missing (commune, shop, order …) is nullable.
      '@graphql-eslint/require-nullable-result-in-root': 'off',
      // Payloads give the thing changed and the refusals; the root is always at hand.
      '@graphql-eslint/require-field-of-type-query-in-mutation-result': 'off',
      // Values and results have no id of their own; things that have one are Nodes.
      '@graphql-eslint/strict-id-in-types': 'off',
      // Lists go forward only: backward paging by keyset is another statement that nobody asked for.
      '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
      // Short lists that are bounded by nature (a shop's modes, an order's lines) are plain lists.
      // An entry of the audit log is known by its place in it, and found again by its cursor.
      '@graphql-eslint/relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false }],
      // We have mutations and subscriptions.
      '@graphql-eslint/no-root-type': 'off',
      '@graphql-eslint/require-description': ['error', {
        types: true, rootField: true, FieldDefinition: true, InputValueDefinition: true, EnumValueDefinition: true, DirectiveDefinition: true,
        // A mutation's one argument is described by its type, which exists for it alone.
        ignoredSelectors: ['ObjectTypeDefinition[name.value=Mutation] FieldDefinition > InputValueDefinition[name.value=input]'],
      }],
    },
  },
];
