-- After an import of thousands of rows the planner is told what the tables have now. Else it believes for
-- up to a minute that they have what they had, or in a young town nothing, and each few hundred rows that
-- an undo puts back look through all hundred thousand.

-- +goose Up
-- To make statistics is the owner's right.
-- +goose StatementBegin
create function import_statistics() returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
	analyze import_changes;
	analyze products;
	analyze variants;
	analyze stock_moves;
end $$;
-- +goose StatementEnd
revoke execute on function import_statistics() from public;
grant execute on function import_statistics() to halles_app, halles_worker;

-- +goose Down
drop function import_statistics();
