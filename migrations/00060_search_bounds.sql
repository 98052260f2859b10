-- A search ranks and counts a bounded number of entries, however common its words are: names have
-- lexemes of their own in the index, and samples of the entries an index each.

-- +goose Up
-- The words of an entry as those of its commune, "56121/pain", and of all,
-- "/pain"; those of its name also as such, "56121+pain" and "+pain". A search looks through the
-- names first, and where a thousand have the words it ranks these alone: of 41,000 entries with
-- "boulangerie" in their trade, the ones that it ranks highest are called so. Both sorts are in the
-- same index so that what is no name can be asked for: "/pain and not +pain".
drop index catalog_search_local;
-- It costs so much that it is not to be reckoned for each row of the table.
create or replace function search_local(commune text, words tsvector) returns tsvector language sql immutable parallel safe cost 1000
	return array_to_tsvector(array(
		select place || '/' || w from unnest(tsvector_to_array(words)) w, (values (commune), ('')) p (place)
		union all
		select place || '+' || w from unnest(tsvector_to_array(ts_filter(words, '{a}'))) w, (values (commune), ('')) p (place)));
-- Without the pending list, through which every search would have to read.
create index catalog_search_local on catalog_search using gin (search_local(commune_id, words)) with (fastupdate = off);

-- A query in the words of communes: of any of these or, with "", of all. search_named is it in the
-- words of names. A text of stop words only means nothing.
create or replace function search_in(communes text[], meant tsquery) returns tsquery language sql immutable parallel safe
	return case when numnode(meant) = 0 then ''::tsquery else
		(select string_agg('(' || regexp_replace(meant::text, '''((?:[^'']|'''')*)''', '''' || c || '/\1''', 'g') || ')', ' | ')::tsquery from unnest(communes) c) end;
create function search_named(communes text[], meant tsquery) returns tsquery language sql immutable parallel safe
	return case when numnode(meant) = 0 then ''::tsquery else
		(select string_agg('(' || regexp_replace(meant::text, '''((?:[^'']|'''')*)''', '''' || c || '+\1''', 'g') || ')', ' | ')::tsquery from unnest(communes) c) end;

-- One entry in eight, and one in 64 of all, by the last bits of their ids, which are random: what is
-- found too often to be counted is extrapolated from them. A partial index for each: a word's
-- entries in the sample are read without the others.
create index catalog_search_eighth on catalog_search using gin (words) with (fastupdate = off) where get_byte(uuid_send(id), 15) & 7 = 0;
create index catalog_search_64th on catalog_search using gin (words) with (fastupdate = off) where get_byte(uuid_send(id), 15) & 63 = 0;

-- +goose Down
drop index catalog_search_64th;
drop index catalog_search_eighth;
drop function search_named(text[], tsquery);
drop index catalog_search_local;
create or replace function search_local(commune text, words tsvector) returns tsvector language sql immutable parallel safe cost 100
	return array_to_tsvector(array(select commune || '/' || w from unnest(tsvector_to_array(words)) w));
create index catalog_search_local on catalog_search using gin (search_local(commune_id, words)) with (fastupdate = off);
