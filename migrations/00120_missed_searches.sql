-- What people look for in vain: how often, and in which words, where three of them used the same.

-- +goose Up
create table search_misses (
	place    text collate "C" not null,
	day      date not null,
	searches integer not null,
	constraint search_misses_pkey primary key (place, day),
	constraint search_misses_place check (place ~ '^([0-9AB]{5})?$'),
	constraint search_misses_searches check (searches > 0)
);
comment on table search_misses is 'owner: catalog. Searches that found nothing, counted. Counts only, of nobody, and some of no commune: no RLS.';
comment on column search_misses.place is 'the commune that was searched, by INSEE code; empty for a search over several. A search counts once, so that places add up.';
comment on column search_misses.day is 'in Europe/Paris.';

create table search_miss_terms (
	place    text collate "C" not null,
	day      date not null,
	term     text not null,
	sessions integer not null,
	constraint search_miss_terms_pkey primary key (place, day, term),
	constraint search_miss_terms_sessions check (sessions >= 3),
	constraint search_miss_terms_miss_fkey foreign key (place, day) references search_misses (place, day)
);
comment on table search_miss_terms is 'owner: catalog. What was searched in vain by three sessions or more on one day: words that only one or two people typed are not kept. Of nobody, and some of no commune: no RLS.';
comment on column search_miss_terms.sessions is 'how many distinct sessions searched it that day.';

-- Who searched what is known for a day, and by digests only: under a salt that is drawn for the
-- day and deleted after it, so that nobody can try names and addresses on what a backup holds.
create table search_salts (
	day  date not null,
	salt bytea not null,
	constraint search_salts_pkey primary key (day),
	constraint search_salts_length check (length(salt) = 32)
);
comment on table search_salts is 'owner: catalog. The key of a day''s digests in search_sightings; deleted with them once the day is over. No commune''s, no RLS.';
create table search_sightings (
	place   text collate "C" not null,
	day     date not null,
	term    bytea not null,
	session bytea not null,
	constraint search_sightings_pkey primary key (place, day, term, session),
	constraint search_sightings_salt_fkey foreign key (day) references search_salts (day) on delete cascade
);
comment on table search_sightings is 'owner: catalog. That a session searched a text in vain, as HMACs under the salt of the day; deleted once the day is over. Of no commune''s rows, no RLS.';
create index search_sightings_by_day on search_sightings (day); -- for the cascade

grant select, insert, update on search_misses, search_miss_terms to halles_app;
grant select, insert on search_salts, search_sightings to halles_app;
grant select on search_misses to halles_worker;
grant select, delete on search_miss_terms, search_salts to halles_worker;

-- +goose Down
drop table search_sightings;
drop table search_salts;
drop table search_miss_terms;
drop table search_misses;
