-- Row-level security where it was wider than the program: whole tables read as each kind of viewer
-- showed rows that were neither published nor the viewer's own. The program asked for none of
-- them; now it could not.

-- +goose Up
-- Set for a query that wants one's own rows only: what is published does not count. A published
-- row is everybody's but for its exact stock, and a policy cannot tell columns apart.
create function halles_own() returns text language sql stable parallel safe
	return nullif(pg_catalog.current_setting('halles.own', true), '');

-- Hours and conditions of a shop that is not published: they follow it as products do.
alter table opening_hours add column published boolean not null default false;
alter table fulfilments add column published boolean not null default false;
comment on column opening_hours.published is 'the shop is PUBLISHED, kept by follow_shop() and shops_publish(): policies may not join.';
comment on column fulfilments.published is 'the shop is PUBLISHED, kept by follow_shop() and shops_publish(): policies may not join.';
-- +goose StatementBegin
create function follow_shop() returns trigger language plpgsql as $$
begin
	new.published := exists (select from shops s where s.commune_id = new.commune_id and s.id = new.shop_id and s.status = 'PUBLISHED');
	return new;
end $$;
create or replace function shops_publish() returns trigger language plpgsql as $$
begin
	-- Orders lock variants in the order of their keys; who locks several otherwise may wait for
	-- an order that waits for it.
	perform from variants v where v.commune_id = new.commune_id and v.shop_id = new.id order by v.id for update;
	update products p set published = (p.status = 'ACTIVE' and new.status = 'PUBLISHED')
	where p.commune_id = new.commune_id and p.shop_id = new.id
	and p.published <> (p.status = 'ACTIVE' and new.status = 'PUBLISHED');
	update opening_hours h set published = (new.status = 'PUBLISHED')
	where h.commune_id = new.commune_id and h.shop_id = new.id and h.published <> (new.status = 'PUBLISHED');
	update fulfilments f set published = (new.status = 'PUBLISHED')
	where f.commune_id = new.commune_id and f.shop_id = new.id and f.published <> (new.status = 'PUBLISHED');
	return null;
end $$;
-- +goose StatementEnd
create trigger follow_shop before insert on opening_hours for each row execute function follow_shop();
create trigger follow_shop before insert on fulfilments for each row execute function follow_shop();
-- A forced owner sees no row: data steps run as halles_migrate itself.
set local role halles_migrate;
update opening_hours h set published = true where exists (
	select from shops s where s.commune_id = h.commune_id and s.id = h.shop_id and s.status = 'PUBLISHED');
update fulfilments f set published = true where exists (
	select from shops s where s.commune_id = f.commune_id and s.id = f.shop_id and s.status = 'PUBLISHED');
set local role halles_owner;

drop policy public_reads on opening_hours;
drop policy public_reads on fulfilments;
create policy public_reads on opening_hours for select to halles_public, halles_app using (published);
create policy public_reads on fulfilments for select to halles_public, halles_app using (published);
create policy own_shop on opening_hours to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy own_shop on fulfilments to halles_app
	using ((select halles_kind()) = 'merchant' and shop_id = any ((select halles_shops())::uuid[]));
create policy own_commune on opening_hours to halles_app using ((select halles_kind()) in ('agent', 'hotline', 'admin')
		and commune_id = any ((select halles_staff())::text[]));
create policy own_commune on fulfilments to halles_app using ((select halles_kind()) in ('agent', 'hotline', 'admin')
		and commune_id = any ((select halles_staff())::text[]));
-- For shops_publish(), which runs as whoever publishes.
grant update (published) on opening_hours, fulfilments to halles_app;

drop policy public_reads on variants;
create policy public_reads on variants for select to halles_public using (published);
create policy public_reads_with_rights on variants for select to halles_app using (published and (select halles_own()) is null);

-- Whoever orders takes published pieces; whoever calls an order off gives back what it held,
-- withdrawn since or not. A setting and no join: half of a purchase is this one statement.
create function halles_returned() returns uuid[] language sql stable parallel safe
	return nullif(pg_catalog.current_setting('halles.returned', true), '')::uuid[];
drop policy order_takes_stock on variants;
drop policy order_sees_stock on variants;
create policy order_sees_stock on variants for select to halles_app
	using ((select halles_kind()) in ('guest', 'customer') and id = any ((select halles_returned())::uuid[]));
create policy order_moves_stock on variants for update to halles_app
	using ((select halles_kind()) in ('guest', 'customer') and (published or id = any ((select halles_returned())::uuid[])));

-- A shop's ledger tells its sales.
drop policy merchant_reads on stock_moves;
create policy merchant_reads on stock_moves for select to halles_app
	using ((select halles_kind()) = 'merchant' and exists (select from variants v
		where v.commune_id = stock_moves.commune_id and v.id = stock_moves.variant_id and v.shop_id = any ((select halles_shops())::uuid[])));
create policy staff_reads on stock_moves for select to halles_app
	using ((select halles_kind()) in ('agent', 'hotline', 'admin') and commune_id = any ((select halles_staff())::text[]));

-- A visitor's key is its secret: halles.viewer is made from it, as its scope is, so that a guest
-- finds the row of a key that it has and no other.
drop policy own_scope on idempotency_keys;
create policy own_scope on idempotency_keys to halles_app
	using ((select halles_kind()) in ('guest', 'customer', 'merchant', 'hotline')
		and scope = (select halles_viewer())::text);
comment on column idempotency_keys.scope is 'the account; for those without one a UUID made from the key itself, which is then the client''s secret.';
