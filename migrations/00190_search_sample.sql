-- Of words that thousands of a commune's entries have, a search ranks a sample of one in eight of these:
-- an index of its own, so that the others are not looked up. Made beside the running version, which
-- needs no lock that a merchant's change would wait for.

-- +goose NO TRANSACTION
-- +goose Up
-- It waits for what was under way when it began, longer than a step that others wait for may.
set lock_timeout = 0;
-- One that was begun and cut off is left behind, of no use to anybody.
drop index concurrently if exists catalog_search_local_eighth;
create index concurrently catalog_search_local_eighth on catalog_search using gin (search_local(commune_id, words)) with (fastupdate = off)
	where get_byte(uuid_send(id), 15) & 7 = 0 and kind = 'PRODUCT';
reset lock_timeout;

-- +goose Down
drop index concurrently catalog_search_local_eighth;
