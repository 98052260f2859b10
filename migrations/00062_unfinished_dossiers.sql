-- A dossier that nobody finished is deleted after a while; what the hotline counted of its calls
-- stays, without it.

-- +goose Up
alter table calls
	drop constraint calls_registration_fkey,
	add constraint calls_registration_fkey foreign key (commune_id, registration_id) references registrations (commune_id, id)
		on delete set null (registration_id);
create index registrations_unfinished on registrations (commune_id, updated_at) where status = 'STARTED';

-- +goose Down
drop index registrations_unfinished;
alter table calls
	drop constraint calls_registration_fkey,
	add constraint calls_registration_fkey foreign key (commune_id, registration_id) references registrations (commune_id, id);
