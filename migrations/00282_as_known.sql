-- An order on terms that the server knows is sent whole, in one round trip, and its transaction must end
-- where they are the terms no more: see internal/ordering/atonce.go.

-- +goose Up
-- +goose StatementBegin
create function not_as_known() returns boolean language plpgsql as $$
begin
	raise exception 'what the order was judged by is so no more' using errcode = '23514', constraint = 'as_known';
end $$;
-- +goose StatementEnd

-- +goose Down
drop function not_as_known();
