"""The tables of the second registry of devices: units, their groups, uploads and rollouts (schema 3)."""

SCHEMA_UNITS = """
CREATE TABLE unit_group (
  uuid TEXT PRIMARY KEY, parent TEXT, name TEXT NOT NULL, enabled INTEGER NOT NULL, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL);
CREATE INDEX unit_group_parent ON unit_group (parent);
CREATE TABLE unit (
  u INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, n INTEGER, serial TEXT NOT NULL, manufacturer TEXT NOT NULL,
  brand TEXT NOT NULL, model TEXT NOT NULL, product TEXT NOT NULL, group_uuid TEXT, enabled INTEGER NOT NULL,
  enrolled_at INTEGER, checked_in_at INTEGER, disconnected_at INTEGER, client_version INTEGER NOT NULL,
  rtc INTEGER NOT NULL, online INTEGER NOT NULL, os TEXT NOT NULL, build TEXT NOT NULL, ab INTEGER NOT NULL,
  license TEXT NOT NULL, auto_renew INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  sdk INTEGER NOT NULL, built_at INTEGER NOT NULL, region TEXT NOT NULL, silent INTEGER NOT NULL,
  enrol_after INTEGER, license_uuid TEXT);
-- The running number stands in each of them, so that pages far down are skipped to without touching the table.
CREATE INDEX unit_n ON unit (n, u);
CREATE INDEX unit_serial ON unit (serial, u);
CREATE INDEX unit_in_group ON unit (group_uuid, u);
CREATE INDEX unit_updated ON unit (updated_at, u);
CREATE INDEX unit_created ON unit (created_at, u);
CREATE INDEX unit_checked ON unit (checked_in_at, u);
CREATE INDEX unit_model ON unit (model, u);
CREATE TABLE unit_package (
  u INTEGER NOT NULL, package TEXT NOT NULL, upload TEXT NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
  PRIMARY KEY (u, package)) WITHOUT ROWID;
CREATE TABLE unit_log (u INTEGER NOT NULL, at INTEGER NOT NULL, category TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX unit_log_u ON unit_log (u, at);
CREATE TABLE package (
  uuid TEXT PRIMARY KEY, file_uuid TEXT NOT NULL UNIQUE, name TEXT NOT NULL, package TEXT NOT NULL,
  label TEXT NOT NULL, version_code INTEGER NOT NULL, version_name TEXT NOT NULL, min_sdk INTEGER NOT NULL,
  target_sdk INTEGER NOT NULL, max_sdk INTEGER, cert_md5 TEXT NOT NULL, size INTEGER NOT NULL, data INTEGER NOT NULL,
  file_name TEXT NOT NULL, enabled INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE TABLE image (
  uuid TEXT PRIMARY KEY, file_uuid TEXT NOT NULL UNIQUE, name TEXT NOT NULL, info TEXT NOT NULL, size INTEGER NOT NULL,
  file_name TEXT NOT NULL, enabled INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE TABLE license (uuid TEXT PRIMARY KEY, name TEXT NOT NULL, total INTEGER NOT NULL, used INTEGER NOT NULL);
CREATE TABLE rollout (
  uuid TEXT PRIMARY KEY, name TEXT NOT NULL, document TEXT NOT NULL, enabled INTEGER NOT NULL,
  revision INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
-- Where each unit in the scope of a rollout stands. step: place in its list of steps
CREATE TABLE rollout_unit (
  rollout TEXT NOT NULL, u INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, step INTEGER NOT NULL,
  attempts INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (rollout, u)) WITHOUT ROWID;
"""
