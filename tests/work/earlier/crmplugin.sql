BEGIN TRANSACTION;
CREATE TABLE addresses (
	connection VARCHAR(255) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	normalised VARCHAR(320) NOT NULL, 
	contact_id VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_addresses PRIMARY KEY (connection, kind, normalised, contact_id)
);
INSERT INTO "addresses" VALUES('local','email','a@k.example','C-1');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0200_leases');
CREATE TABLE contact_links (
	connection VARCHAR(255) NOT NULL, 
	contact_id VARCHAR(255) NOT NULL, 
	collection VARCHAR(32) NOT NULL, 
	id VARCHAR(255) NOT NULL, 
	place INTEGER NOT NULL, 
	CONSTRAINT pk_contact_links PRIMARY KEY (connection, contact_id, collection, id)
);
INSERT INTO "contact_links" VALUES('local','C-1','deals','D-0',0);
CREATE TABLE draft_moves (
	n INTEGER NOT NULL, 
	draft VARCHAR(64) NOT NULL, 
	version INTEGER NOT NULL, 
	old VARCHAR(16), 
	new VARCHAR(16) NOT NULL, 
	"by" VARCHAR(255), 
	reason TEXT, 
	at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_draft_moves PRIMARY KEY (n)
);
INSERT INTO "draft_moves" VALUES(1,'273d8dfb6cc54b0e844ec0a9fe23eb43',1,NULL,'writing','token:ae59ea5e4b29216f',NULL,'2026-11-29T01:55:47.805671Z');
CREATE TABLE draft_versions (
	draft VARCHAR(64) NOT NULL, 
	version INTEGER NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	"by" VARCHAR(255), 
	subject TEXT, 
	body TEXT, 
	document JSON NOT NULL, 
	CONSTRAINT pk_draft_versions PRIMARY KEY (draft, version)
);
CREATE TABLE drafts (
	id VARCHAR(64) NOT NULL, 
	connection VARCHAR(64) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	version INTEGER NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	updated_at VARCHAR(27) NOT NULL, 
	due VARCHAR(10), 
	origin VARCHAR(16) NOT NULL, 
	event VARCHAR(255), 
	subject_type VARCHAR(16) NOT NULL, 
	subject_id VARCHAR(255) NOT NULL, 
	owner_id VARCHAR(255), 
	created_by VARCHAR(255), 
	write_back VARCHAR(16) NOT NULL, 
	request JSON NOT NULL, 
	document JSON NOT NULL, 
	attempt INTEGER NOT NULL, 
	replaces VARCHAR(64), 
	written_id VARCHAR(255), 
	problem TEXT, 
	CONSTRAINT pk_drafts PRIMARY KEY (id)
);
INSERT INTO "drafts" VALUES('273d8dfb6cc54b0e844ec0a9fe23eb43','local','summary','writing',1,'2026-11-29T01:55:47.805671Z','2026-11-29T01:55:47.805671Z',NULL,'api',NULL,'deal','D-0','U-1','token:ae59ea5e4b29216f','on_approval','{"connection": "local", "kind": "summary", "subject": {"type": "deal", "id": "D-0"}, "type": null, "to_contact_id": null, "channel": null, "language": null, "tone": null, "length": null, "instruction": null, "writer": "model", "as_of": null}','{"id": "273d8dfb6cc54b0e844ec0a9fe23eb43", "connection": "local", "kind": "summary", "subject_of": {"type": "deal", "id": "D-0"}, "status": "writing", "decision": {"outcome": "draft", "code": null, "gates": [], "reason": null, "alternatives": [], "earliest": null}, "as_of": "2026-11-29T01:55:47.805671Z", "created_at": "2026-11-29T01:55:47.805671Z", "type": null, "audience": "internal", "to": null, "channel": null, "language": null, "subject": null, "body": null, "html": null, "sentences": [], "facts": [], "warnings": [], "missing_info": [], "missing_questions": [], "grounding": {"status": "none", "removed": [], "repaired": []}, "checks": [], "compliance": {"regime": null, "elements": []}, "next_touch": null, "writer": null, "model": null, "prompt": null, "usage": null, "created_by": "token:ae59ea5e4b29216f", "origin": "api", "event": null, "version": 1, "earliest": null, "plan": null, "locale": "en_GB", "zone": "UTC", "send_on": null}',1,NULL,NULL,NULL);
CREATE TABLE events (
	connection VARCHAR(64) NOT NULL, 
	id VARCHAR(255) NOT NULL, 
	type VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	reason TEXT, 
	at VARCHAR(27), 
	received_at VARCHAR(27) NOT NULL, 
	attempts INTEGER NOT NULL, 
	document JSON NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (connection, id)
);
INSERT INTO "events" VALUES('local','evt-0','record.merged','ignored','no_playbook: no row asks for a draft on record.merged','2026-11-29T01:55:45.596408Z','2026-11-29T01:55:45.596408Z',0,'{"at": "2026-11-29T01:55:45.596408+00:00", "object": {"type": "deal", "id": "D-0"}, "records": {"deals": [{"id": "D-0", "name": "Deal 0", "company_id": "CO-1", "primary_contact_id": "C-1", "contact_ids": ["C-1"], "owner_id": "U-1", "status": "open", "stage": "New", "stage_kind": "new", "amount": "900.00", "currency": "GBP", "created_at": "2026-03-01T09:00:00Z"}], "seller": {"name": "Meridian", "timezone": "Europe/London", "currency": "GBP", "country": "GB"}, "users": [{"id": "U-1", "name": "Ann Ray"}], "companies": [{"id": "CO-1", "name": "Kestrel Foods", "country": "GB"}], "contacts": [{"id": "C-1", "company_id": "CO-1", "first_name": "Amir", "last_name": "Shah", "email": "a@k.example"}]}, "echo": false, "raw": {"id": "evt-0", "type": "record.merged", "object": {"type": "deal", "id": "D-0"}, "records": {"deals": [{"id": "D-0", "name": "Deal 0", "company_id": "CO-1", "primary_contact_id": "C-1", "contact_ids": ["C-1"], "owner_id": "U-1", "status": "open", "stage": "New", "stage_kind": "new", "amount": "900.00", "currency": "GBP", "created_at": "2026-03-01T09:00:00Z"}], "seller": {"name": "Meridian", "timezone": "Europe/London", "currency": "GBP", "country": "GB"}, "users": [{"id": "U-1", "name": "Ann Ray"}], "companies": [{"id": "CO-1", "name": "Kestrel Foods", "country": "GB"}], "contacts": [{"id": "C-1", "company_id": "CO-1", "first_name": "Amir", "last_name": "Shah", "email": "a@k.example"}]}}}');
INSERT INTO "events" VALUES('local','evt-late','deal.created','stored',NULL,'2026-11-29T01:55:53.928123Z','2026-11-29T01:55:53.928123Z',0,'{"at": "2026-11-29T01:55:53.928123+00:00", "object": {"type": "deal", "id": "D-0"}, "records": {}, "echo": false, "raw": {"id": "evt-late", "type": "deal.created", "object": {"type": "deal", "id": "D-0"}}}');
CREATE TABLE fits (
	connection VARCHAR(255) NOT NULL, 
	name VARCHAR(32) NOT NULL, 
	computed_at VARCHAR(27) NOT NULL, 
	doc TEXT NOT NULL, 
	CONSTRAINT pk_fits PRIMARY KEY (connection, name)
);
CREATE TABLE idempotency (
	scope VARCHAR(128) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	resource VARCHAR(64) NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_idempotency PRIMARY KEY (scope, "key")
);
CREATE TABLE imports (
	id INTEGER NOT NULL, 
	connection VARCHAR(255) NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	taken INTEGER NOT NULL, 
	updated INTEGER NOT NULL, 
	unchanged INTEGER NOT NULL, 
	refused INTEGER NOT NULL, 
	CONSTRAINT pk_imports PRIMARY KEY (id)
);
CREATE TABLE leases (
	executor VARCHAR(255) NOT NULL, 
	started_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	queues VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_leases PRIMARY KEY (executor)
);
CREATE TABLE ledger (
	connection VARCHAR(64) NOT NULL, 
	draft VARCHAR(64) NOT NULL, 
	action VARCHAR(32) NOT NULL, 
	claimed_at VARCHAR(27) NOT NULL, 
	claims INTEGER NOT NULL, 
	result VARCHAR(255), 
	finished_at VARCHAR(27), 
	CONSTRAINT pk_ledger PRIMARY KEY (connection, draft, action)
);
CREATE TABLE limits (
	"key" VARCHAR(255) NOT NULL, 
	full_at FLOAT NOT NULL, 
	held_until FLOAT NOT NULL, 
	turn_at FLOAT NOT NULL, 
	CONSTRAINT pk_limits PRIMARY KEY ("key")
);
CREATE TABLE names (
	connection VARCHAR(255) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	record_id VARCHAR(255) NOT NULL, 
	n INTEGER NOT NULL, 
	owner_id VARCHAR(255), 
	text VARCHAR(300) NOT NULL, 
	CONSTRAINT pk_names PRIMARY KEY (connection, kind, record_id, n)
);
INSERT INTO "names" VALUES('local','company','CO-1',0,'CO-1','Kestrel Foods');
INSERT INTO "names" VALUES('local','contact','C-1',0,'CO-1','Amir Shah');
CREATE TABLE pieces (
	draft VARCHAR(64) NOT NULL, 
	n INTEGER NOT NULL, 
	event VARCHAR(16) NOT NULL, 
	data JSON NOT NULL, 
	CONSTRAINT pk_pieces PRIMARY KEY (draft, n)
);
CREATE TABLE record_revisions (
	connection VARCHAR(255) NOT NULL, 
	collection VARCHAR(32) NOT NULL, 
	revision INTEGER NOT NULL, 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_record_revisions PRIMARY KEY (connection, collection)
);
INSERT INTO "record_revisions" VALUES('local','',1,'2026-11-29T01:55:45.605895Z');
INSERT INTO "record_revisions" VALUES('local','companies',1,'2026-11-29T01:55:45.605895Z');
INSERT INTO "record_revisions" VALUES('local','contacts',1,'2026-11-29T01:55:45.605895Z');
INSERT INTO "record_revisions" VALUES('local','deals',1,'2026-11-29T01:55:45.605895Z');
INSERT INTO "record_revisions" VALUES('local','seller',1,'2026-11-29T01:55:45.605895Z');
INSERT INTO "record_revisions" VALUES('local','users',1,'2026-11-29T01:55:45.605895Z');
CREATE TABLE record_versions (
	connection VARCHAR(255) NOT NULL, 
	collection VARCHAR(32) NOT NULL, 
	id VARCHAR(255) NOT NULL, 
	version INTEGER NOT NULL, 
	doc TEXT, 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_record_versions PRIMARY KEY (connection, collection, id, version)
);
INSERT INTO "record_versions" VALUES('local','seller','seller',1,'{"name":"Meridian","timezone":"Europe/London","currency":"GBP","country":"GB"}','2026-11-29T01:55:45.605895Z');
CREATE TABLE records (
	connection VARCHAR(255) NOT NULL, 
	collection VARCHAR(32) NOT NULL, 
	id VARCHAR(255) NOT NULL, 
	doc TEXT NOT NULL, 
	company_id VARCHAR(255), 
	deal_id VARCHAR(255), 
	ticket_id VARCHAR(255), 
	product_id VARCHAR(255), 
	source VARCHAR(255), 
	at VARCHAR(27) NOT NULL, 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_records PRIMARY KEY (connection, collection, id)
);
INSERT INTO "records" VALUES('local','seller','seller','{"name":"Meridian","timezone":"Europe/London","currency":"GBP","country":"GB"}',NULL,NULL,NULL,NULL,NULL,'','2026-11-29T01:55:45.605895Z');
INSERT INTO "records" VALUES('local','users','U-1','{"id":"U-1","name":"Ann Ray"}',NULL,NULL,NULL,NULL,NULL,'','2026-11-29T01:55:45.605895Z');
INSERT INTO "records" VALUES('local','companies','CO-1','{"id":"CO-1","name":"Kestrel Foods","country":"GB"}','CO-1',NULL,NULL,NULL,NULL,'','2026-11-29T01:55:45.605895Z');
INSERT INTO "records" VALUES('local','contacts','C-1','{"id":"C-1","company_id":"CO-1","first_name":"Amir","last_name":"Shah","email":"a@k.example"}','CO-1',NULL,NULL,NULL,NULL,'','2026-11-29T01:55:45.605895Z');
INSERT INTO "records" VALUES('local','deals','D-0','{"id":"D-0","name":"Deal 0","company_id":"CO-1","primary_contact_id":"C-1","contact_ids":["C-1"],"owner_id":"U-1","status":"open","stage":"New","stage_kind":"new","amount":"900.00","currency":"GBP","created_at":"2026-03-01T09:00:00Z"}','CO-1',NULL,NULL,NULL,NULL,'2026-03-01T09:00:00.000000Z','2026-11-29T01:55:45.605895Z');
CREATE TABLE sessions (
	hash VARCHAR(64) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	user_id VARCHAR(255), 
	connections JSON, 
	created_at VARCHAR(27) NOT NULL, 
	expires_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_sessions PRIMARY KEY (hash)
);
CREATE TABLE sign_in_links (
	hash VARCHAR(64) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	user_id VARCHAR(255), 
	connections JSON, 
	expires_at VARCHAR(27) NOT NULL, 
	used_at VARCHAR(27), 
	CONSTRAINT pk_sign_in_links PRIMARY KEY (hash)
);
CREATE TABLE tokens (
	id VARCHAR(32) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	name VARCHAR(255), 
	role VARCHAR(16) NOT NULL, 
	user_id VARCHAR(255), 
	connections JSON, 
	created_at VARCHAR(27) NOT NULL, 
	expires_at VARCHAR(27), 
	revoked_at VARCHAR(27), 
	CONSTRAINT pk_tokens PRIMARY KEY (id), 
	CONSTRAINT uq_tokens_hash UNIQUE (hash)
);
CREATE TABLE vault (
	connection VARCHAR(64) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	sealed TEXT NOT NULL, 
	expires_at VARCHAR(27), 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_vault PRIMARY KEY (connection, name)
);
CREATE INDEX ix_records_company ON records (connection, company_id, collection, at) WHERE company_id IS NOT NULL;
CREATE INDEX ix_records_deal ON records (connection, deal_id, collection, at) WHERE deal_id IS NOT NULL;
CREATE INDEX ix_records_ticket ON records (connection, ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX ix_records_product ON records (connection, product_id) WHERE product_id IS NOT NULL;
CREATE INDEX ix_records_source ON records (connection, source) WHERE source IS NOT NULL;
CREATE INDEX ix_contact_links_record ON contact_links (connection, collection, id);
CREATE INDEX ix_addresses_contact ON addresses (connection, contact_id);
CREATE INDEX ix_imports_connection ON imports (connection, at);
CREATE INDEX ix_events_received_at ON events (received_at, id);
CREATE INDEX ix_events_state ON events (state);
CREATE INDEX ix_drafts_created_at ON drafts (created_at, id);
CREATE INDEX ix_drafts_event ON drafts (connection, event);
CREATE INDEX ix_drafts_status ON drafts (status, created_at);
CREATE INDEX ix_drafts_subject ON drafts (connection, subject_type, subject_id);
CREATE INDEX ix_draft_moves_draft ON draft_moves (draft);
COMMIT;
