-- The sweep of words that nothing published has any more reads the index's table once: to look each
-- of 27,000 words up among 108,000 entries took more than the minute that a job may, so that it
-- was cut off each time. 2 s.

-- +goose Up
-- +goose StatementBegin
create or replace function search_forget() returns void language sql
begin atomic
	delete from search_terms t where t.lexeme <> '' and not exists (
		select from (select distinct w.commune_id, u.lexeme from catalog_search w, unnest(w.words) u) k
		where k.commune_id = t.commune_id and k.lexeme = t.lexeme);
end;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
create or replace function search_forget() returns void language sql
begin atomic
	delete from search_terms t where not exists (
		select from catalog_search w where w.commune_id = t.commune_id and w.words @@ to_tsquery('simple', quote_literal(t.lexeme))) and t.lexeme <> '';
end;
-- +goose StatementEnd
