-- Imports of shops: what they look up, and what their undoing takes out again.

-- +goose Up
-- Which of these SIRETs somebody has, a shop of any commune or a dossier; not who. Who enters a
-- dossier is told as much. As the owner, since one SIRET has one holder over all communes and an
-- agent reads its own only.
-- +goose StatementBegin
create function siret_held(sirets text[]) returns table (siret text) language sql stable security definer set search_path = public, pg_temp
begin atomic
	select h.siret from siret_holders h where h.siret = any(sirets) and (select halles_kind()) in ('agent', 'admin');
end;
-- +goose StatementEnd
revoke execute on function siret_held(text[]) from public;
grant execute on function siret_held(text[]) to halles_app;

-- Only what was never public: its staff made it and takes it back.
create policy staff_unmakes on shops for delete to halles_app
	using ((select halles_kind()) in ('agent', 'admin') and commune_id = any ((select halles_staff())::text[]) and status = 'PENDING');
grant delete on shops to halles_app;

-- +goose Down
revoke delete on shops from halles_app;
drop policy staff_unmakes on shops;
drop function siret_held(text[]);
