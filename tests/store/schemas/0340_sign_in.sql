BEGIN TRANSACTION;
CREATE TABLE account_fits (
	connection VARCHAR(255) NOT NULL, 
	account VARCHAR(300) NOT NULL, 
	computed_at VARCHAR(27) NOT NULL, 
	days TEXT NOT NULL, 
	doc TEXT NOT NULL, 
	CONSTRAINT pk_account_fits PRIMARY KEY (connection, account)
);
INSERT INTO "account_fits" VALUES('connection-1-ü','account-1-ü','2026-03-11T14:05:00.000000Z','days-1-ü','doc-1-ü');
INSERT INTO "account_fits" VALUES('connection-2-ü','account-2-ü','2026-03-12T14:05:00.000000Z','days-2-ü','doc-2-ü');
CREATE TABLE addresses (
	connection VARCHAR(255) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	normalised VARCHAR(320) NOT NULL, 
	contact_id VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_addresses PRIMARY KEY (connection, kind, normalised, contact_id)
);
INSERT INTO "addresses" VALUES('connection-1-ü','kind-1-ü','normalised-1-ü','contact_id-1-ü');
INSERT INTO "addresses" VALUES('connection-2-ü','kind-2-ü','normalised-2-ü','contact_id-2-ü');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0340_sign_in');
CREATE TABLE approval_waits (
	draft VARCHAR(64) NOT NULL, 
	reminded_at VARCHAR(27), 
	escalated_at VARCHAR(27), 
	CONSTRAINT pk_approval_waits PRIMARY KEY (draft)
);
INSERT INTO "approval_waits" VALUES('draft-1-ü','2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z');
INSERT INTO "approval_waits" VALUES('draft-2-ü','2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z');
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	seq INTEGER, 
	at VARCHAR(27) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	connection VARCHAR(64), 
	draft VARCHAR(64), 
	"by" VARCHAR(255), 
	body TEXT NOT NULL, 
	sealed TEXT, 
	sealed_hash VARCHAR(64), 
	key_ids TEXT NOT NULL, 
	mac VARCHAR(64) NOT NULL, 
	hash VARCHAR(64), 
	CONSTRAINT pk_audit PRIMARY KEY (id), 
	CONSTRAINT uq_audit_seq UNIQUE (seq)
);
INSERT INTO "audit" VALUES(1,1,'2026-03-11T14:05:00.000000Z','kind-1-ü',NULL,NULL,NULL,'body-1-ü',NULL,NULL,'key_ids-1-ü','mac-1-ü',NULL);
INSERT INTO "audit" VALUES(2,2,'2026-03-12T14:05:00.000000Z','kind-2-ü','connection-2-ü','draft-2-ü','by-2-ü','body-2-ü','sealed-2-ü','sealed_hash-2-ü','key_ids-2-ü','mac-2-ü','hash-2-ü');
CREATE TABLE audit_head (
	id INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	signature VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_audit_head PRIMARY KEY (id)
);
INSERT INTO "audit_head" VALUES(1,1,'hash-1-ü','signature-1-ü');
INSERT INTO "audit_head" VALUES(2,2,'hash-2-ü','signature-2-ü');
CREATE TABLE campaign_recipients (
	campaign VARCHAR(64) NOT NULL, 
	contact VARCHAR(255) NOT NULL, 
	channel VARCHAR(16) NOT NULL, 
	company VARCHAR(255) NOT NULL, 
	language VARCHAR(16) NOT NULL, 
	variant VARCHAR(8) NOT NULL, 
	lane INTEGER NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	reason TEXT, 
	document JSON, 
	calls INTEGER NOT NULL, 
	input_tokens INTEGER NOT NULL, 
	output_tokens INTEGER NOT NULL, 
	updated_at VARCHAR(27) NOT NULL, 
	exported_at VARCHAR(27), 
	CONSTRAINT pk_campaign_recipients PRIMARY KEY (campaign, contact, channel)
);
INSERT INTO "campaign_recipients" VALUES('campaign-1-ü','contact-1-ü','channel-1-ü','company-1-ü','language-1-ü','variant-',1,'state-1-ü',NULL,'{"n": 1, "text": "document \"1\" \u00fc"}',1,1,1,'2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z');
INSERT INTO "campaign_recipients" VALUES('campaign-2-ü','contact-2-ü','channel-2-ü','company-2-ü','language-2-ü','variant-',2,'state-2-ü','reason-2-ü','{"n": 2, "text": "document \"2\" \u00fc"}',2,2,2,'2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z');
CREATE TABLE campaign_touches (
	connection VARCHAR(64) NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	campaign VARCHAR(64) NOT NULL, 
	channel VARCHAR(16) NOT NULL, 
	contact VARCHAR(255) NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_campaign_touches PRIMARY KEY (connection, address, campaign, channel)
);
INSERT INTO "campaign_touches" VALUES('connection-1-ü','address-1-ü','campaign-1-ü','channel-1-ü','contact-1-ü','2026-03-11T14:05:00.000000Z');
INSERT INTO "campaign_touches" VALUES('connection-2-ü','address-2-ü','campaign-2-ü','channel-2-ü','contact-2-ü','2026-03-12T14:05:00.000000Z');
CREATE TABLE campaigns (
	id VARCHAR(64) NOT NULL, 
	connection VARCHAR(64) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	version INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	updated_at VARCHAR(27) NOT NULL, 
	document JSON NOT NULL, 
	CONSTRAINT pk_campaigns PRIMARY KEY (id)
);
INSERT INTO "campaigns" VALUES('id-1-ü','connection-1-ü','status-1-ü',1,1,'2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z','{"n": 1, "text": "document \"1\" \u00fc"}');
INSERT INTO "campaigns" VALUES('id-2-ü','connection-2-ü','status-2-ü',2,2,'2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z','{"n": 2, "text": "document \"2\" \u00fc"}');
CREATE TABLE contact_links (
	connection VARCHAR(255) NOT NULL, 
	contact_id VARCHAR(255) NOT NULL, 
	collection VARCHAR(32) NOT NULL, 
	id VARCHAR(255) NOT NULL, 
	place INTEGER NOT NULL, 
	CONSTRAINT pk_contact_links PRIMARY KEY (connection, contact_id, collection, id)
);
INSERT INTO "contact_links" VALUES('connection-1-ü','contact_id-1-ü','collection-1-ü','id-1-ü',1);
INSERT INTO "contact_links" VALUES('connection-2-ü','contact_id-2-ü','collection-2-ü','id-2-ü',2);
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
INSERT INTO "draft_moves" VALUES(1,'draft-1-ü',1,NULL,'new-1-ü',NULL,NULL,'2026-03-11T14:05:00.000000Z');
INSERT INTO "draft_moves" VALUES(2,'draft-2-ü',2,'old-2-ü','new-2-ü','by-2-ü','reason-2-ü','2026-03-12T14:05:00.000000Z');
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
INSERT INTO "draft_versions" VALUES('draft-1-ü',1,'2026-03-11T14:05:00.000000Z',NULL,NULL,NULL,'{"n": 1, "text": "document \"1\" \u00fc"}');
INSERT INTO "draft_versions" VALUES('draft-2-ü',2,'2026-03-12T14:05:00.000000Z','by-2-ü','subject-2-ü','body-2-ü','{"n": 2, "text": "document \"2\" \u00fc"}');
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
INSERT INTO "drafts" VALUES('id-1-ü','connection-1-ü','kind-1-ü','status-1-ü',1,'2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z',NULL,'origin-1-ü',NULL,'subject_type-1-ü','subject_id-1-ü',NULL,NULL,'write_back-1-ü','{"n": 1, "text": "request \"1\" \u00fc"}','{"n": 1, "text": "document \"1\" \u00fc"}',1,NULL,NULL,NULL);
INSERT INTO "drafts" VALUES('id-2-ü','connection-2-ü','kind-2-ü','status-2-ü',2,'2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z','due-2-ü','origin-2-ü','event-2-ü','subject_type-2-ü','subject_id-2-ü','owner_id-2-ü','created_by-2-ü','write_back-2-ü','{"n": 2, "text": "request \"2\" \u00fc"}','{"n": 2, "text": "document \"2\" \u00fc"}',2,'replaces-2-ü','written_id-2-ü','problem-2-ü');
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
INSERT INTO "events" VALUES('connection-1-ü','id-1-ü','type-1-ü','state-1-ü',NULL,'2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z',1,'{"n": 1, "text": "document \"1\" \u00fc"}');
INSERT INTO "events" VALUES('connection-2-ü','id-2-ü','type-2-ü','state-2-ü','reason-2-ü','2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z',2,'{"n": 2, "text": "document \"2\" \u00fc"}');
CREATE TABLE fits (
	connection VARCHAR(255) NOT NULL, 
	name VARCHAR(32) NOT NULL, 
	computed_at VARCHAR(27) NOT NULL, 
	doc TEXT NOT NULL, 
	CONSTRAINT pk_fits PRIMARY KEY (connection, name)
);
INSERT INTO "fits" VALUES('connection-1-ü','name-1-ü','2026-03-11T14:05:00.000000Z','doc-1-ü');
INSERT INTO "fits" VALUES('connection-2-ü','name-2-ü','2026-03-12T14:05:00.000000Z','doc-2-ü');
CREATE TABLE idempotency (
	scope VARCHAR(128) NOT NULL, 
	"key" VARCHAR(255) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	resource VARCHAR(64) NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_idempotency PRIMARY KEY (scope, "key")
);
INSERT INTO "idempotency" VALUES('scope-1-ü','key-1-ü','fingerprint-1-ü','resource-1-ü','2026-03-11T14:05:00.000000Z');
INSERT INTO "idempotency" VALUES('scope-2-ü','key-2-ü','fingerprint-2-ü','resource-2-ü','2026-03-12T14:05:00.000000Z');
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
INSERT INTO "imports" VALUES(1,'connection-1-ü','2026-03-11T14:05:00.000000Z',1,1,1,1);
INSERT INTO "imports" VALUES(2,'connection-2-ü','2026-03-12T14:05:00.000000Z',2,2,2,2);
CREATE TABLE leases (
	executor VARCHAR(255) NOT NULL, 
	started_at FLOAT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	version VARCHAR(32) NOT NULL, 
	CONSTRAINT pk_leases PRIMARY KEY (executor)
);
INSERT INTO "leases" VALUES('executor-1-ü',1.0,1.0,'version-1-ü');
INSERT INTO "leases" VALUES('executor-2-ü',2.0,2.0,'version-2-ü');
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
INSERT INTO "ledger" VALUES('connection-1-ü','draft-1-ü','action-1-ü','2026-03-11T14:05:00.000000Z',1,NULL,'2026-03-11T14:05:00.000000Z');
INSERT INTO "ledger" VALUES('connection-2-ü','draft-2-ü','action-2-ü','2026-03-12T14:05:00.000000Z',2,'result-2-ü','2026-03-12T14:05:00.000000Z');
CREATE TABLE limits (
	"key" VARCHAR(255) NOT NULL, 
	full_at FLOAT NOT NULL, 
	held_until FLOAT NOT NULL, 
	turn_at FLOAT NOT NULL, 
	CONSTRAINT pk_limits PRIMARY KEY ("key")
);
INSERT INTO "limits" VALUES('key-1-ü',1.0,1.0,1.0);
INSERT INTO "limits" VALUES('key-2-ü',2.0,2.0,2.0);
CREATE TABLE names (
	connection VARCHAR(255) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	record_id VARCHAR(255) NOT NULL, 
	n INTEGER NOT NULL, 
	owner_id VARCHAR(255), 
	text VARCHAR(300) NOT NULL, 
	CONSTRAINT pk_names PRIMARY KEY (connection, kind, record_id, n)
);
INSERT INTO "names" VALUES('connection-1-ü','kind-1-ü','record_id-1-ü',1,NULL,'text-1-ü');
INSERT INTO "names" VALUES('connection-2-ü','kind-2-ü','record_id-2-ü',2,'owner_id-2-ü','text-2-ü');
CREATE TABLE person_keys (
	id INTEGER NOT NULL, 
	connection VARCHAR(64) NOT NULL, 
	person VARCHAR(64) NOT NULL, 
	sealed TEXT NOT NULL, 
	CONSTRAINT pk_person_keys PRIMARY KEY (id), 
	CONSTRAINT uq_person_keys_connection_person UNIQUE (connection, person)
);
INSERT INTO "person_keys" VALUES(1,'connection-1-ü','person-1-ü','sealed-1-ü');
INSERT INTO "person_keys" VALUES(2,'connection-2-ü','person-2-ü','sealed-2-ü');
CREATE TABLE pieces (
	draft VARCHAR(64) NOT NULL, 
	n INTEGER NOT NULL, 
	event VARCHAR(16) NOT NULL, 
	data JSON NOT NULL, 
	CONSTRAINT pk_pieces PRIMARY KEY (draft, n)
);
INSERT INTO "pieces" VALUES('draft-1-ü',1,'event-1-ü','{"n": 1, "text": "data \"1\" \u00fc"}');
INSERT INTO "pieces" VALUES('draft-2-ü',2,'event-2-ü','{"n": 2, "text": "data \"2\" \u00fc"}');
CREATE TABLE record_revisions (
	connection VARCHAR(255) NOT NULL, 
	collection VARCHAR(32) NOT NULL, 
	revision INTEGER NOT NULL, 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_record_revisions PRIMARY KEY (connection, collection)
);
INSERT INTO "record_revisions" VALUES('connection-1-ü','collection-1-ü',1,'2026-03-11T14:05:00.000000Z');
INSERT INTO "record_revisions" VALUES('connection-2-ü','collection-2-ü',2,'2026-03-12T14:05:00.000000Z');
CREATE TABLE record_versions (
	connection VARCHAR(255) NOT NULL, 
	collection VARCHAR(32) NOT NULL, 
	id VARCHAR(255) NOT NULL, 
	version INTEGER NOT NULL, 
	doc TEXT, 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_record_versions PRIMARY KEY (connection, collection, id, version)
);
INSERT INTO "record_versions" VALUES('connection-1-ü','collection-1-ü','id-1-ü',1,NULL,'2026-03-11T14:05:00.000000Z');
INSERT INTO "record_versions" VALUES('connection-2-ü','collection-2-ü','id-2-ü',2,'doc-2-ü','2026-03-12T14:05:00.000000Z');
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
INSERT INTO "records" VALUES('connection-1-ü','collection-1-ü','id-1-ü','doc-1-ü',NULL,NULL,NULL,NULL,NULL,'2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z');
INSERT INTO "records" VALUES('connection-2-ü','collection-2-ü','id-2-ü','doc-2-ü','company_id-2-ü','deal_id-2-ü','ticket_id-2-ü','product_id-2-ü','source-2-ü','2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z');
CREATE TABLE sessions (
	hash VARCHAR(64) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	user_id VARCHAR(255), 
	connections JSON, 
	created_at VARCHAR(27) NOT NULL, 
	expires_at VARCHAR(27) NOT NULL, id VARCHAR(32), person VARCHAR(255), users JSON, 
	CONSTRAINT pk_sessions PRIMARY KEY (hash)
);
INSERT INTO "sessions" VALUES('hash-1-ü','role-1-ü',NULL,'{"n": 1, "text": "connections \"1\" \u00fc"}','2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z',NULL,NULL,'{"n": 1, "text": "users \"1\" \u00fc"}');
INSERT INTO "sessions" VALUES('hash-2-ü','role-2-ü','user_id-2-ü','{"n": 2, "text": "connections \"2\" \u00fc"}','2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z','id-2-ü','person-2-ü','{"n": 2, "text": "users \"2\" \u00fc"}');
CREATE TABLE sign_in_failures (
	source VARCHAR(64) NOT NULL, 
	failures INTEGER NOT NULL, 
	since VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_sign_in_failures PRIMARY KEY (source)
);
INSERT INTO "sign_in_failures" VALUES('source-1-ü',1,'2026-03-11T14:05:00.000000Z');
INSERT INTO "sign_in_failures" VALUES('source-2-ü',2,'2026-03-12T14:05:00.000000Z');
CREATE TABLE sign_in_links (
	hash VARCHAR(64) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	user_id VARCHAR(255), 
	connections JSON, 
	expires_at VARCHAR(27) NOT NULL, 
	used_at VARCHAR(27), 
	CONSTRAINT pk_sign_in_links PRIMARY KEY (hash)
);
INSERT INTO "sign_in_links" VALUES('hash-1-ü','role-1-ü',NULL,'{"n": 1, "text": "connections \"1\" \u00fc"}','2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z');
INSERT INTO "sign_in_links" VALUES('hash-2-ü','role-2-ü','user_id-2-ü','{"n": 2, "text": "connections \"2\" \u00fc"}','2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z');
CREATE TABLE spending (
	day VARCHAR(10) NOT NULL, 
	connection VARCHAR(64) NOT NULL, 
	person VARCHAR(255) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	reserved BIGINT NOT NULL, 
	spent BIGINT NOT NULL, 
	calls INTEGER NOT NULL, 
	CONSTRAINT pk_spending PRIMARY KEY (day, connection, person, kind)
);
INSERT INTO "spending" VALUES('day-1-ü','connection-1-ü','person-1-ü','kind-1-ü',1,1,1);
INSERT INTO "spending" VALUES('day-2-ü','connection-2-ü','person-2-ü','kind-2-ü',2,2,2);
CREATE TABLE style_sheets (
	connection VARCHAR(64) NOT NULL, 
	user_id VARCHAR(255) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	language VARCHAR(16) NOT NULL, 
	edited BOOLEAN NOT NULL, 
	updated_at VARCHAR(27) NOT NULL, 
	document JSON NOT NULL, 
	CONSTRAINT pk_style_sheets PRIMARY KEY (connection, user_id, kind, language)
);
INSERT INTO "style_sheets" VALUES('connection-1-ü','user_id-1-ü','kind-1-ü','language-1-ü',1,'2026-03-11T14:05:00.000000Z','{"n": 1, "text": "document \"1\" \u00fc"}');
INSERT INTO "style_sheets" VALUES('connection-2-ü','user_id-2-ü','kind-2-ü','language-2-ü',0,'2026-03-12T14:05:00.000000Z','{"n": 2, "text": "document \"2\" \u00fc"}');
CREATE TABLE suppressions (
	connection VARCHAR(64) NOT NULL, 
	kind VARCHAR(8) NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_suppressions PRIMARY KEY (connection, kind, hash)
);
INSERT INTO "suppressions" VALUES('connection-1-ü','kind-1-ü','hash-1-ü','2026-03-11T14:05:00.000000Z');
INSERT INTO "suppressions" VALUES('connection-2-ü','kind-2-ü','hash-2-ü','2026-03-12T14:05:00.000000Z');
CREATE TABLE syncs (
	connection VARCHAR(64) NOT NULL, 
	up_to VARCHAR(27), 
	since VARCHAR(27), 
	cursor TEXT, 
	whole BOOLEAN NOT NULL, 
	started_at VARCHAR(27), 
	finished_at VARCHAR(27), 
	pages INTEGER NOT NULL, 
	done INTEGER NOT NULL, 
	total INTEGER, 
	problem TEXT, 
	held_by VARCHAR(64), 
	held_until VARCHAR(27), 
	renew_at VARCHAR(27), 
	mirrored_at VARCHAR(27), 
	CONSTRAINT pk_syncs PRIMARY KEY (connection)
);
INSERT INTO "syncs" VALUES('connection-1-ü','2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z',NULL,1,'2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z',1,1,1,NULL,NULL,'2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z');
INSERT INTO "syncs" VALUES('connection-2-ü','2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z','cursor-2-ü',0,'2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z',2,2,2,'problem-2-ü','held_by-2-ü','2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z');
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
INSERT INTO "tokens" VALUES('id-1-ü','hash-1-ü',NULL,'role-1-ü',NULL,'{"n": 1, "text": "connections \"1\" \u00fc"}','2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z');
INSERT INTO "tokens" VALUES('id-2-ü','hash-2-ü','name-2-ü','role-2-ü','user_id-2-ü','{"n": 2, "text": "connections \"2\" \u00fc"}','2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z');
CREATE TABLE vault (
	connection VARCHAR(64) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	sealed TEXT NOT NULL, 
	expires_at VARCHAR(27), 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_vault PRIMARY KEY (connection, name)
);
INSERT INTO "vault" VALUES('connection-1-ü','name-1-ü','sealed-1-ü','2026-03-11T14:05:00.000000Z','2026-03-11T14:05:00.000000Z');
INSERT INTO "vault" VALUES('connection-2-ü','name-2-ü','sealed-2-ü','2026-03-12T14:05:00.000000Z','2026-03-12T14:05:00.000000Z');
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
CREATE INDEX ix_campaigns_created_at ON campaigns (created_at, id);
CREATE INDEX ix_campaign_recipients_state ON campaign_recipients (campaign, state, lane);
CREATE INDEX ix_campaign_touches_contact ON campaign_touches (connection, contact);
CREATE INDEX ix_audit_draft ON audit (draft);
CREATE INDEX ix_audit_kind ON audit (kind, at);
CREATE INDEX ix_events_at ON events (connection, at);
COMMIT;
