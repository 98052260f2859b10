-- +goose Up
-- What an order costs is the sum of its lines, whoever changes either: a line of which less is
-- given changes both, and nobody sets the one alone.
-- +goose StatementBegin
create function order_is_sum_of_lines() returns trigger language plpgsql as $$
begin
	if new.items_cents <> (select coalesce(sum(quantity::bigint * unit_cents), 0) from order_lines l where l.commune_id = new.commune_id and l.order_id = new.id) then
		raise exception 'order % is not the sum of its lines', new.id using errcode = '42501', constraint = 'orders_sum_of_lines';
	end if;
	return null;
end $$;
-- +goose StatementEnd
create constraint trigger orders_sum_of_lines after update of items_cents on orders
	deferrable initially immediate for each row execute function order_is_sum_of_lines();

-- +goose Down
drop trigger orders_sum_of_lines on orders;
drop function order_is_sum_of_lines();
