-- Search over shops and products: one index for all communes and one for each, what filters and
-- counts in the same row, a thesaurus, and the words that a misspelt one may be.

-- +goose Up
create extension if not exists pg_trgm;

alter table catalog_search
	add column latitude double precision not null default 0,
	add column longitude double precision not null default 0,
	add column pickup boolean not null default false,
	add column delivery boolean not null default false,
	add column length smallint not null default 1;
comment on column catalog_search.length is 'the number of words of the name.';
comment on column catalog_search.latitude is 'the shop''s door, as longitude; kept here so that a search reads one table.';
comment on column catalog_search.pickup is 'the shop hands over by click & collect; delivery: it delivers.';

drop index catalog_search_words; -- made again below, from the rows as they are then

-- The words of an entry as those of its commune: "56121/pain". A search in one commune then reads
-- its own entries only. Measured on 107,000 entries, 655 of 4,442 for "pain" in the largest commune:
-- 0.25 ms; an index of (commune_id, words) with btree_gin took 1.1 ms, since it goes through the
-- 30,000 places of the commune, and was larger.
create function search_local(commune text, words tsvector) returns tsvector language sql immutable parallel safe
	return array_to_tsvector(array(select commune || '/' || w from unnest(tsvector_to_array(words)) w));
-- A query in the words of communes: any of them.
create function search_in(communes text[], meant tsquery) returns tsquery language sql immutable parallel safe
	return (select string_agg('(' || regexp_replace(meant::text, '''((?:[^'']|'''')*)''', '''' || c || '/\1''', 'g') || ')', ' | ')::tsquery from unnest(communes) c);

-- The words of a text that somebody typed: a hyphen parts words, as it may in a name.
create function search_typed(typed text) returns text language sql immutable parallel safe
	return translate(typed, '’ʼ-', ''''' ');

create table search_thesaurus (
	said       text not null,
	also       text not null,
	reason     text collate "C" not null,
	said_query tsquery not null generated always as (plainto_tsquery('french_unaccent', search_typed(said))) stored,
	also_query tsquery not null generated always as (plainto_tsquery('french_unaccent', search_typed(also))) stored,
	constraint search_thesaurus_pkey primary key (said, also),
	constraint search_thesaurus_reason check (reason in ('SYNONYM', 'BRAND', 'SHORT', 'ENGLISH', 'REGIONAL', 'TRADE', 'SPELLING'))
);
comment on table search_thesaurus is 'owner: catalog. Who says the one also means the other. Ours, for trades and goods. Reference data: readable by all, no RLS.';
comment on column search_thesaurus.reason is 'SYNONYM: another word for it; BRAND: a brand that has become a word; SHORT: a clipped word; ENGLISH: borrowed; REGIONAL: said in Brittany; TRADE: who sells it; SPELLING: written in two ways.';
insert into search_thesaurus (said, also, reason) values
	('vélo', 'bicyclette', 'SYNONYM'),
	('bicyclette', 'vélo', 'SYNONYM'),
	('bike', 'vélo', 'ENGLISH'),
	('vae', 'vélo électrique', 'SHORT'),
	('pompes', 'chaussures', 'SYNONYM'),
	('souliers', 'chaussures', 'SYNONYM'),
	('godasses', 'chaussures', 'SYNONYM'),
	('baskets', 'chaussures', 'ENGLISH'),
	('sneakers', 'baskets', 'ENGLISH'),
	('tennis', 'baskets', 'SYNONYM'),
	('pull', 'tricot', 'SYNONYM'),
	('pull', 'pullover', 'SHORT'),
	('pullover', 'pull', 'SPELLING'),
	('chandail', 'pull', 'SYNONYM'),
	('gilet', 'cardigan', 'SYNONYM'),
	('cardigan', 'gilet', 'SYNONYM'),
	('veste', 'blouson', 'SYNONYM'),
	('blouson', 'veste', 'SYNONYM'),
	('k-way', 'coupe-vent', 'BRAND'),
	('coupe-vent', 'imperméable', 'SYNONYM'),
	('imper', 'imperméable', 'SHORT'),
	('imper', 'ciré', 'SHORT'),
	('imperméable', 'ciré', 'SYNONYM'),
	('ciré', 'imperméable', 'REGIONAL'),
	('kabig', 'manteau', 'REGIONAL'),
	('futal', 'pantalon', 'SYNONYM'),
	('jean', 'jeans', 'SPELLING'),
	('tee-shirt', 't-shirt', 'SPELLING'),
	('t-shirt', 'tee-shirt', 'SPELLING'),
	('tshirt', 'tee-shirt', 'SPELLING'),
	('bouquin', 'livre', 'SYNONYM'),
	('bouquin', 'roman', 'SYNONYM'),
	('polar', 'roman policier', 'SHORT'),
	('bd', 'bande dessinée', 'SHORT'),
	('bande dessinée', 'bd', 'SHORT'),
	('bouquiniste', 'librairie', 'TRADE'),
	('libraire', 'librairie', 'TRADE'),
	('stylo', 'bic', 'BRAND'),
	('bic', 'stylo', 'BRAND'),
	('scotch', 'ruban adhésif', 'BRAND'),
	('post-it', 'notes adhésives', 'BRAND'),
	('boulanger', 'boulangerie', 'TRADE'),
	('boucher', 'boucherie', 'TRADE'),
	('charcutier', 'charcuterie', 'TRADE'),
	('poissonnier', 'poissonnerie', 'TRADE'),
	('fromager', 'fromagerie', 'TRADE'),
	('crémier', 'fromagerie', 'TRADE'),
	('crèmerie', 'fromagerie', 'TRADE'),
	('pâtissier', 'pâtisserie', 'TRADE'),
	('chocolatier', 'chocolat', 'TRADE'),
	('primeur', 'légumes', 'TRADE'),
	('maraîcher', 'légumes', 'TRADE'),
	('caviste', 'vin', 'TRADE'),
	('pinard', 'vin', 'SYNONYM'),
	('fleurs', 'fleuriste', 'TRADE'),
	('fleuriste', 'bouquet', 'TRADE'),
	('coiffeur', 'coiffure', 'TRADE'),
	('opticien', 'optique', 'TRADE'),
	('lunettes', 'optique', 'TRADE'),
	('bijoutier', 'bijouterie', 'TRADE'),
	('horloger', 'horlogerie', 'TRADE'),
	('quincaillier', 'quincaillerie', 'TRADE'),
	('bricolage', 'quincaillerie', 'TRADE'),
	('droguerie', 'quincaillerie', 'TRADE'),
	('mercier', 'mercerie', 'TRADE'),
	('cordonnier', 'chaussures', 'TRADE'),
	('parfum', 'eau de toilette', 'SYNONYM'),
	('shampoing', 'shampooing', 'SPELLING'),
	('shampooing', 'shampoing', 'SPELLING'),
	('savonnette', 'savon', 'SYNONYM'),
	('pain', 'baguette', 'SYNONYM'),
	('miche', 'pain', 'SYNONYM'),
	('croissant', 'viennoiserie', 'SYNONYM'),
	('viennoiserie', 'croissant', 'SYNONYM'),
	('chocolatine', 'pain au chocolat', 'REGIONAL'),
	('galette', 'crêpe', 'REGIONAL'),
	('crêpe', 'galette', 'REGIONAL'),
	('kouign amann', 'kouign-amann', 'SPELLING'),
	('kouignamann', 'kouign amann', 'SPELLING'),
	('far', 'far breton', 'SHORT'),
	('patate', 'pomme de terre', 'SYNONYM'),
	('pomme de terre', 'patate', 'SYNONYM'),
	('crevette', 'gambas', 'SYNONYM'),
	('crustacé', 'tourteau', 'SYNONYM'),
	('crustacé', 'langoustine', 'SYNONYM'),
	('fruits de mer', 'huîtres', 'SYNONYM'),
	('fruits de mer', 'langoustines', 'SYNONYM'),
	('bar', 'loup', 'REGIONAL'),
	('lotte', 'baudroie', 'SYNONYM'),
	('dorade', 'daurade', 'SPELLING'),
	('daurade', 'dorade', 'SPELLING'),
	('thon', 'germon', 'REGIONAL'),
	('apéro', 'apéritif', 'SHORT'),
	('conserve', 'sardines', 'SYNONYM'),
	('frigo', 'réfrigérateur', 'SHORT'),
	('frigidaire', 'réfrigérateur', 'BRAND'),
	('lave-linge', 'machine à laver', 'SYNONYM'),
	('machine à laver', 'lave-linge', 'SYNONYM'),
	('cocotte-minute', 'autocuiseur', 'BRAND'),
	('cocotte', 'marmite', 'SYNONYM'),
	('tupperware', 'boîte', 'BRAND'),
	('opinel', 'couteau', 'BRAND'),
	('canif', 'couteau', 'SYNONYM'),
	('mug', 'tasse', 'ENGLISH'),
	('bol breton', 'bol', 'REGIONAL'),
	('tasse', 'mug', 'ENGLISH'),
	('vaisselle', 'assiette', 'SYNONYM'),
	('aspiro', 'aspirateur', 'SHORT'),
	('ordi', 'ordinateur', 'SHORT'),
	('pc', 'ordinateur', 'SHORT'),
	('portable', 'téléphone', 'SYNONYM'),
	('mobile', 'téléphone', 'SYNONYM'),
	('smartphone', 'téléphone', 'ENGLISH'),
	('gsm', 'téléphone', 'SHORT'),
	('télé', 'téléviseur', 'SHORT'),
	('appareil photo', 'photo', 'SYNONYM'),
	('doudou', 'peluche', 'SYNONYM'),
	('peluche', 'doudou', 'SYNONYM'),
	('puzzle', 'casse-tête', 'SYNONYM'),
	('lego', 'briques', 'BRAND'),
	('nounours', 'peluche', 'SYNONYM'),
	('vinyle', '33 tours', 'SYNONYM'),
	('disque', 'vinyle', 'SYNONYM'),
	('canapé', 'sofa', 'SYNONYM'),
	('sofa', 'canapé', 'SYNONYM'),
	('plaid', 'couverture', 'ENGLISH'),
	('bougie', 'chandelle', 'SYNONYM'),
	('déco', 'décoration', 'SHORT'),
	('croquettes', 'chien', 'SYNONYM'),
	('toutou', 'chien', 'SYNONYM'),
	('combi', 'combinaison', 'SHORT'),
	('combinaison', 'surf', 'SYNONYM'),
	('planche', 'surf', 'SYNONYM'),
	('surfboard', 'planche de surf', 'ENGLISH'),
	('skate', 'skateboard', 'SHORT'),
	('trottinette', 'patinette', 'SYNONYM'),
	('voile', 'nautisme', 'SYNONYM'),
	('shipchandler', 'accastillage', 'ENGLISH'),
	('bateau', 'nautisme', 'SYNONYM'),
	('tisane', 'infusion', 'SYNONYM'),
	('infusion', 'tisane', 'SYNONYM'),
	('bague', 'anneau', 'SYNONYM'),
	('montre', 'horlogerie', 'SYNONYM'),
	('laine', 'pelote', 'SYNONYM'),
	('pelote', 'laine', 'SYNONYM'),
	('fripes', 'seconde main', 'SYNONYM'),
	('fripes', 'brocante', 'SYNONYM'),
	('occasion', 'seconde main', 'SYNONYM'),
	('antiquités', 'brocante', 'SYNONYM'),
	('ampoule', 'lampe', 'SYNONYM'),
	('luminaire', 'lampe', 'SYNONYM');
grant select on search_thesaurus to halles_public, halles_app, halles_worker;

create table search_terms (
	commune_id text collate "C" not null,
	term       text collate "C" not null,
	shown      text not null,
	lexeme     text collate "C" not null,
	constraint search_terms_pkey primary key (commune_id, term)
);
comment on table search_terms is 'owner: catalog. The words of what is published, to complete what somebody types and to correct it: of names and trades. A word stays when the last thing that had it goes, until the next sweep. Public words only, no RLS: % is not leakproof.';
comment on column search_terms.term is 'in small letters without accents; shown: as it is written.';
create index search_terms_alike on search_terms using gin (term gin_trgm_ops) with (fastupdate = off);
create index search_terms_by_lexeme on search_terms (lexeme, commune_id);
grant select on search_terms to halles_public, halles_app, halles_worker;
grant insert, delete on search_terms to halles_app, halles_worker;

-- +goose StatementBegin
-- search_tokens are the words of a name, as they are written and without accents.
create function search_tokens(told text) returns table (term text, shown text) language sql stable parallel safe
begin atomic
	select distinct on (1) lower(unaccent(w)), w
	from regexp_split_to_table(lower(told), '[^a-z0-9àâäçéèêëîïôöùûüÿœæñ]+') w
	where char_length(w) between 3 and 40 and w !~ '^[0-9]+$' order by 1, 2;
end;
-- +goose StatementEnd

-- +goose StatementBegin
-- search_known writes the words of names down, for search_terms.
create function search_known(communes text[], names text[]) returns void language sql
begin atomic
	insert into search_terms (commune_id, term, shown, lexeme)
	select distinct on (n.commune_id, t.term) n.commune_id, t.term, t.shown, coalesce((tsvector_to_array(to_tsvector('french_unaccent', t.term)))[1], '')
	from (select distinct c, n from unnest(communes, names) u (c, n)) n (commune_id, name), search_tokens(n.name) t
	order by n.commune_id, t.term, t.shown
	on conflict do nothing;
end;
-- +goose StatementEnd

-- search_meant is what a text means: each of its words must occur, or what the thesaurus puts in
-- its place.
-- +goose StatementBegin
create function search_meant(typed text) returns tsquery language plpgsql stable parallel safe as $$
declare
	meant tsquery := plainto_tsquery('french_unaccent', search_typed(typed));
	entry record;
begin
	for entry in select said_query, also_query from search_thesaurus where said_query <@ meant order by numnode(said_query) desc, said, also loop
		meant := ts_rewrite(meant, entry.said_query, entry.said_query || entry.also_query);
	end loop;
	return meant;
end $$;

-- search_score is the ranking, version 1: how well words fit, in millionths.
--
-- ts_rank of the query, the words weighing 1 in the name, 0.4 in the trade, 0.1 in a product's
-- shop and 0.02 in what is said of it; divided by 1 + a tenth of the number of words of the name,
-- so that "pain" is rather a loaf than a board to cut it on; half as much again for a shop, since
-- one has forty products of the same words; and, where a place is given, divided by 1 + its
-- distance in units of 5 km, which a town's other end is. Whole numbers, so that a page ends
-- exactly where the next begins. (ts_rank's own normalisation took five times the rest.)
create function search_score(words tsvector, meant tsquery, kind text, length smallint, metres double precision) returns integer language sql immutable parallel safe
	return (1000000 * ts_rank('{0.02, 0.1, 0.4, 1}', words, meant) * case kind when 'SHOP' then 1.5::float8 else 1 end / (1 + length * 0.1::float8) / (1 + coalesce(metres, 0) / 5000))::integer;

create or replace function search_products(communes text[], ids uuid[]) returns void language plpgsql as $$
begin
	delete from catalog_search w using unnest(communes, ids) k (commune_id, id)
	where w.commune_id = k.commune_id and w.kind = 'PRODUCT' and w.id = k.id
	and not exists (select from products p where p.commune_id = k.commune_id and p.id = k.id and p.published);
	with changed as materialized (
		select p.commune_id, p.id, p.shop_id, p.category_id, p.name, p.description
		from unnest(communes, ids) k (commune_id, id) join products p using (commune_id, id) where p.published),
	trade as materialized (select category_id, trade_words(category_id) as words from changed group by category_id),
	shop as materialized (
		select s.commune_id, s.id, search_words(s.name) as words, s.latitude, s.longitude,
			exists (select from fulfilments f where f.commune_id = s.commune_id and f.shop_id = s.id and f.mode = 'PICKUP') as pickup,
			exists (select from fulfilments f where f.commune_id = s.commune_id and f.shop_id = s.id and f.mode = 'DELIVERY') as delivery
		from shops s where (s.commune_id, s.id) in (select commune_id, shop_id from changed))
	insert into catalog_search as w (commune_id, kind, id, shop_id, category_id, words, latitude, longitude, pickup, delivery, length)
	select c.commune_id, 'PRODUCT', c.id, c.shop_id, c.category_id, catalog_words(search_words(c.name), t.words, s.words, search_words(c.description)),
		s.latitude, s.longitude, s.pickup, s.delivery, length(search_words(c.name))
	from changed c join trade t using (category_id) join shop s on s.commune_id = c.commune_id and s.id = c.shop_id
	order by c.commune_id, c.id
	on conflict (commune_id, kind, id) do update set category_id = excluded.category_id, words = excluded.words,
		latitude = excluded.latitude, longitude = excluded.longitude, pickup = excluded.pickup, delivery = excluded.delivery, length = excluded.length
	where (w.category_id, w.words, w.latitude, w.longitude, w.pickup, w.delivery)
		is distinct from (excluded.category_id, excluded.words, excluded.latitude, excluded.longitude, excluded.pickup, excluded.delivery);
	perform search_known(array_agg(p.commune_id), array_agg(p.name::text)) from unnest(communes, ids) k (commune_id, id) join products p using (commune_id, id) where p.published;
end $$;
create or replace function search_shops(communes text[], ids uuid[]) returns void language plpgsql as $$
begin
	delete from catalog_search w using unnest(communes, ids) k (commune_id, id)
	where w.commune_id = k.commune_id and w.kind = 'SHOP' and w.id = k.id
	and not exists (select from shops s where s.commune_id = k.commune_id and s.id = k.id and s.status = 'PUBLISHED');
	with changed as materialized (
		select s.commune_id, s.id, s.category_id, s.name, s.description, s.latitude, s.longitude
		from unnest(communes, ids) k (commune_id, id) join shops s using (commune_id, id) where s.status = 'PUBLISHED'),
	trade as materialized (select category_id, trade_words(category_id) as words from changed group by category_id)
	insert into catalog_search as w (commune_id, kind, id, shop_id, category_id, words, latitude, longitude, pickup, delivery, length)
	select c.commune_id, 'SHOP', c.id, c.id, c.category_id, catalog_words(search_words(c.name), t.words, '', search_words(c.description)), c.latitude, c.longitude,
		exists (select from fulfilments f where f.commune_id = c.commune_id and f.shop_id = c.id and f.mode = 'PICKUP'),
		exists (select from fulfilments f where f.commune_id = c.commune_id and f.shop_id = c.id and f.mode = 'DELIVERY'),
		length(search_words(c.name))
	from changed c join trade t using (category_id)
	order by c.commune_id, c.id
	on conflict (commune_id, kind, id) do update set category_id = excluded.category_id, words = excluded.words,
		latitude = excluded.latitude, longitude = excluded.longitude, pickup = excluded.pickup, delivery = excluded.delivery, length = excluded.length
	where (w.category_id, w.words, w.latitude, w.longitude, w.pickup, w.delivery)
		is distinct from (excluded.category_id, excluded.words, excluded.latitude, excluded.longitude, excluded.pickup, excluded.delivery);
	perform search_known(array_agg(k.commune_id), array_agg(n.name))
	from unnest(communes, ids) k (commune_id, id) join shops s using (commune_id, id) join categories c on c.id = s.category_id,
		lateral (values (s.name::text), (c.name::text)) n (name) where s.status = 'PUBLISHED';
end $$;
create or replace function shops_search() returns trigger language plpgsql as $$
begin
	if tg_op = 'DELETE' then
		perform search_shops(array_agg(o.commune_id), array_agg(o.id)) from old_rows o having count(*) > 0;
	elsif tg_op = 'INSERT' then
		perform search_shops(array_agg(n.commune_id), array_agg(n.id)) from new_rows n where n.status = 'PUBLISHED' having count(*) > 0;
	else
		perform search_shops(array_agg(n.commune_id), array_agg(n.id))
		from new_rows n join old_rows o using (commune_id, id)
		where (n.status, n.name, n.description, n.category_id, n.latitude, n.longitude)
			is distinct from (o.status, o.name, o.description, o.category_id, o.latitude, o.longitude) having count(*) > 0;
		-- Its products are found by its name and its place too.
		perform search_products(array_agg(p.commune_id), array_agg(p.id))
		from new_rows n join old_rows o using (commune_id, id) join products p on p.commune_id = n.commune_id and p.shop_id = n.id and p.published
		where (n.name, n.latitude, n.longitude) is distinct from (o.name, o.latitude, o.longitude) having count(*) > 0;
	end if;
	return null;
end $$;
create function fulfilments_search() returns trigger language plpgsql as $$
begin
	perform search_shops(array_agg(k.commune_id), array_agg(k.shop_id)) from (select distinct commune_id, shop_id from changed_rows) k having count(*) > 0;
	perform search_products(array_agg(p.commune_id), array_agg(p.id))
	from (select distinct commune_id, shop_id from changed_rows) k join products p using (commune_id, shop_id) where p.published having count(*) > 0;
	return null;
end $$;
-- +goose StatementEnd
create trigger fulfilments_search_insert after insert on fulfilments referencing new table as changed_rows for each statement execute function fulfilments_search();
create trigger fulfilments_search_delete after delete on fulfilments referencing old table as changed_rows for each statement execute function fulfilments_search();

-- +goose StatementBegin
-- A sweep: words that nothing published has any more. By lexeme, as searches look.
create function search_forget() returns void language sql
begin atomic
	delete from search_terms t where not exists (
		select from catalog_search w where w.commune_id = t.commune_id and w.words @@ to_tsquery('simple', quote_literal(t.lexeme))) and t.lexeme <> '';
end;
-- +goose StatementEnd

-- What there is gets its place and its modes, and the words that are known. As halles_migrate: a
-- forced owner sees no row.
set local role halles_migrate;
select search_shops(array_agg(commune_id), array_agg(id)) from shops where status = 'PUBLISHED' having count(*) > 0;
select search_products(array_agg(commune_id), array_agg(id)) from products where published having count(*) > 0;
set local role halles_owner;
-- Without the pending list, through which every search would have to read.
create index catalog_search_words on catalog_search using gin (words) with (fastupdate = off);
-- Of shops alone, for the names that are suggested at each letter.
create index catalog_search_shops on catalog_search using gin (words) with (fastupdate = off) where kind = 'SHOP';
create index catalog_search_local on catalog_search using gin (search_local(commune_id, words)) with (fastupdate = off);
