# Who am I? Without a credential: nobody in particular.
curl -s "$HALLES_URL/graphql" \
  -H 'Content-Type: application/json' \
  -d '{"query": "{ viewer { kind } communes { name } }"}'
