-- What of a published shop is its own and its commune's business (headcount, sales area, when it
-- came) is a column, and a policy cannot tell columns apart: a query for such columns sets
-- halles.own, and what is only published does not count for it, as with variants.

-- +goose Up
drop policy public_reads on shops;
create policy public_reads on shops for select to halles_public using (status = 'PUBLISHED');
create policy public_reads_with_rights on shops for select to halles_app
	using (status = 'PUBLISHED' and (select halles_own()) is null);

-- +goose Down
drop policy public_reads_with_rights on shops;
drop policy public_reads on shops;
create policy public_reads on shops for select to halles_public, halles_app using (status = 'PUBLISHED');
