-- A count from nothing goes by shops, so that no statement of it takes as long as a town is large.

-- +goose Up
alter table fact_heads
	add column goal     bigint,
	add column shops_to uuid,
	add constraint fact_heads_goal check ((goal is null) = (shops_to is null) and (goal is null or (goal > 0 and seq = 0)));
comment on column fact_heads.goal is 'while a count from nothing goes on, the event up to which it counts; null when none does.';
comment on column fact_heads.shops_to is 'while a count from nothing goes on, the shop up to which, in the order of ids, it has come.';

-- +goose Down
alter table fact_heads drop column shops_to, drop column goal;
