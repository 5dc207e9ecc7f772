BEGIN TRANSACTION;
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
INSERT INTO "alembic_version" VALUES('0001');
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
CREATE TABLE fits (
	connection VARCHAR(255) NOT NULL, 
	name VARCHAR(32) NOT NULL, 
	computed_at VARCHAR(27) NOT NULL, 
	doc TEXT NOT NULL, 
	CONSTRAINT pk_fits PRIMARY KEY (connection, name)
);
INSERT INTO "fits" VALUES('connection-1-ü','name-1-ü','2026-03-11T14:05:00.000000Z','doc-1-ü');
INSERT INTO "fits" VALUES('connection-2-ü','name-2-ü','2026-03-12T14:05:00.000000Z','doc-2-ü');
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
CREATE INDEX ix_records_company ON records (connection, company_id, collection, at) WHERE company_id IS NOT NULL;
CREATE INDEX ix_records_deal ON records (connection, deal_id, collection, at) WHERE deal_id IS NOT NULL;
CREATE INDEX ix_records_ticket ON records (connection, ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX ix_records_product ON records (connection, product_id) WHERE product_id IS NOT NULL;
CREATE INDEX ix_records_source ON records (connection, source) WHERE source IS NOT NULL;
CREATE INDEX ix_contact_links_record ON contact_links (connection, collection, id);
CREATE INDEX ix_addresses_contact ON addresses (connection, contact_id);
CREATE INDEX ix_imports_connection ON imports (connection, at);
COMMIT;
